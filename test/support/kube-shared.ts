import { afterAll, beforeAll, inject, type TestContext } from "vitest";
import { findKubeBinaries, type KubeBinaries } from "./kube-binaries.ts";
import { type KubeOptions, type Kubernetes, startKubernetes } from "./kube-lab.ts";
import { realPart } from "./real-part.ts";
import { createCleaner } from "./with-cleanup.ts";

/** What the setup of a run found, for its tests. */
export type FoundKubeBinaries = KubeBinaries | { readonly problem: string };

declare module "vitest" {
  interface ProvidedContext {
    readonly kubeBinaries: FoundKubeBinaries | undefined;
  }
}

async function findBinaries(): Promise<KubeBinaries> {
  const found = inject("kubeBinaries") ?? (await findKubeBinaries({ env: process.env, onProgress: console.log }));
  if ("problem" in found) throw new Error(found.problem);
  return found;
}

/** The servers for a test; without them it is skipped (in CI: fails). They were found before the run began. */
export const kubeBinaries = (context: Pick<TestContext, "skip">): Promise<KubeBinaries> =>
  realPart(context, "Kubernetes' servers", findBinaries);

/** Servers for all tests of a `describe` or a file, started before the first of them. */
export function sharedKubernetes(
  options: KubeOptions = {},
): (context: Pick<TestContext, "skip">) => Promise<Kubernetes> {
  const { cleanup, clean } = createCleaner();
  const start = async (): Promise<Kubernetes> =>
    startKubernetes({ ...options, binaries: await findBinaries(), cleanup });
  let started: Promise<Kubernetes> | undefined;
  beforeAll(async () => {
    started = start();
    // Each test tells by itself what went wrong.
    await started.catch(() => {});
  });
  afterAll(clean);
  return async (context) => {
    await kubeBinaries(context);
    started ??= start();
    return started;
  };
}
