import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { JsonObject } from "@bufbuild/protobuf";
import { freePorts } from "../../src/app/dev/loopback.ts";
import type { EnvoyAdmin } from "../../src/app/envoy/admin.ts";
import { launcherOf } from "../../src/app/envoy/launch.ts";
import { systemClock } from "../../src/base/clock.ts";
import { createLog } from "../../src/base/log.ts";
import { createMetrics } from "../../src/base/metrics.ts";
import { createSignal } from "../../src/base/signal.ts";
import { createCompiler } from "../../src/compile/compile.ts";
import type { World } from "../../src/compile/world.ts";
import { bootstrapFor } from "../../src/envoy/bootstrap.ts";
import { createResourceCache } from "../../src/snapshot/resource-cache.ts";
import { createXdsServer } from "../../src/xds/server.ts";
import { type Cut, type CuttingProxy, startCuttingProxy, type Way } from "./cutting-proxy.ts";
import { type Cleanup, launchTestEnvoy } from "./envoy.ts";
import { gateway, sidecar } from "./mesh.ts";
import { differencesFrom } from "./owed.ts";
import { passedText } from "./passed-text.ts";
import { requestsOf, type Shop, type ShopPorts, type Target, worldOf } from "./shop-worlds.ts";
import { recordingRecorder } from "./static-feed.ts";
import { steadyRequests } from "./steady-requests.ts";

export interface LaneOptions {
  readonly cleanup: Cleanup;
  /** Path of the binary. */
  readonly envoy: string;
  readonly kind: "sidecar" | "gateway";
  readonly variant: "delta" | "sotw";
  /** How long the server waits for an answer; its own default when absent. */
  readonly ackTimeoutMs?: number;
}

/** One Envoy, a control plane of its own, and a proxy between them that cuts. */
export interface CutLane {
  /** Goes to this shop, under requests to all that is there before and after, and waits until Envoy is at rest. */
  readonly move: (to: Shop, cut?: CutPlan) => Promise<Moved>;
  /** How many resources of each type Envoy held after a cut, and was therefore not sent again. */
  readonly resumed: () => Readonly<Record<string, number>>;
}

export interface CutPlan {
  /** Before the change, which the proxy meets when it comes back; or at the k-th message of the change. */
  readonly at: number | "away";
  readonly way: Way;
  /** How long it stays away; default: until the change is known. */
  readonly awayMs?: number;
  /** Where the world turns while it is away, instead. */
  readonly meanwhile?: Shop;
}

export interface Moved {
  /** The cut has happened. */
  readonly cut: boolean;
  /** What went wrong; empty when nothing did. */
  readonly problems: readonly string[];
  /** What went by and what Envoy warned of, a line each. */
  readonly story: () => readonly string[];
  readonly requests: number;
}

/** Shorter than by default, as hundreds of removals wait for it. */
const removalGraceMs = 300;
/** How long a response is under way: what is wrong between two of them lasts long enough for a request to meet it. */
const latencyMs = 10;
/** So long nothing may go by before Envoy counts as at rest. */
const quietMs = 60;
const restWithinMs = 15_000;
const pollMs = 15;

const passTime = (ms: number): Promise<void> => new Promise((resolve) => systemClock.after(ms, resolve));

export async function startCutLane(options: LaneOptions): Promise<CutLane> {
  const { cleanup, envoy, kind, variant, ackTimeoutMs } = options;
  const ports = await shopPorts(cleanup);
  const node = kind === "sidecar" ? sidecar() : gateway();
  const log = createLog({ level: "silent", format: "json", write: () => {} });
  const metrics = createMetrics();
  const world = createSignal<World | undefined>(undefined);
  const cache = createResourceCache({ world, compiler: createCompiler(), clock: systemClock, log, metrics });
  const resumed = new Map<string, number>();
  const recorder = {
    ...recordingRecorder(),
    resumed: (_stream: string, type: string, resources: readonly unknown[]): void => {
      resumed.set(type, (resumed.get(type) ?? 0) + resources.length);
    },
  };
  const server = createXdsServer({
    ...{ feed: cache, recorder, metrics, log, clock: systemClock, identifier: "test" },
    options: { removalGraceMs, ...(ackTimeoutMs !== undefined && { ackTimeoutMs }) },
  });
  const port = await server.listen("127.0.0.1", 0);
  const proxy = await startCuttingProxy({ port, latencyMs });
  cleanup(async () => {
    proxy.close();
    server.close();
    cache.close();
  });
  const { drainSeconds } = kinds[kind];
  const process = await launchTestEnvoy({
    cleanup,
    launcher: launcherOf((args) => ({ command: envoy, args: [...args, "--drain-time-s", String(drainSeconds)] })),
    name: `${kind} ${variant}`,
    bootstrap: quickToReturn(
      bootstrapFor({
        node: {
          id: node.id,
          cluster: "cut.shop",
          metadata: { NAMESPACE: "shop", LABELS: { ...node.labels }, INTERCEPTION_MODE: "NONE" },
        },
        xds: { host: "127.0.0.1", port: proxy.port, variant },
        admin: { host: "127.0.0.1", port: 0 },
      }),
    ),
  });
  const admin = await process.admin();
  let present: Shop | undefined;

  return {
    async move(to, cut) {
      const begun = performance.now();
      const refusals = recorder.events.length;
      const warnings = process.log.length;
      proxy.clear();
      proxy.forget();
      const before = present;
      const shops = [before ?? to, to, ...(cut?.meanwhile === undefined ? [] : [cut.meanwhile])];
      const lasting = before === undefined ? [] : targetsOfAll(shops, ports);
      const load = steadyRequests(lasting);
      const turn = (shop: Shop): void => {
        present = shop;
        world.set(worldOf(shop, ports));
      };
      const armed = cut === undefined || cut.at === "away" ? undefined : arm(proxy, cut.at, cut, turn);
      if (cut?.at === "away") {
        proxy.hold();
        proxy.cut(cut.way);
      }
      turn(to);
      if (cut?.awayMs !== undefined) await passTime(cut.awayMs);
      proxy.release();
      const late = await restProblems(admin, proxy, () => cache.resourcesOf(node));
      const answers = await load.stop();
      armed?.disarm();
      const passed = [...proxy.passed];
      return {
        cut: armed === undefined ? cut !== undefined : armed.done,
        problems: [
          ...late,
          ...answers.failures.map(({ atMs, text }) => `${(atMs - begun).toFixed(0)} ms: ${text}`),
          ...recorder.events
            .slice(refusals)
            .flatMap((event) => (event.on === "refused" ? [`${event.type} refused: ${event.reason}`] : [])),
        ],
        story: () => [
          ...passedText(passed, variant, begun),
          ...process.log
            .slice(warnings)
            .filter(({ level }) => level !== "info")
            .map(({ text }) => text),
        ],
        requests: answers.count,
      };
    },
    resumed: () => Object.fromEntries([...resumed].sort()),
  };
}

/** How long listeners drain: with the shorter time a listener that comes back is a new one, with the longer one the old is still there. */
const kinds = { sidecar: { drainSeconds: 600 }, gateway: { drainSeconds: 1 } } as const;

const targetsOfAll = (shops: readonly Shop[], ports: ShopPorts): readonly Target[] => {
  const asked = shops.map((shop) => requestsOf(shop, ports));
  return (asked[0] ?? []).filter(({ host, port }) =>
    asked.every((targets) => targets.some((one) => one.host === host && one.port === port)),
  );
};

function arm(proxy: CuttingProxy, k: number, { way, meanwhile }: CutPlan, turn: (shop: Shop) => void): Cut {
  if (meanwhile === undefined) return proxy.arm(k, way);
  return proxy.arm(k, way, () => {
    proxy.hold();
    // Not within the turn in which the server writes.
    setImmediate(() => {
      turn(meanwhile);
      proxy.release();
    });
  });
}

/** Waits for rest; what is missing when it does not come. */
async function restProblems(
  admin: EnvoyAdmin,
  proxy: CuttingProxy,
  owed: () => Parameters<typeof differencesFrom>[0] | undefined,
): Promise<readonly string[]> {
  const deadline = performance.now() + restWithinMs;
  for (;;) {
    await passTime(pollMs);
    const set = owed();
    const differences =
      proxy.isQuietFor(quietMs) && set !== undefined ? await differencesFrom(set, admin) : ["not quiet"];
    if (differences.length === 0 && proxy.isQuietFor(quietMs)) return [];
    if (performance.now() > deadline) return differences.map((text) => `after ${restWithinMs} ms: ${text}`);
  }
}

async function shopPorts(cleanup: Cleanup): Promise<ShopPorts> {
  const [first = 0, second = 0] = await freePorts([{ address: "127.0.0.1" }, { address: "127.0.0.1" }]);
  const copies = await Promise.all([0, 1, 2, 3, 4, 5].map(() => startCopy(cleanup)));
  return { listeners: [first, second], copies };
}

/** Answers everything, and never closes a connection by itself: what fails is not its fault. */
async function startCopy(cleanup: Cleanup): Promise<number> {
  const server = createServer({ keepAliveTimeout: 0 }, (_, response) => response.end("ok"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanup(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

/** Waits a little between attempts only, so that many of them fit into a test. */
function quickToReturn(bootstrap: JsonObject): JsonObject {
  const text = JSON.stringify(bootstrap).replace(
    /"retry_back_off":\{[^}]*\}/,
    '"retry_back_off":{"base_interval":"0.02s","max_interval":"0.05s"}',
  );
  return JSON.parse(text) as JsonObject;
}
