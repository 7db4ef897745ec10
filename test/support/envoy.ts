import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JsonObject } from "@bufbuild/protobuf";
import type { TestContext } from "vitest";
import { type EnvoyBinary, findEnvoy } from "../../src/app/envoy/find.ts";
import { type EnvoyLauncher, type EnvoyProcess, processLauncher } from "../../src/app/envoy/launch.ts";
import { type EnvoyLogLine, isDeprecation, isWarning } from "../../src/app/envoy/log-line.ts";
import { type BootstrapNode, bootstrapFor } from "../../src/envoy/bootstrap.ts";
import { realPart } from "./real-part.ts";

/** The release lines that our output is held to. */
export const envoyLines = ["1.36", "1.40"] as const;
export type EnvoyLine = (typeof envoyLines)[number];

const found = new Map<EnvoyLine, Promise<EnvoyBinary>>();

/** The Envoy of this release line; without one the test is skipped (in CI: fails). */
export function envoyBinary(context: Pick<TestContext, "skip">, line: EnvoyLine = "1.40"): Promise<EnvoyBinary> {
  const binary = found.get(line) ?? findEnvoy({ env: process.env, line });
  found.set(line, binary);
  return realPart(context, `Envoy ${line}`, () => binary);
}

/** Who runs a task at the end: a test's `onTestFinished`, or `afterAll` for an Envoy that a whole file shares. */
export type Cleanup = (task: () => Promise<void>) => void;

export interface TestEnvoy extends EnvoyProcess {
  readonly dir: string;
  /** Its log so far. */
  readonly log: readonly EnvoyLogLine[];
  /** What its log warns of (deprecations among it), without what a stop causes. */
  readonly warnings: () => readonly string[];
  readonly deprecations: () => readonly string[];
}

export interface StartOptions {
  readonly cleanup: Cleanup;
  /** How to run it; `processLauncher(binary.path)`, or a container. */
  readonly launcher: EnvoyLauncher;
  readonly bootstrap: JsonObject;
  readonly name?: string;
  readonly concurrency?: number;
}

/** Starts an Envoy from any bootstrap; it is stopped and its folder removed at the end. It may not be ready yet. */
export async function launchTestEnvoy({ cleanup, launcher, name = "test", ...rest }: StartOptions): Promise<TestEnvoy> {
  const dir = mkdtempSync(join(tmpdir(), "fairway-envoy-"));
  const log: EnvoyLogLine[] = [];
  let envoy: EnvoyProcess | undefined;
  cleanup(async () => {
    await envoy?.stop({ graceMs: 3_000 });
    await rm(dir, { recursive: true, force: true });
  });
  envoy = await launcher({ ...rest, name, dir, onLogLine: (line) => log.push(line) });
  const texts = (wanted: (line: EnvoyLogLine) => boolean) => () => log.filter(wanted).map(({ text }) => text);
  return { ...envoy, dir, log, warnings: texts(isWarning), deprecations: texts(isDeprecation) };
}

export interface StartXdsOptions {
  /** The test (`onTestFinished`, `skip`). */
  readonly context: Pick<TestContext, "skip" | "onTestFinished">;
  readonly line?: EnvoyLine;
  readonly node: BootstrapNode;
  /** Of our server, on 127.0.0.1. */
  readonly xdsPort: number;
  readonly variant?: "delta" | "sotw";
}

/** Starts an Envoy, for one test, that takes its configuration from a control plane on 127.0.0.1. */
export async function startEnvoy({
  context,
  line,
  node,
  xdsPort,
  variant = "delta",
}: StartXdsOptions): Promise<TestEnvoy> {
  const { path } = await envoyBinary(context, line);
  return launchTestEnvoy({
    cleanup: context.onTestFinished,
    launcher: processLauncher(path),
    name: node.id,
    bootstrap: bootstrapFor({
      node,
      xds: { host: "127.0.0.1", port: xdsPort, variant },
      admin: { host: "127.0.0.1", port: 0 },
    }),
  });
}
