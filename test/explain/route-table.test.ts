import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { readRouteConfiguration } from "../../src/envoy/route-messages.ts";
import type { Request } from "../../src/explain/request.ts";
import { type RouteTable, routeTable } from "../../src/explain/route-table.ts";
import { semanticsOf } from "../../src/explain/semantics.ts";
import { matchByTemplate } from "./random-table.ts";

/* What is told beside the decision; the decisions themselves are held to a real Envoy. */

const tableWith = (routes: readonly JsonObject[], host: JsonObject = {}): RouteTable =>
  routeTable(
    readRouteConfiguration({ virtual_hosts: [{ name: "h", domains: ["a.com"], routes: [...routes], ...host }] }),
    semanticsOf("1.40.0"),
  );

const get = (path: string, headers: Request["headers"] = [], more: Partial<Request> = {}): Request => ({
  ...{ method: "GET", scheme: "http", authority: "a.com", path, headers },
  ...more,
});

/** The routes before the one that was found, each with what was in its way. */
const inTheWay = (table: RouteTable, request: Request): readonly string[] => {
  const decision = table.decide(request);
  return table.nearMisses(decision).map(({ route, failed }) => {
    const reasons = failed.map(({ text, found }) => `${text}; ${found(decision.facts)}`);
    return `${route.name}: ${reasons.join("; and ") || "it takes no share"}`;
  });
};

describe("near misses", () => {
  const table = tableWith([
    { name: "path", match: { path: "/cart" } },
    { name: "below", match: { path_separated_prefix: "/api", case_sensitive: false } },
    { name: "regex", match: { safe_regex: { regex: "/v[0-9]+" } } },
    { name: "template", match: matchByTemplate("/items/{id}") },
    { name: "user", match: { prefix: "/", headers: [{ name: "X-User", string_match: { exact: "bob" } }] } },
    {
      name: "number",
      match: { prefix: "/", headers: [{ name: "x-age", range_match: { start: "1", end: "9" }, invert_match: true }] },
    },
    { name: "query", match: { prefix: "/", query_parameters: [{ name: "q", string_match: { prefix: "a" } }] } },
    { name: "none", match: { prefix: "/", query_parameters: [{ name: "q", present_match: false }] } },
    { name: "grpc", match: { prefix: "/", grpc: {} } },
    { name: "certificate", match: { prefix: "/", tls_context: { presented: true } } },
    {
      name: "metadata",
      match: {
        prefix: "/",
        dynamic_metadata: [{ filter: "jwt", path: [{ key: "role" }], value: { string_match: { exact: "admin" } } }],
      },
    },
    { name: "nobody", match: { prefix: "/", runtime_fraction: { default_value: { numerator: 0 } } } },
    { name: "two", match: { prefix: "/x", headers: [{ name: "x-b" }] } },
    { name: "last", match: { prefix: "/" } },
    { name: "after", match: { prefix: "/" } },
  ]);

  test("say what each route before the one that was found asks for, and what it got", () => {
    const request = get(
      "/home?q=b",
      [
        ["x-user", "eve"],
        ["x-age", "5"],
      ],
      { metadata: { jwt: { role: "guest" } } },
    );
    expect(inTheWay(table, request)).toEqual([
      'path: the path is "/cart"; it is "/home"',
      'below: the path is "/api", or begins with "/api/", in any case; it is "/home"',
      'regex: the path matches "/v[0-9]+"; it is "/home"',
      'template: the path fits "/items/{id}"; it is "/home"',
      'user: the header x-user is "bob"; it is "eve"',
      'number: the header x-age is there, and not one that is a whole number from 1 up to 9, without it; it is "5"',
      'query: the query parameter q begins with "a"; it is "b"',
      'none: the query parameter q is not there; it is "b"',
      "grpc: the request is one of gRPC; it has no content-type",
      "certificate: the client's certificate is presented; it is not",
      'metadata: the metadata jwt.role is "admin"; it is "guest"',
      "nobody: it takes no share",
      'two: the path begins with "/x"; it is "/home"; and the header x-b is there; it is not there',
    ]);
  });

  test("are none where a virtual host is not found, or wants TLS", () => {
    expect(inTheWay(table, get("/", [], { authority: "b.com" }))).toEqual([]);
    expect(inTheWay(tableWith([{ name: "r", match: { path: "/a" } }], { require_tls: "ALL" }), get("/"))).toEqual([]);
  });

  test("are all routes where none is found", () => {
    expect(inTheWay(tableWith([{ name: "r", match: { path: "/a" } }]), get("/b"))).toEqual([
      'r: the path is "/a"; it is "/b"',
    ]);
  });
});

describe("outcomes", () => {
  const outcomes = (table: RouteTable, request: Request) =>
    table.decide(request).outcomes.map((one) => (one.kind === "route" ? [one.route.name, one.share] : one.kind));

  test("are several where routes take a part of the requests", () => {
    const part = (name: string, numerator: number, denominator: string) => ({
      name,
      match: { prefix: "/", runtime_fraction: { default_value: { numerator, denominator } } },
    });
    const parts = [part("some", 25, "HUNDRED"), part("none", 0, "HUNDRED"), part("few", 1, "MILLION")];
    const all = { name: "all", match: { prefix: "/" } };
    expect(outcomes(tableWith([...parts, all]), get("/"))).toEqual([
      ["some", 0.25],
      ["few", 0.000001],
      ["all", 1],
    ]);
    expect(outcomes(tableWith(parts), get("/"))).toEqual([["some", 0.25], ["few", 0.000001], "no-route"]);
    expect(outcomes(tableWith([part("whole", 200, "HUNDRED"), all]), get("/"))).toEqual([["whole", 1]]);
  });

  test("a redirect to TLS for who comes without, and inside callers are spared where only outside ones are meant", () => {
    const [everybody, external] = ["ALL", "EXTERNAL_ONLY"].map((who) =>
      tableWith([{ name: "r", match: { prefix: "/" } }], { require_tls: who }),
    );
    if (everybody === undefined || external === undefined) throw new Error("there are two");
    const inside = get("/", [["x-envoy-internal", "true"]]);
    expect(outcomes(everybody, inside)).toEqual(["tls-redirect"]);
    expect(outcomes(external, inside)).toEqual([["r", 1]]);
    expect(outcomes(external, get("/"))).toEqual(["tls-redirect"]);
    expect(outcomes(everybody, get("/", [], { scheme: "https" }))).toEqual([["r", 1]]);
  });

  test("a CONNECT without a path is for routes that ask for CONNECT", () => {
    const table = tableWith([
      { name: "any", match: { prefix: "" } },
      { name: "tunnel", match: { connect_matcher: {} } },
    ]);
    const { path: _, ...tunnel } = get("/", [], { method: "CONNECT" });
    expect(outcomes(table, tunnel)).toEqual([["tunnel", 1]]);
  });
});

describe("metadata", () => {
  const value = (matcher: JsonObject): RouteTable =>
    tableWith([
      { name: "r", match: { prefix: "/", dynamic_metadata: [{ filter: "f", path: [{ key: "k" }], value: matcher }] } },
    ]);
  const found = (matcher: JsonObject, k: unknown): boolean =>
    value(matcher).decide(get("/", [], { metadata: { f: { k } } })).outcomes[0]?.kind === "route";

  test.each<[JsonObject, unknown, unknown]>([
    [{ null_match: {} }, null, "null"],
    [{ bool_match: true }, true, "true"],
    [{ present_match: true }, "", undefined],
    [{ double_match: { exact: 1.5 } }, 1.5, "1.5"],
    [{ double_match: { range: { start: 1, end: 2 } } }, 1, 2],
    [{ string_match: { suffix: "b" } }, "ab", 1],
    [{ list_match: { one_of: { string_match: { exact: "b" } } } }, ["a", "b"], "b"],
    [{ or_match: { value_matchers: [{ bool_match: true }, { string_match: { exact: "b" } }] } }, "b", false],
  ])("%j: %j does, %j does not", (matcher, good, bad) => {
    expect([found(matcher, good), found(matcher, bad)]).toEqual([true, false]);
  });
});

test("where the endpoint that is chosen gives its name, it is said", () => {
  const table = tableWith([{ name: "r", match: { prefix: "/" }, route: { cluster: "c", auto_host_rewrite: true } }]);
  const decision = table.decide(get("/"));
  const [outcome] = decision.outcomes;
  const [action] = outcome?.kind === "route" ? table.actionsOf(decision, outcome.route) : [];
  expect(action).toMatchObject({ cluster: "c", authority: "a.com", isNamedByEndpoint: true });
});

test("a matcher that cannot be carried out is named, with its place", () => {
  const table = tableWith([
    { name: "r", match: { prefix: "/", headers: [{ name: "x-a", string_match: { custom: { name: "mine" } } }] } },
  ]);
  expect(() => table.decide(get("/"))).toThrow(
    "a string matcher of its own kind is not understood, at /match/headers/0/stringMatch/custom",
  );
});
