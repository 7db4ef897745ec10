import { fileURLToPath } from "node:url";
import type { TestContext } from "vitest";
import { type Child, startChild } from "../../src/app/child.ts";
import { type ControlPlane, startControlPlane } from "../../src/app/control-plane.ts";
import { createLog } from "../../src/base/log.ts";
import { defaultMeshSettings } from "../../src/model/mesh-settings.ts";
import type { ExampleMesh } from "./example-mesh.ts";

type MeshInput = Pick<ExampleMesh, "plan" | "rules" | "catalog">;

/** The control plane of a test, in this process. */
export async function controlPlaneHere(
  context: Pick<TestContext, "onTestFinished">,
  { plan, rules, catalog }: MeshInput,
): Promise<ControlPlane> {
  const host = plan.controlPlane.host;
  const plane = await startControlPlane({
    rules,
    catalog,
    mesh: defaultMeshSettings,
    xds: { host, port: plan.controlPlane.xds },
    api: { host, port: plan.controlPlane.api },
    metrics: { host, port: plan.controlPlane.metrics },
    log: createLog({ level: "silent", format: "json", write: () => {} }),
  });
  context.onTestFinished(() => plane.stop());
  return plane;
}

const main = fileURLToPath(new URL("../../src/app/main.ts", import.meta.url));

/** `fairway serve` as a process of its own, which may be killed. */
export async function controlPlaneProcess(
  context: Pick<TestContext, "onTestFinished">,
  { plan, rules, catalog }: MeshInput,
): Promise<Child> {
  const { host, xds, api, metrics } = plan.controlPlane;
  const child = await startChild({
    command: process.execPath,
    args: [
      ...[main, "serve", "--rules", ...rules, "--catalog", ...catalog],
      ...["--xds", `${host}:${xds}`, "--api", `${host}:${api}`, "--metrics", `${host}:${metrics}`],
      ...["--log-format", "json"],
    ],
  });
  context.onTestFinished(async () => {
    await child.stop({ graceMs: 2_000 });
  });
  return child;
}
