import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "vitest";
import { startEnvoys, startServices, waitForFirstRequest } from "../../src/app/dev/example-mesh.ts";
import { canaryFile, catalogFile, ruleFolders, storedCanaryFile } from "../../src/app/dev/mesh-files.ts";
import { type MeshPlan, planMesh } from "../../src/app/dev/mesh-plan.ts";
import { createProcessGroup } from "../../src/app/dev/process-group.ts";
import { type EnvoyLauncher, type EnvoyProcess, processLauncher } from "../../src/app/envoy/launch.ts";
import { envoyBinary } from "./envoy.ts";

/** The example mesh of `fairway dev` in a temporary folder, with real Envoys, and a control plane that the test starts. */
export interface ExampleMesh {
  readonly plan: MeshPlan;
  readonly dir: string;
  /** Through the gateway. */
  readonly url: string;
  readonly rules: readonly string[];
  readonly catalog: readonly string[];
  readonly envoys: readonly EnvoyProcess[];
  /** Edits the canary as a person would. */
  readonly setWeights: (v1: number, v2: number) => void;
}

export interface ExampleMeshOptions {
  readonly context: Pick<TestContext, "skip" | "onTestFinished">;
  readonly variant?: "delta" | "sotw";
  /** Default: the Envoy of the newest line, as a process. */
  readonly launcher?: EnvoyLauncher;
  /** Called when rules and catalog are written; resolves when proxies may connect. */
  readonly startControlPlane: (mesh: Omit<ExampleMesh, "envoys">) => Promise<void>;
}

export async function startExampleMesh(options: ExampleMeshOptions): Promise<ExampleMesh> {
  const { context, variant = "delta" } = options;
  const launcher = options.launcher ?? processLauncher((await envoyBinary(context)).path);
  const dir = mkdtempSync(join(tmpdir(), "fairway-mesh-"));
  const group = createProcessGroup(() => {});
  context.onTestFinished(async () => {
    await group.stop({ graceMs: 3_000 });
    await rm(dir, { recursive: true, force: true });
  });
  const plan = await planMesh({ usualPorts: false });
  await startServices({ plan, dir, group });
  const canary = join(dir, canaryFile);
  const mesh = {
    plan,
    dir,
    url: `http://${plan.gateway.address}:${plan.gateway.port}/`,
    rules: [...ruleFolders, storedCanaryFile].map((path) => join(dir, path)),
    catalog: [join(dir, catalogFile)],
    setWeights: (v1: number, v2: number) => {
      const weights = [v1, v2];
      writeFileSync(
        canary,
        readFileSync(canary, "utf8").replace(/weight: \d+/g, () => `weight: ${weights.shift()}`),
      );
    },
  };
  await options.startControlPlane(mesh);
  const envoys = await startEnvoys({ plan, dir, group }, launcher, variant);
  await waitForFirstRequest(mesh.url);
  return { ...mesh, envoys };
}
