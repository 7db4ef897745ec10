import { join } from "node:path";
import { startControlPlane } from "../../src/app/control-plane.ts";
import { onTermination } from "../../src/app/termination.ts";
import type { HostPort } from "../../src/base/host-port.ts";
import { createLog } from "../../src/base/log.ts";
import type { ReflectorTimes } from "../../src/kube/times.ts";
import { defaultMeshSettings } from "../../src/model/mesh-settings.ts";

/*
 * node serve-with-times.ts JSON: `fairway serve --kubeconfig`, with times of its reflectors that are not for users.
 */

export interface TimedServeOptions {
  readonly kubeconfig: string;
  readonly times: Partial<ReflectorTimes>;
  readonly data: string;
  readonly rules: readonly string[];
  readonly xds: HostPort;
  readonly api: HostPort;
  readonly metrics: HostPort;
}

const { kubeconfig, times, data, ...rest } = JSON.parse(process.argv[2] ?? "") as TimedServeOptions;

const plane = await startControlPlane({
  ...rest,
  catalog: [],
  mesh: defaultMeshSettings,
  kubernetes: { source: { kind: "file", file: kubeconfig }, times },
  store: { kind: "sqlite", folder: data },
  configFolder: join(data, "config"),
  log: createLog({ level: "info", format: "json", write: (line) => process.stdout.write(line) }),
});
onTermination({ first: () => void plane.stop(), again: () => process.exit(1) });
