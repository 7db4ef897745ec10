import { mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EnvoyBinary } from "../../src/app/envoy/find.ts";
import { processLauncher } from "../../src/app/envoy/launch.ts";
import { type Cleanup, launchTestEnvoy } from "../support/envoy.ts";
import { staticBootstrap } from "../support/static-envoy.ts";
import { type Asked, listenerFor } from "./asked-envoy.ts";

/** Which of these listeners an Envoy takes, and does not refuse. Routes lead to no clusters. */
export async function takenListeners(
  { path }: EnvoyBinary,
  listeners: readonly Asked[],
  cleanup: Cleanup,
): Promise<readonly boolean[]> {
  const dir = mkdtempSync(join(tmpdir(), "fairway-listeners-"));
  cleanup(() => rm(dir, { recursive: true, force: true }));
  const file = join(dir, "listeners.json");
  const resources = listeners.map((one, index) => ({
    "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
    ...listenerFor(one, index),
  }));
  writeFileSync(file, JSON.stringify({ version_info: "1", resources }));
  const envoy = await launchTestEnvoy({
    ...{ cleanup, launcher: processLauncher(path), concurrency: 1 },
    bootstrap: {
      ...staticBootstrap(),
      dynamic_resources: { lds_config: { path_config_source: { path: file }, resource_api_version: "V3" } },
    },
  });
  const admin = await envoy.ready({ timeoutMs: 60_000 });
  const taken = new Set((await admin.listeners()).map(({ name }) => name));
  return listeners.map((_, index) => taken.has(String(index)));
}
