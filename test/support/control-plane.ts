import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestContext } from "vitest";
import { type Child, startChild } from "../../src/app/child.ts";
import { type ControlPlane, startControlPlane } from "../../src/app/control-plane.ts";
import { createLog } from "../../src/base/log.ts";
import { defaultMeshSettings } from "../../src/model/mesh-settings.ts";
import { createApiClient } from "./api-client.ts";
import type { ExampleMesh } from "./example-mesh.ts";
import { waitFor } from "./wait-for.ts";

interface MeshInput extends Pick<ExampleMesh, "rules" | "catalog"> {
  readonly plan: Pick<ExampleMesh["plan"], "controlPlane">;
}

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

/**
 * `fairway serve` as a process of its own, which may be killed. It keeps in `dir` what must survive: `data`, and `config` of its user.
 * Resolves when it answers its user.
 */
export async function controlPlaneProcess(
  context: Pick<TestContext, "onTestFinished">,
  { plan, dir, rules, catalog }: MeshInput & Pick<ExampleMesh, "dir">,
): Promise<Child> {
  const { host, xds, api, metrics } = plan.controlPlane;
  const said: string[] = [];
  const child = await startChild({
    command: process.execPath,
    args: [
      ...[main, "serve", "--data", join(dir, "data")],
      ...rules.flatMap((path) => ["--rules", path]),
      ...catalog.flatMap((path) => ["--catalog", path]),
      ...["--xds", `${host}:${xds}`, "--api", `${host}:${api}`, "--metrics", `${host}:${metrics}`],
      ...["--log-format", "json"],
    ],
    env: { ...process.env, XDG_CONFIG_HOME: join(dir, "config") },
    onLine: (line) => said.push(line),
  });
  context.onTestFinished(async () => {
    await child.stop({ graceMs: 2_000 });
  });
  const client = createApiClient({ url: `http://${host}:${api}`, tokenFile: join(dir, "data", "token") });
  await waitFor(() => client.get("/api/v1/whoami").then(({ status }) => status === 200), {
    withinMs: 20_000,
    what: "the control plane to answer",
  }).catch((cause: unknown) => {
    throw new Error(`it said: ${said.slice(-20).join("\n")}`, { cause });
  });
  return child;
}
