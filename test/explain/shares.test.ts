import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import type { Request } from "../../src/explain/request.ts";
import { routeTable } from "../../src/explain/route-table.ts";
import { semanticsOf } from "../../src/explain/semantics.ts";
import { envoyBinary, envoyLines } from "../support/envoy.ts";
import { fuzzCount } from "../support/fuzz.ts";
import { answerOf, naming, read } from "./answers.ts";
import { type Asked, askedEnvoy } from "./asked-envoy.ts";
import { takenListeners } from "./taken-listeners.ts";

/* The shares that we tell, beside how often a real Envoy chooses what. */

const weights = (...numbers: readonly number[]): JsonObject => ({
  weighted_clusters: { clusters: ["one", "two", "three"].map((name, i) => ({ name, weight: numbers[i] ?? 0 })) },
});

const some = (numerator: number, denominator = "HUNDRED"): JsonObject => ({
  runtime_fraction: { default_value: { numerator, denominator } },
});

const split: readonly JsonObject[] = [
  { name: "weighted", match: { path: "/weighted" }, route: weights(1, 3, 6) },
  { name: "uneven", match: { path: "/uneven" }, route: weights(0, 999, 1) },
  { name: "third", match: { path: "/part", ...some(30) } },
  { name: "both", match: { path: "/part", ...some(5000, "TEN_THOUSAND") }, route: weights(2, 2, 1) },
  { name: "rest", match: { path: "/part" } },
  {
    name: "missing",
    match: { path: "/missing" },
    route: {
      weighted_clusters: {
        clusters: [
          { name: "one", weight: 1 },
          { cluster_header: "x-none", weight: 3 },
        ],
      },
    },
  },
];

const asked = (routes: readonly JsonObject[]): Asked => ({
  manager: {},
  table: {
    name: "table",
    validate_clusters: false,
    virtual_hosts: [{ name: "h", domains: ["*"], routes: routes.map(naming) }],
  },
});

const get = (path: string): Request => ({ method: "GET", scheme: "http", authority: "a.com", path, headers: [] });

/** How much each of the answers is told to get: by the route, and the cluster where it leads to one. */
function toldShares({ table }: ReturnType<typeof read>, request: Request, line: string): ReadonlyMap<string, number> {
  const matcher = routeTable(table, semanticsOf(`${line}.0`));
  const decision = matcher.decide(request);
  let left = 1;
  const shares = decision.outcomes.flatMap((outcome): (readonly [string, number])[] => {
    if (outcome.kind !== "route") return [["404", left]];
    const taken = left * outcome.share;
    left -= taken;
    let rest = 1;
    const parts = matcher.actionsOf(decision, outcome.route).map((action): readonly [string, number] => {
      if (action.kind !== "forward") return [outcome.route.name, taken];
      rest -= action.share;
      return [`${outcome.route.name} ${action.cluster}`, taken * action.share];
    });
    const isForward = outcome.route.action.case === "route";
    return isForward && rest > 1e-9 ? [...parts, [`${outcome.route.name} 503`, taken * rest]] : parts;
  });
  return new Map(shares);
}

/** Each comparison fails by chance at most so often: a whole run, of some dozens, less than once in a million. */
const chance = 1e-8;

/** Whether so many of all may be seen where `share` is right: by Chernoff's bound. */
function isLikely(seen: number, all: number, share: number): boolean {
  const part = seen / all;
  const term = (p: number, q: number): number => (p === 0 ? 0 : p * Math.log(p / q));
  return all * (term(part, share) + term(1 - part, 1 - share)) < Math.log(2 / chance);
}

const atOnce = 100;

describe.each(envoyLines)("Envoy %s", (line) => {
  test("chooses as often as we tell", { timeout: 600_000 }, async (context) => {
    const binary = await envoyBinary(context, line);
    const listener = asked(split);
    const envoy = await askedEnvoy(binary, [listener], context.onTestFinished);
    const listened = read(listener, envoy.portOf(0));
    const all = fuzzCount(1_000) * atOnce;
    for (const path of ["/weighted", "/uneven", "/part", "/missing"]) {
      const seen = new Map<string, number>();
      for (let asked = 0; asked < all; asked += atOnce) {
        const answers = await Promise.all(Array.from({ length: atOnce }, () => envoy.ask(0, get(path))));
        for (const answer of answers.map(answerOf)) {
          const short = answer.split(" ").slice(0, 2).join(" ");
          seen.set(short, (seen.get(short) ?? 0) + 1);
        }
      }
      const shares = toldShares(listened, get(path), line);
      expect([...seen.keys()].filter((answer) => !shares.has(answer))).toEqual([]);
      for (const [answer, share] of shares) {
        const often = seen.get(answer) ?? 0;
        expect(isLikely(often, all, share), `${answer}: ${often} of ${all}, told ${share}`).toBe(true);
      }
    }
  });

  test("refuses weights that are all 0", async (context) => {
    const binary = await envoyBinary(context, line);
    const listeners = [weights(0, 0, 0), weights(0, 1, 0)].map((route) =>
      asked([{ name: "r", match: { prefix: "/" }, route }]),
    );
    expect(await takenListeners(binary, listeners, context.onTestFinished)).toEqual([false, true]);
  });
});

test("the bound is one that a wrong share breaks", () => {
  expect(isLikely(200, 2_000, 0.1)).toBe(true);
  expect(isLikely(240, 2_000, 0.1)).toBe(true);
  expect(isLikely(300, 2_000, 0.1)).toBe(false);
  expect(isLikely(0, 2_000, 0.1)).toBe(false);
  expect(isLikely(1, 2_000, 0)).toBe(false);
});
