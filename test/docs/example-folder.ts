import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { startEnvoys } from "../../src/app/dev/example-mesh.ts";
import { meshFiles } from "../../src/app/dev/mesh-files.ts";
import type { MeshPlan } from "../../src/app/dev/mesh-plan.ts";
import { createProcessGroup } from "../../src/app/dev/process-group.ts";
import type { EnvoyLauncher } from "../../src/app/envoy/launch.ts";

/** What `fairway dev` chooses where all the usual ports are free. */
export const plan: MeshPlan = {
  namespace: "shop",
  gateway: { address: "127.0.0.1", port: 8080 },
  servicePorts: { web: 8000, reviews: 9080, ratings: 9090 },
  workloads: [
    { service: "web", version: "v1", address: "127.0.71.1", ingressPort: 8000, calls: ["reviews", "ratings"] },
    { service: "reviews", version: "v1", address: "127.0.71.2", ingressPort: 9080, calls: [] },
    { service: "reviews", version: "v2", address: "127.0.71.3", ingressPort: 9080, calls: [] },
    { service: "ratings", version: "v1", address: "127.0.71.4", ingressPort: 9090, calls: [] },
    { service: "ratings", version: "v2", address: "127.0.71.5", ingressPort: 9090, calls: [] },
  ],
  controlPlane: { host: "127.0.0.1", xds: 15_010, api: 15_080, metrics: 15_014 },
};

/** Writes what `fairway dev` writes into its folder, and starts nothing. */
export async function writeExampleFolder(dir: string): Promise<void> {
  const { generated, rules } = meshFiles(plan, [41_001, 41_002, 41_003, 41_004, 41_005]);
  for (const [path, text] of Object.entries({ ...generated, ...rules })) await write(join(dir, path), text);
  await startEnvoys({ plan, dir, group: createProcessGroup(() => {}) }, onlyTheBootstrap);
}

/** In the place of an Envoy: writes its bootstrap, and never ends. */
const onlyTheBootstrap: EnvoyLauncher = async ({ name, dir, bootstrap }) => {
  await write(join(dir, "bootstrap.json"), JSON.stringify(bootstrap));
  const never = new Promise<never>(() => {});
  return {
    ...{ name, pid: 0, logFile: "", exited: never, admin: () => never, stop: () => never },
    ready: async () => ({}) as never,
  };
};

export async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}
