import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../support/free-port.ts";
import type { Mesh } from "../fixture/mesh.ts";
import { createFairwayApi } from "./fairway-api.ts";
import { createInside } from "./fairway-inside.ts";
import { stopChild, waitUntilReady } from "./running.ts";
import type { BenchServer, ServerKind } from "./server.ts";

const root = join(import.meta.dirname, "../../..");
const host = "127.0.0.1";

export interface FairwayOptions {
  /** For the xDS streams; default: a free one. */
  readonly port?: number;
  readonly shared?: boolean;
  /** More flags of `fairway serve`. */
  readonly flags?: readonly string[];
}

/** `fairway serve`, the real process, with a data folder of its own. */
export const fairway: ServerKind = {
  name: "fairway",
  scopes: true,
  restarts: true,
  exact: true,
  start: () => startFairway(),
};

/** `shared`: others may listen on the port too. */
export async function startFairway({ port, shared = false, flags = [] }: FairwayOptions = {}): Promise<BenchServer> {
  const data = await mkdtemp(join(tmpdir(), "fairway-bench-"));
  const [xds, api, metrics] = [port ?? (await freePort()), await freePort(), await freePort()];
  const on = (port: number): string => `${host}:${port}`;
  const preloads = ["inside-fairway.ts", ...(shared ? ["share-port.ts"] : [])];
  const args = [
    ...preloads.flatMap((file) => ["--import", join(import.meta.dirname, file)]),
    ...[join(root, "src/app/main.ts"), "serve"],
    ...["--data", join(data, "store"), "--xds", on(xds), "--api", on(api), "--metrics", on(metrics)],
    ...["--anonymous", "admin", "--rate-limit", "100000", "--log-level", "warn", ...flags],
  ];
  const launch = async () => {
    const begun = performance.now();
    const child = spawn(process.execPath, args, {
      cwd: data,
      env: { ...process.env, XDG_CONFIG_HOME: data, FAIRWAY_BENCH_SHARED_PORT: String(xds) },
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    await waitUntilReady(child, `http://${on(metrics)}/readyz`);
    return { child, readyMs: performance.now() - begun };
  };
  let running = await launch();
  const inside = createInside(() => running.child, `http://${on(metrics)}/metrics`);
  const client = createFairwayApi(`http://${on(api)}`);
  return {
    address: { host, port: xds },
    pids: () => [running.child.pid ?? 0],
    readyMs: () => running.readyMs,
    load: (mesh: Mesh) => client.load(mesh),
    expectGroups: async () => {},
    versionOf: ({ version }) => version,
    prepare: (edit) => ({ send: () => client.send(edit) }),
    restart: async () => {
      const exited = once(running.child, "exit");
      running.child.kill("SIGKILL");
      await exited;
      running = await launch();
      await inside.restarted();
    },
    stop: async () => {
      await stopChild(running.child);
      client.close();
      await rm(data, { recursive: true, force: true });
    },
    inside,
  };
}
