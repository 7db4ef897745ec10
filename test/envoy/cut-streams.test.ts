import { describe, expect, test } from "vitest";
import { type CutLane, type CutPlan, startCutLane } from "../support/cut-lane.ts";
import { type Way, ways } from "../support/cutting-proxy.ts";
import { envoyBinary } from "../support/envoy.ts";
import { type ShopChange, shopChanges } from "../support/shop-changes.ts";
import { firstShop, type Shop } from "../support/shop-worlds.ts";

/*
 * For each change and each message of it: the stream between Envoy and the control plane is cut there once, and comes back. No
 * request fails, nothing is refused or stays warming, and Envoy ends with what it is owed.
 */

/** Changes for each of the four Envoys; there and back are two. */
const changes = Number(process.env["FAIRWAY_CUTS"] ?? "4");
const isLong = process.env["FAIRWAY_CUTS"] !== undefined;
const seed = Number(process.env["FAIRWAY_CUTS_SEED"] ?? "5");

/** Failed runs that are told at length. */
const maxStories = 4;

interface Tally {
  readonly move: (title: string, to: Shop, cut?: CutPlan) => Promise<boolean>;
  readonly cuts: () => number;
  readonly requests: () => number;
  readonly failed: readonly string[];
  readonly stories: readonly string[];
}

/** Counts what a lane does, and keeps what went wrong. */
function tallyOf(lane: CutLane): Tally {
  const failed: string[] = [];
  const stories: string[] = [];
  let cuts = 0;
  let requests = 0;
  return {
    async move(title, to, cut) {
      const moved = await lane.move(to, cut);
      requests += moved.requests;
      if (moved.cut) cuts++;
      if (moved.problems.length > 0) {
        const problems = moved.problems.slice(0, 8).map((text) => `    ${text}`);
        failed.push([title, ...problems].join("\n"));
        if (stories.length < maxStories) stories.push([title, ...problems, ...moved.story()].join("\n"));
      }
      return moved.cut;
    },
    cuts: () => cuts,
    requests: () => requests,
    failed,
    stories,
  };
}

/**
 * While it is away, there and back; then cut at the first message, there and back, at the second… until neither way has that
 * many; then once more there, but taken back before the proxy returns.
 */
async function cutEverywhere({ move }: Tally, { title, from, to }: ShopChange, index: number): Promise<void> {
  const wayOf = (number: number): Way => ways[number % ways.length] ?? ways[0];
  const away = { at: "away", way: wayOf(index) } as const;
  await move(`${title}: there, changed while away (${describeWay(away)})`, to, away);
  await move(`${title}: back, changed while away (${describeWay(away)})`, from, away);
  for (let k = 1, more = true; more; k++) {
    const cut = { at: k, way: wayOf(index + k) };
    const there = await move(`${title}: there, cut at message ${k} (${describeWay(cut)})`, to, cut);
    const back = await move(`${title}: back, cut at message ${k} (${describeWay(cut)})`, from, cut);
    more = there || back;
  }
  for (let k = 1, more = true; more; k++) {
    const cut = { at: k, way: wayOf(index + k), meanwhile: from };
    more = await move(`${title}: there, cut at message ${k} (${describeWay(cut)}), taken back while away`, to, cut);
  }
  await move(`${title}: there`, to);
}

const describeWay = ({ way }: Pick<CutPlan, "way">): string => `${way.message}, server ${way.server}`;

describe.concurrent.each([
  ["sidecar", "delta", 0],
  ["gateway", "delta", 4],
  ["sidecar", "sotw", 5],
  ["gateway", "sotw", 0],
] as const)("%s, %s", (kind, variant, start) => {
  const timeout = 60_000 + changes * 30_000;
  test(`${changes} changes of seed ${seed}, cut at every message`, { timeout }, async (context) => {
    const { path } = await envoyBinary(context);
    const lane = await startCutLane({ cleanup: context.onTestFinished, envoy: path, kind, variant });
    const tally = tallyOf(lane);
    await tally.move("the first world", firstShop);
    for (const [index, change] of shopChanges(Math.ceil(changes / 2), { seed, start }).entries()) {
      await cutEverywhere(tally, change, index);
    }
    const { failed, stories } = tally;
    if (isLong) {
      console.info(
        `${kind}, ${variant}: ${changes} changes, ${tally.cuts()} cuts, ${tally.requests()} requests, ${failed.length} runs failed;`,
        `not sent again: ${JSON.stringify(lane.resumed())}`,
      );
    }
    expect(failed, ["", ...failed, "", ...stories].join("\n\n")).toEqual([]);
    expect(tally.cuts()).toBeGreaterThan(changes);
  });
});

/* A machine between vanishes: the server talks to nobody until its patience ends, and only then does the proxy come back. */
describe.concurrent.each(["delta", "sotw"] as const)("%s", (variant) => {
  test("what was sent to nobody in an outage does not count as taken", { timeout: 60_000 }, async (context) => {
    const { path } = await envoyBinary(context);
    const ackTimeoutMs = 300;
    const lane = await startCutLane({
      ...{ cleanup: context.onTestFinished, envoy: path, kind: "sidecar", variant, ackTimeoutMs },
    });
    const tally = tallyOf(lane);
    await tally.move("the first world", firstShop);
    // To one subset and away from the others: the second kind.
    const [change] = shopChanges(1, { seed, start: 1 });
    if (change === undefined) throw new Error("no change");
    const outage = { at: "away", way: { message: "lost", server: "late" }, awayMs: 6 * ackTimeoutMs } as const;
    for (let round = 1; round <= 3; round++) {
      await tally.move(`${change.title}: there, in an outage`, change.to, outage);
      await tally.move(`${change.title}: back, in an outage`, change.from, outage);
    }
    expect(tally.failed, ["", ...tally.failed, "", ...tally.stories].join("\n\n")).toEqual([]);
  });
});
