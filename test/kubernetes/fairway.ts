import { join } from "node:path";
import type { ReflectorTimes } from "../../src/kube/times.ts";
import { type ApiClient, createApiClient } from "../support/api-client.ts";
import type { Cleanup } from "../support/envoy.ts";
import { fairwayCommand } from "../support/fairway-command.ts";
import { freePort } from "../support/free-port.ts";
import { type LabProcess, startLabProcess } from "../support/kube-process.ts";
import type { TimedServeOptions } from "./serve-with-times.ts";

/** `fairway serve` beside a cluster. */
export interface Fairway extends LabProcess {
  readonly api: ApiClient;
  /** Of 127.0.0.1. */
  readonly xdsPort: number;
  /** Bytes of resources that it has sent to proxies since it was started. */
  readonly pushedBytes: () => Promise<number>;
}

export interface FairwayOptions {
  readonly cleanup: Cleanup;
  /** Holds what must survive a restart. */
  readonly dir: string;
  readonly kubeconfig: string;
  /** Directories. */
  readonly rules?: readonly string[];
  /** Default: those that users have. */
  readonly times?: Partial<ReflectorTimes>;
}

export async function startFairway({ cleanup, dir, ...options }: FairwayOptions): Promise<Fairway> {
  const [xds, api, metrics] = [await localPort(), await localPort(), await localPort()];
  const data = join(dir, "data");
  const client = createApiClient({ url: `http://${api.host}:${api.port}`, tokenFile: join(data, "token") });
  const server = await startLabProcess({
    cleanup,
    command: commandOf({ rules: [], ...options, data, xds, api, metrics }),
    env: { ...process.env, XDG_CONFIG_HOME: join(dir, "config") },
    isReady: async () => (await client.get("/api/v1/whoami")).status === 200,
  });
  return {
    ...server,
    api: client,
    xdsPort: xds.port,
    pushedBytes: async () => {
      const said = await (await fetch(`http://${metrics.host}:${metrics.port}/metrics`)).text();
      const values = said.matchAll(/^fairway_xds_resource_bytes_total(?:\{[^}]*\})? (\S+)$/gm);
      return [...values].reduce((sum, [, value]) => sum + Number(value), 0);
    },
  };
}

const localPort = async () => ({ host: "127.0.0.1", port: await freePort() });

type CommandOptions = Omit<TimedServeOptions, "times"> & Pick<FairwayOptions, "times">;

function commandOf({ times, ...options }: CommandOptions): readonly [string, ...string[]] {
  if (times !== undefined) {
    return [process.execPath, join(import.meta.dirname, "serve-with-times.ts"), JSON.stringify({ ...options, times })];
  }
  const { kubeconfig, data, rules, ...ports } = options;
  const [program = "", ...words] = fairwayCommand;
  return [
    ...([program, ...words, "serve", "--kubeconfig", kubeconfig, "--data", data, "--log-format", "json"] as const),
    ...Object.entries(ports).flatMap(([name, { host, port }]) => [`--${name}`, `${host}:${port}`]),
    ...rules.flatMap((path) => ["--rules", path]),
  ];
}
