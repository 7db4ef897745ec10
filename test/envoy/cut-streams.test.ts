import { describe, expect, test } from "vitest";
import { type CutPlan, type Moved, startCutLane } from "../support/cut-lane.ts";
import { ways } from "../support/cutting-proxy.ts";
import { envoyBinary } from "../support/envoy.ts";
import { type ShopChange, shopChanges } from "../support/shop-changes.ts";
import type { Shop } from "../support/shop-worlds.ts";
import { firstShop } from "../support/shop-worlds.ts";

/* For every change and every message of it: the stream between Envoy and the control plane is cut there once, and comes back. */

/** Changes for each Envoy; there and back are two. */
const changes = Number(process.env["FAIRWAY_CUT_CHANGES"] ?? "10");
const seed = Number(process.env["FAIRWAY_CUT_SEED"] ?? "5");

describe.concurrent.each([
  ["sidecar", "delta"],
  ["gateway", "delta"],
  ["sidecar", "sotw"],
  ["gateway", "sotw"],
] as const)("%s, %s", (kind, variant) => {
  test(`${changes} changes from seed ${seed}, cut at each message`, {
    timeout: 60_000 + changes * 30_000,
  }, async (context) => {
    const { path } = await envoyBinary(context);
    const lane = await startCutLane({
      ...{ cleanup: context.onTestFinished, envoy: path, kind, variant },
      ...{ removalGraceMs: 300, latencyMs: 10 },
    });
    const failed: string[] = [];
    let cuts = 0;
    let requests = 0;
    const go = async (title: string, to: Shop, cut?: CutPlan): Promise<Moved> => {
      const moved = await lane.move(to, cut);
      requests += moved.requests;
      if (moved.cut) cuts++;
      if (moved.problems.length > 0) {
        failed.push([title, ...moved.problems.slice(0, 8), ...moved.story()].join("\n    "));
      }
      return moved;
    };
    await go("the first world", firstShop);
    const begun = performance.now();
    for (const change of shopChanges(Math.ceil(changes / 2), seed)) await cutEverywhere(go, change);
    console.log(
      `${kind} ${variant}: ${cuts} cuts, ${requests} requests, ${failed.length} failed, ${((performance.now() - begun) / 1000).toFixed(1)} s`,
    );
    expect(failed.join("\n\n")).toBe("");
    expect(cuts).toBeGreaterThan(changes);
  });
});

/** There and back, cut at the first message, there and back, cut at the second… until neither way has that many. */
async function cutEverywhere(
  go: (title: string, to: Shop, cut?: CutPlan) => Promise<Moved>,
  { title, from, to }: ShopChange,
): Promise<void> {
  for (const way of ways.slice(0, 1)) {
    await go(`${title}, there, while away`, to, { at: "away", way });
    await go(`${title}, back, while away`, from, { at: "away", way });
  }
  for (let k = 1, more = true; more; k++) {
    const way = ways[k % ways.length] ?? ways[0];
    if (way === undefined) return;
    const label = `cut at ${k} (${way.message}, ${way.server})`;
    const there = await go(`${title}, there, ${label}`, to, { at: k, way });
    const back = await go(`${title}, back, ${label}`, from, { at: k, way });
    more = there.cut || back.cut;
  }
  await go(`${title}, there, not cut`, to);
}
