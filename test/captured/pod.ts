import { request } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { JsonObject } from "@bufbuild/protobuf";
import type { CaptureMode } from "../../src/agent/capture-options.ts";
import { xdsClusterName } from "../../src/envoy/bootstrap.ts";
import type { Cleanup } from "../support/envoy.ts";
import { fairwayCommand } from "../support/fairway-command.ts";
import type { NetNamespace } from "../support/net-namespaces.ts";
import { startSidecar } from "../support/sidecar.ts";
import { waitFor } from "../support/wait-for.ts";
import type { Addresses } from "./network.ts";
import type { Orders, Speech } from "./peers/exchange.ts";

/** An application in a namespace of its own, which serves and calls. */
export interface Peer {
  readonly name: string;
  readonly addresses: Addresses;
  readonly ask: <K extends keyof Orders>(order: K, asked: Orders[K]["asked"]) => Promise<Orders[K]["answer"]>;
}

export interface PeerOptions {
  readonly name: string;
  readonly in: NetNamespace;
  readonly addresses: Addresses;
  /** Port to what is spoken there. */
  readonly ports: Readonly<Record<number, Speech>>;
  /** Holds the socket by which it is told what to do. */
  readonly dir: string;
}

const program = join(import.meta.dirname, "peers/peer.ts");

export async function startPeer({ name, in: namespace, addresses, ports, dir }: PeerOptions): Promise<Peer> {
  const socket = join(dir, `${name}.sock`);
  const words = Object.entries(ports).map(([port, speech]) => `${port}=${speech}`);
  const said: string[] = [];
  await namespace.start([process.execPath, program, name, socket, ...words], (line) => said.push(line));
  await waitFor(() => said.includes("ready"), { withinMs: 30_000, what: `${name} listening` }).catch(
    (cause: unknown) => {
      throw new Error(`${name} said: ${said.join("\n")}`, { cause });
    },
  );
  return { name, addresses, ask: (order, asked) => post(socket, order, asked) };
}

/** The answer to JSON at a Unix socket, as JSON. */
function post<T>(socketPath: string, order: string, asked: unknown): Promise<T> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, path: `/${order}`, method: "POST", agent: false }, (response) => {
      text(response).then((body) => {
        if (response.statusCode === 200) resolve(JSON.parse(body));
        else reject(new Error(`${order}: ${body}`));
      }, reject);
    });
    sent.on("error", reject);
    sent.end(JSON.stringify(asked));
  });
}

/** A peer whose connections go through an Envoy beside it, without its knowing. */
export interface Pod extends Peer {
  /** How often each of its Envoy's clusters was used so far; see `Hop`. */
  readonly uses: () => Promise<ReadonlyMap<Hop, number>>;
  /** What its Envoy warned of so far. */
  readonly warnings: () => readonly string[];
}

/** `<pod> <http|tcp> <cluster>`: an Envoy sent a request, or a connection, to a cluster. */
export type Hop = string;

export interface PodOptions extends PeerOptions {
  readonly cleanup: Cleanup;
  readonly mode: CaptureMode;
  /** The path of an Envoy. */
  readonly binary: string;
  readonly bootstrap: JsonObject;
}

/** Captures first, then starts the Envoy and then the application, as it is done where nothing may slip through. */
export async function startPod({ cleanup, mode, binary, bootstrap, ...options }: PodOptions): Promise<Pod> {
  const { name, in: namespace } = options;
  await namespace.run(...captureCommand(mode));
  const { warnings } = await startSidecar({ cleanup, in: namespace, mode, binary, bootstrap, name });
  const peer = await startPeer(options);
  return { ...peer, warnings, uses: async () => usesIn(name, await peer.ask("read", statsUrl)) };
}

const captureCommand = (mode: CaptureMode): [string, ...string[]] => {
  const [command = "", ...words] = fairwayCommand;
  return [command, ...words, "agent", "capture", "--mode", mode];
};

/** A cluster without endpoints counts only that there were none. */
const counters = "upstream_(rq_total|rq_completed|cx_none_healthy)$";
const statsUrl = `http://127.0.0.1:15000/stats?usedonly&format=json&filter=${encodeURIComponent(counters)}`;

/** Not the counters of a cluster's parts, for example `internal`. */
const ofCluster = new RegExp(`^cluster\\.(.+)(?<!\\.(?:internal|external))\\.${counters}`);

function usesIn(pod: string, text: string): ReadonlyMap<Hop, number> {
  const clusters = new Map<string, Record<string, number>>();
  for (const { name = "", value } of JSON.parse(text).stats) {
    const [, cluster = "", counter = ""] = ofCluster.exec(name) ?? [];
    if (cluster === "" || cluster === xdsClusterName) continue;
    clusters.set(cluster, { ...clusters.get(cluster), [counter]: value });
  }
  return new Map(
    [...clusters].flatMap(([cluster, { rq_total: all = 0, rq_completed: requests = 0, cx_none_healthy: none = 0 }]) => [
      [`${pod} http ${cluster}`, requests] as const,
      [`${pod} tcp ${cluster}`, all - requests + none] as const,
    ]),
  );
}

/** What the work leads to, and each hop that was taken for it, in the order of the alphabet. */
export async function traced<T>(
  pods: readonly Pod[],
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly hops: readonly Hop[] }> {
  const all = async () => new Map((await Promise.all(pods.map(({ uses }) => uses()))).flatMap((uses) => [...uses]));
  const before = await all();
  const result = await work();
  const after = await all();
  const hops = [...after].flatMap(([hop, uses]) => Array<Hop>(uses - (before.get(hop) ?? 0)).fill(hop));
  return { result, hops: hops.sort() };
}
