import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import type { Change } from "../../src/explain/explanation.ts";
import { type Around, askAround, forwardedIn, resultsOf } from "./configuration.ts";

/* Who did what to a request, in which order; what becomes of it is held to real Envoys. */

const adding = (name: string, value: string): JsonObject => ({
  request_headers_to_add: [{ header: { key: name, value } }],
});

const explained = (around: Around, request: JsonObject = {}) =>
  askAround(around, { url: "http://a/old?q", ...request });

const told = ({ what, before = "nothing", after = "nothing", by }: Change): string =>
  `${by}: ${what} ${before} → ${after}`;

const rewritten: Around = {
  action: { prefix_rewrite: "/new", host_rewrite_literal: "b", timeout: "2s" },
  route: { match: { prefix: "/old" }, ...adding("x-level", "route"), request_headers_to_remove: ["x-out"] },
  host: adding("x-level", "host"),
  table: adding("x-level", "table"),
};

describe("changes", () => {
  const changesOf = (around: Around): readonly string[] =>
    forwardedIn(explained(around, { headers: { "x-out": "1" } })).changes.map(told);

  test("are told in the order in which they are made, with who makes them", () => {
    expect(changesOf(rewritten)).toEqual([
      "proxy: x-envoy-expected-rq-timeout-ms nothing → 2000",
      "route: x-level nothing → route",
      "route: x-out 1 → nothing",
      "virtual-host: x-level route → route,host",
      "route-table: x-level route,host → route,host,table",
      "route: path /old?q → /new?q",
      "route: authority a → b",
      "proxy: x-envoy-original-host nothing → a",
      "proxy: x-envoy-original-path nothing → /old?q",
    ]);
  });

  test("of the levels come the other way round where the nearest is to win", () => {
    const table = { ...adding("x-level", "table"), most_specific_header_mutations_wins: true };
    expect(changesOf({ ...rewritten, table }).filter((change) => change.includes("x-level"))).toEqual([
      "route-table: x-level nothing → table",
      "virtual-host: x-level table → table,host",
      "route: x-level table,host → table,host,route",
    ]);
  });

  test("of one cluster among several are that cluster's", () => {
    const clusters = [
      { name: "a", weight: 1, ...adding("x-to", "a") },
      { name: "b", weight: 3, host_rewrite_literal: "c" },
    ];
    const results = resultsOf(explained({ route: { route: { timeout: "0s", weighted_clusters: { clusters } } } }));
    const changes = results.map((result) => (result.kind === "forward" ? result.changes.map(told) : []));
    expect(changes).toEqual([["cluster: x-to nothing → a"], ["cluster: authority a → c"]]);
  });

  test("of the connection manager stand apart", () => {
    const { admitted } = explained({}, { url: "http://a/x/../old", headers: { connection: "keep-alive" } });
    expect(admitted.map(told)).toEqual([
      "connection-manager: connection keep-alive → nothing",
      "connection-manager: x-forwarded-proto nothing → http",
    ]);
  });
});

test("the name of the instance takes the place of the authority where a route says so", () => {
  const namedBy = (action: JsonObject): boolean => forwardedIn(explained({ action })).takesNameOfInstance;
  expect([namedBy({ auto_host_rewrite: true }), namedBy({ auto_host_rewrite: false }), namedBy({})]).toEqual([
    ...[true, false, false],
  ]);
});
