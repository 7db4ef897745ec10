import type { TestProject } from "vitest/node";
import { findKubeBinaries } from "./kube-binaries.ts";
import type { FoundKubeBinaries } from "./kube-shared.ts";

/**
 * Before a run: builds the servers of Kubernetes when a file of it needs them and they are not there. Not in the tests themselves: minutes with
 * all cores busy would make others late.
 */
export async function setup({ vitest, provide }: TestProject): Promise<void> {
  const isNeeded = vitest.state.getPaths().some((path) => path.includes("/test/kubernetes/"));
  if (isNeeded) provide("kubeBinaries", await find());
}

/** What cannot be had is told by each test that wants it. */
const find = (): Promise<FoundKubeBinaries> =>
  findKubeBinaries({ env: process.env, onProgress: (line) => console.log(`kubernetes: ${line}`) }).catch(
    (cause: unknown) => ({ problem: cause instanceof Error ? cause.message : String(cause) }),
  );
