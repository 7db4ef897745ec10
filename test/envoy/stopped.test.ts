import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { heldResources } from "../support/config-dump.ts";
import { heldBytes } from "../support/heap.ts";
import { waitFor } from "../support/wait-for.ts";
import { planWireMesh, startWireEnvoys, type Variant } from "../support/wire-mesh.ts";
import { startWirePlane, type WireEvent } from "../support/wire-plane.ts";

/*
 * One Envoy of several stands still while changes go on: the others do not notice, we do not hoard what it will never need, and
 * when it runs again it gets the newest state and no backlog.
 */

/** `npm run full` says 20 Envoys and 60 seconds. */
const envoyCount = Number(process.env["FAIRWAY_STOPPED_ENVOYS"] ?? 5);
const stoppedMs = Number(process.env["FAIRWAY_STOPPED_SECONDS"] ?? 5) * 1_000;
const variants: readonly Variant[] =
  process.env["FAIRWAY_STOPPED_SECONDS"] === undefined ? ["delta"] : ["delta", "sotw"];
/** Control runs, before and after. */
const controlMs = Math.min(stoppedMs, 20_000);

const changeEveryMs = 200;
/**
 * Makes each change large: were all of them kept for the one that stands still, the limit would be passed in a minute. Less will
 * do where the time does not suffice for that anyway.
 */
const ballastRoutes = stoppedMs < 10_000 ? 100 : 600;
const ballastText = "x".repeat(200);
const maxGrowth = 64 * 1024 * 1024;
/** Of ACK times, compared with the slower of the two control runs. */
const noise = 4;

/** The wire's events, with what is asked of them. */
function wireLog() {
  const ackTimes: { readonly proxy: string; readonly ms: number }[] = [];
  const sends: WireEvent[] = [];
  const refusals: WireEvent[] = [];
  const waiting = new Map<string, number>();
  return {
    ackTimes,
    sends,
    refusals,
    hear: (event: WireEvent): void => {
      const key = `${event.proxy} ${event.type} ${event.nonce}`;
      if (event.on === "sent") {
        waiting.set(key, event.atMs);
        sends.push(event);
        return;
      }
      const sentAt = waiting.get(key);
      waiting.delete(key);
      if (event.on === "refused") refusals.push(event);
      else if (sentAt !== undefined) ackTimes.push({ proxy: event.proxy, ms: event.atMs - sentAt });
    },
  };
}

interface AckTimes {
  readonly count: number;
  readonly median: number;
  readonly p90: number;
}

function summary(times: readonly number[]): AckTimes {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
  return { count: sorted.length, median: at(0.5), p90: at(0.9) };
}

const show = (what: string, { count, median, p90 }: AckTimes): string =>
  `${what}: ${count} ACKs, median ${median.toFixed(2)} ms, p90 ${p90.toFixed(2)} ms`;

/**
 * How many responses of each type brought something; those that only took away what was held back are not counted. In the
 * state-of-the-world variant a removal is a smaller set of what was there, or an answer that there is nothing; and a proxy that
 * pings have given up and that comes back is sent its endpoints once more after its clusters, unchanged, which is not counted
 * either.
 */
function responsesByType(sends: readonly WireEvent[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  const last = new Map<string, ReadonlySet<string>>();
  for (const { type, resources = [] } of sends) {
    const present = resources.filter(({ version }) => version !== undefined && version !== "absent");
    const keys = present.map(({ name, version }) => `${name} ${version}`);
    const before = last.get(type);
    const isNothingNew = present.length <= (before?.size ?? 0) && keys.every((key) => before?.has(key));
    last.set(type, new Set(keys));
    if (!isNothingNew && present.length > 0) counts[type] = (counts[type] ?? 0) + 1;
  }
  return counts;
}

describe.each(variants)("%s", (variant) => {
  test(`one of ${envoyCount} Envoys stands still for ${stoppedMs / 1_000} s`, {
    timeout: 90_000 + 2 * controlMs + stoppedMs,
  }, async (context) => {
    const wishes = Array.from({ length: envoyCount }, (_, index) => ({
      kind: "sidecar" as const,
      // The first one is the one that is stopped; the others are of both variants.
      variant: index === 0 ? variant : index % 2 === 0 ? ("delta" as const) : ("sotw" as const),
    }));
    const mesh = await planWireMesh(context, wishes);
    const rulesAt = (change: number) =>
      mesh.rules({ base: "v1", [`v${change}`]: "v2" }, `v${change}`, {
        routes: ballastRoutes,
        text: `${change} ${ballastText}`,
      });
    // Encoded responses are kept for others up to a bound of its own, which is not what is measured here.
    const plane = await startWirePlane(context, mesh, rulesAt(0), { xds: { maxCachedBytes: 4 * 1024 * 1024 } });
    const log = wireLog();
    const envoys = await startWireEnvoys(context, mesh, plane.port);
    const [stopped] = envoys;
    if (stopped === undefined) throw new Error("no Envoy");
    const stoppedId = stopped.proxy.node.id;
    const others = mesh.proxies.map(({ node }) => node.id).filter((id) => id !== stoppedId);
    const have = (ids: readonly string[], what: "reached" | "settled", withinMs = 15_000) =>
      waitFor(() => ids.every((id) => plane.isAt(id, what)), { withinMs, what: `everyone to have ${what}` });
    await have([stoppedId, ...others], "settled");
    plane.subscribe(log.hear);

    let change = 0;
    /** Changes for so long; how long the others took to acknowledge. */
    const underChanges = async (ms: number): Promise<AckTimes> => {
      const from = log.ackTimes.length;
      const until = performance.now() + ms;
      while (performance.now() < until) {
        change++;
        plane.setRules(rulesAt(change));
        await delay(changeEveryMs);
      }
      await have(others, "reached");
      return summary(log.ackTimes.slice(from).flatMap(({ proxy, ms: took }) => (proxy === stoppedId ? [] : [took])));
    };

    const before = await underChanges(controlMs);
    await have([stoppedId, ...others], "settled");

    const sendsBefore = log.sends.length;
    const heldBefore = heldBytes();
    process.kill(stopped.pid, "SIGSTOP");
    context.onTestFinished(() => {
      process.kill(stopped.pid, "SIGCONT");
    });
    const during = await underChanges(stoppedMs);
    const grown = heldBytes() - heldBefore;
    process.kill(stopped.pid, "SIGCONT");
    await have([stoppedId], "settled", 45_000);
    const caughtUp = log.sends.slice(sendsBefore).filter(({ proxy }) => proxy === stoppedId);
    const responses = responsesByType(caughtUp);

    const after = await underChanges(controlMs);
    await have([stoppedId, ...others], "settled");

    const routeTable = [...plane.targetOf(stoppedId).resources.RDS.values()].reduce(
      (sum, { bytes }) => sum + bytes.length,
      0,
    );
    console.log(
      [
        `${change} changes, each of ${(routeTable / 1024).toFixed(0)} KiB of routes`,
        show("control run before", before),
        show("while one stands still", during),
        show("control run after", after),
        `memory: ${(grown / 2 ** 20).toFixed(1)} MiB more`,
        `responses to the one that stood still: ${JSON.stringify(responses)}, ${caughtUp.length} with removals`,
      ].join("\n"),
    );
    expect(log.refusals).toEqual([]);
    expect(during.count).toBeGreaterThan(others.length * 5);
    expect(during.median / Math.max(before.median, after.median), "medians of ACK times").toBeLessThan(noise);
    expect(during.p90 / Math.max(before.p90, after.p90), "90 % of ACK times").toBeLessThan(noise);
    expect(grown).toBeLessThan(maxGrowth);
    for (const [type, count] of Object.entries(responses)) {
      expect(count, `responses of ${type} after it stood still`).toBeLessThanOrEqual(2);
    }
    expect(Object.keys(responses)).toEqual(expect.arrayContaining(["CDS", "EDS", "RDS"]));
    const { CDS, warming } = await heldResources(await stopped.admin());
    expect(Object.keys(CDS)).toEqual([...plane.targetOf(stoppedId).resources.CDS.keys()].sort());
    expect(warming).toEqual([]);
  });
});
