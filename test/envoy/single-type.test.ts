import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { Resource } from "../../src/envoy/resource-set.ts";
import { quietCounters } from "../support/quiet-envoy.ts";
import {
  answer,
  assignment,
  bootstrapWithoutAds,
  byRds,
  edsCluster,
  httpListener,
  oneHost,
  overOwnStream,
  routeTable,
  toCluster,
  type Variant,
} from "../support/raw-config.ts";
import { everyoneIsAt, type RawPlane, startOrigin, startRawEnvoy, startRawPlane } from "../support/raw-plane.ts";
import { type Answer, createAsker, steadyTraffic } from "../support/traffic.ts";
import { waitFor } from "../support/wait-for.ts";

/*
 * Envoys without ADS: clusters, listeners, and each route table and assignment on a stream of its own. Nobody sees the answers on
 * the others, so the order across types is kept by time.
 */

const lines = ["1.40", "1.36"] as const;
/** Each adds a cluster and routes to it, then routes away and removes it. `npm run full` says 50. */
const flips = Number(process.env["FAIRWAY_ALONE_FLIPS"] ?? 3);
const isLong = process.env["FAIRWAY_ALONE_FLIPS"] !== undefined;
/** Longer than by default: an Envoy on a busy machine has its clusters in this time. */
const aloneLagMs = 1_500;
const removalGraceMs = 1_000;
const fastMs = 100;

interface Origins {
  readonly v1: number;
  readonly v2: number;
}

interface Wish {
  /** What the steady cluster consists of. */
  readonly base?: keyof Origins;
  /** Another timeout of the steady cluster makes it another one, with the same endpoints. */
  readonly timeout?: string;
  /** A cluster of v2 beside the steady one, and everything to it. */
  readonly flip?: string | undefined;
  /** More clusters of v2, which nothing leads to. */
  readonly beside?: readonly string[];
  /** A listener with a route table of its own. */
  readonly second?: boolean;
}

function resourcesOf(
  variant: Variant,
  origins: Origins,
  { base = "v1", timeout = "1s", flip, beside = [], second }: Wish,
) {
  const source = overOwnStream(variant);
  const resources: Resource[] = [
    edsCluster("steady", source, { connect_timeout: timeout }),
    assignment("steady", [origins[base]]),
    httpListener("main", byRds("main", source)),
    routeTable("main", oneHost([toCluster(flip ?? "steady")])),
  ];
  for (const name of [...beside, ...(flip === undefined ? [] : [flip])]) {
    resources.push(edsCluster(name, source), assignment(name, [origins.v2]));
  }
  if (second) {
    resources.push(httpListener("second", byRds("second", source)), routeTable("second", oneHost([answer("second")])));
  }
  return resources;
}

const isFailure = ({ status }: Answer): boolean => status !== 200;

/** What Envoy counts that a client may not see. (The streams to the server are requests of their own.) */
const hidden =
  "(upstream_rq_retry|upstream_rq_tx_reset|upstream_rq_rx_reset|downstream_rq_tx_reset|update_rejected|init_fetch_timeout|warming_clusters)$";

async function startLab(
  context: Parameters<typeof startRawEnvoy>[0],
  variant: Variant,
  versions: readonly (typeof lines)[number][] = lines,
) {
  const [v1, v2] = await Promise.all([startOrigin(context, "v1"), startOrigin(context, "v2")]);
  const of = (wish: Wish) => resourcesOf(variant, { v1, v2 }, wish);
  const plane: RawPlane = await startRawPlane(context, of({}), { aloneLagMs, removalGraceMs });
  const envoys = await Promise.all(
    versions.map((line) =>
      startRawEnvoy(context, plane, { name: `alone-${line}`, variant, line, bootstrap: bootstrapWithoutAds }),
    ),
  );
  await everyoneIsAt(plane, envoys);
  const urls = await Promise.all(envoys.map(({ urlOf }) => urlOf("main")));
  const loads = urls.map((url) => steadyTraffic(url, { pauseMs: 5, maxMs: 10 * 60_000 }));
  context.onTestFinished(async () => {
    await Promise.all(loads.map(({ stop }) => stop()));
  });
  await waitFor(() => loads.every(({ answers }) => answers.length > 20), { what: "traffic" });
  return {
    ...{ plane, envoys, loads },
    set: (wish: Wish) => plane.set(of(wish)),
    /** Everybody is answered so. */
    answered: (text: string) =>
      waitFor(() => loads.every(({ answers }) => answers.at(-1)?.text === text), { what: `answers of ${text}` }),
    async expectUnharmed() {
      const answers = await Promise.all(loads.map(({ stop }) => stop()));
      for (const [index, given] of answers.entries()) {
        const name = envoys[index]?.name ?? "";
        console.log(`${variant} ${name}: ${given.length} requests, ${given.filter(isFailure).length} failed`);
        expect(given.filter(isFailure), name).toEqual([]);
      }
      expect(plane.refusals).toEqual([]);
      for (const { name, admin } of envoys) {
        const counted = [...(await (await admin()).stats(hidden))].filter(
          ([stat, value]) => value !== 0 && !stat.startsWith("cluster.xds."),
        );
        expect(counted, `retries, resets, refusals and waits of ${name}`).toEqual([]);
      }
    },
  };
}

describe.concurrent.each(["delta", "sotw"] as const)("%s, without ADS", (variant) => {
  test("endpoints, clusters, listeners and routes are followed, and a restart is not noticed", {
    timeout: 60_000,
  }, async (context) => {
    const { plane, envoys, set, answered, expectUnharmed } = await startLab(context, variant);
    const arrived = () => everyoneIsAt(plane, envoys);

    set({ base: "v2" });
    await answered("v2");
    await arrived();
    set({ timeout: "2s" });
    await answered("v1");
    await arrived();

    set({ second: true });
    await arrived();
    for (const { urlOf } of envoys) {
      const { ask, close } = createAsker(await urlOf("second"));
      expect(await ask()).toEqual({ status: 200, text: "second" });
      close();
    }
    set({});
    await arrived();
    // Its listener drains for a second.
    await waitFor(async () => !JSON.stringify(await quietCounters(envoys)).includes('draining":1'), { what: "rest" });

    const before = await quietCounters(envoys);
    await plane.restart();
    await arrived();
    expect(await quietCounters(envoys)).toEqual(before);

    set({ flip: "after" });
    await answered("v2");
    set({});
    await answered("v1");
    await arrived();
    await expectUnharmed();
  });

  test(`clusters come and go under load, ${flips} times`, { timeout: 60_000 + flips * 6_000 }, async (context) => {
    const { plane, envoys, set, answered, expectUnharmed } = await startLab(context, variant);
    for (let flip = 1; flip <= flips; flip++) {
      set({ flip: `flip-${flip}` });
      await answered("v2");
      set({});
      await answered("v1");
    }
    await everyoneIsAt(plane, envoys);
    await expectUnharmed();
  });

  // Only time keeps the order here, and a busy machine has none to spare: each cluster stays for three changes, and is routed to
  // in the first of them, all of it faster than what comes late does.
  if (isLong) {
    test("clusters come and go faster than that", { timeout: 60_000 + flips * 1_000 }, async (context) => {
      const { plane, envoys, set, answered, expectUnharmed } = await startLab(context, variant);
      for (let step = 1; step <= 3 * flips; step++) {
        const names = [step, step + 1, step + 2].map((number) => `rolling-${number}`);
        set({ flip: names[2], beside: names.slice(0, 2) });
        await delay(fastMs + ((step * 83) % fastMs));
      }
      await everyoneIsAt(plane, envoys);
      set({});
      await answered("v1");
      await everyoneIsAt(plane, envoys);
      await expectUnharmed();
    });
  }
});
