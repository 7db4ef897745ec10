import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import type { Policies } from "../../src/explain/policies.ts";
import {
  type Around,
  ask,
  askAround,
  configurationOf,
  filter,
  forwardedIn,
  httpManager,
  listenerOf,
  per,
  resultsOf,
  settings,
  tableOf,
} from "./configuration.ts";

const policiesOf = (around: Around, request: JsonObject = {}): Policies =>
  forwardedIn(askAround(around, request)).policies;

describe("timeouts", () => {
  test.each<[string, JsonObject, Partial<Policies>]>([
    ["15 s where nothing is said", {}, { timeoutMs: 15_000 }],
    ["as it is said", { timeout: "2.5s" }, { timeoutMs: 2_500 }],
    ["fractions of a millisecond", { timeout: "0.0005s" }, { timeoutMs: 0.5 }],
    ["none for 0", { timeout: "0s" }, {}],
    ["of silence", { timeout: "0s", idle_timeout: "60s" }, { idleTimeoutMs: 60_000 }],
    ["of gRPC", { timeout: "0s", max_stream_duration: { grpc_timeout_header_max: "0s" } }, { grpcTimeoutMaxMs: 0 }],
    ["of gRPC, in the older field", { timeout: "0s", max_grpc_timeout: "3s" }, { grpcTimeoutMaxMs: 3_000 }],
  ])("%s", (_, action, expected) => {
    expect(policiesOf({ action })).toEqual({ mirrors: [], hashOn: [], ...expected });
  });
});

describe("retries", () => {
  const usual = { on: ["5xx"], retries: 1, backOff: { baseMs: 25, maxMs: 250 }, hostPredicates: [] };

  test("one more, with pauses of 25 ms up to ten times that, where it is not said", () => {
    expect(policiesOf({ action: { retry_policy: { retry_on: "5xx" } } }).retry).toEqual(usual);
  });

  test("as it is said", () => {
    const retry_policy: JsonObject = {
      ...{ retry_on: "connect-failure, retriable-status-codes", num_retries: 0, per_try_timeout: "1s" },
      ...{ retriable_status_codes: [503], retry_back_off: { base_interval: "0.1s" } },
      retry_host_predicate: [
        filter("previous", "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"),
      ],
    };
    expect(policiesOf({ action: { retry_policy } }).retry).toEqual({
      ...{ on: ["connect-failure", "retriable-status-codes"], statusCodes: [503], retries: 0, perTryTimeoutMs: 1_000 },
      ...{ backOff: { baseMs: 100, maxMs: 1_000 }, hostPredicates: ["previous"] },
    });
  });

  test("of the virtual host, where the route says nothing; one that is empty says something", () => {
    const host: JsonObject = { retry_policy: { retry_on: "5xx" } };
    expect(policiesOf({ host }).retry).toEqual(usual);
    expect(policiesOf({ host, action: { retry_policy: { retry_on: "reset", num_retries: 2 } } }).retry).toEqual({
      ...usual,
      ...{ on: ["reset"], retries: 2 },
    });
    expect(policiesOf({ host, action: { retry_policy: {} } }).retry).toBeUndefined();
  });
});

describe("mirrors", () => {
  const to = (cluster: string, numerator?: number): JsonObject => ({
    request_mirror_policies: [
      { cluster, ...(numerator !== undefined && { runtime_fraction: { default_value: { numerator } } }) },
    ],
  });

  test("the nearest level that has some", () => {
    const [table, host, action] = [to("table"), to("host"), to("route", 5)];
    expect(policiesOf({ table }).mirrors).toEqual([{ cluster: "table", share: 1 }]);
    expect(policiesOf({ table, host }).mirrors).toEqual([{ cluster: "host", share: 1 }]);
    expect(policiesOf({ table, host, action }).mirrors).toEqual([{ cluster: "route", share: 0.05 }]);
  });

  test("a cluster that a header names", () => {
    const action: JsonObject = { request_mirror_policies: [{ cluster_header: "x-shadow" }] };
    expect(policiesOf({ action }).mirrors).toEqual([{ cluster: "%x-shadow%", share: 1 }]);
  });
});

test("what is hashed, in its order", () => {
  const hash_policy: JsonObject[] = [
    { header: { header_name: "x-user" }, terminal: true },
    { cookie: { name: "seat" } },
    { cookie: { name: "made", ttl: "0s" } },
    { connection_properties: { source_ip: true } },
    { query_parameter: { name: "q" } },
    { filter_state: { key: "k" } },
  ];
  expect(policiesOf({ action: { hash_policy } }).hashOn).toEqual([
    "the header x-user, and nothing after it",
    "the cookie seat",
    "the cookie made, which is made where it is missing",
    "the client's address",
    "the query parameter q",
    "filterState",
  ]);
});

/* Filters, whose settings stand on several levels. */

describe("faults", () => {
  const type = "envoy.extensions.filters.http.fault.v3.HTTPFault";
  const aborting = (http_status: number, more: JsonObject = {}): JsonObject => ({
    abort: { http_status, percentage: { numerator: 50 } },
    ...more,
  });
  const fault = (message: JsonObject): JsonObject => per("fault", settings(type, message));
  const off = per("fault", settings("envoy.config.route.v3.FilterConfig", { disabled: true }));
  const filters = [filter("fault", type)];
  const statusOf = (around: Around, request: JsonObject = {}): number | undefined =>
    policiesOf({ filters, ...around }, request).fault?.abort?.status;

  test("none without the filter, and none that nobody asks for", () => {
    expect(policiesOf({ route: fault(aborting(501)) }).fault).toBeUndefined();
    expect(policiesOf({ filters }).fault).toBeUndefined();
  });

  test("the nearest level counts: of one of several clusters, route, virtual host, table, and the filter itself", () => {
    const own = [filter("fault", type, aborting(505))];
    const table = fault(aborting(504));
    const host = fault(aborting(503));
    const route = fault(aborting(502));
    const weighted_clusters = { clusters: [{ name: "a", weight: 1, ...fault(aborting(501)) }] };
    expect(statusOf({ filters: own })).toBe(505);
    expect(statusOf({ filters: own, table })).toBe(504);
    expect(statusOf({ table, host })).toBe(503);
    expect(statusOf({ table, host, route })).toBe(502);
    const several: JsonObject = { match: { prefix: "/" }, ...route, route: { weighted_clusters } };
    expect(statusOf({ table, host, route: several })).toBe(501);
  });

  test("by the filter's name, whatever its type is called", () => {
    expect(statusOf({ filters: [filter("mine", type)], route: per("mine", settings(type, aborting(501))) })).toBe(501);
    expect(statusOf({ filters: [filter("mine", type)], route: fault(aborting(501)) })).toBeUndefined();
  });

  test("turned off on a level, and on again on a nearer one", () => {
    const table = fault(aborting(504));
    expect(statusOf({ table, route: off })).toBeUndefined();
    expect(statusOf({ table: off, route: fault(aborting(502)) })).toBe(502);
    expect(statusOf({ table, host: off })).toBeUndefined();
  });

  test("a filter that is off is on where it has settings", () => {
    const disabled = [filter("fault", type, aborting(505), { disabled: true })];
    expect(statusOf({ filters: disabled })).toBeUndefined();
    expect(statusOf({ filters: disabled, route: fault(aborting(502)) })).toBe(502);
  });

  test("for some requests only", () => {
    const headers: JsonObject[] = [{ name: "x-test", string_match: { exact: "1" } }];
    const route = fault(aborting(501, { headers }));
    expect(statusOf({ route })).toBeUndefined();
    expect(statusOf({ route }, { headers: { "x-test": "1" } })).toBe(501);
    expect(statusOf({ route: fault(aborting(501, { upstream_cluster: "b" })) })).toBeUndefined();
    expect(statusOf({ route: fault(aborting(501, { upstream_cluster: "a" })) })).toBe(501);
  });

  test.each<[string, JsonObject, Policies["fault"]]>([
    [
      "late",
      { delay: { fixed_delay: "0.25s", percentage: { numerator: 1, denominator: "MILLION" } } },
      { delay: { ms: 250, share: 1e-6 } },
    ],
    ["gRPC", { abort: { grpc_status: 14, percentage: { numerator: 100 } } }, { abort: { grpcStatus: 14, share: 1 } }],
    ["no percentage is none", { abort: { http_status: 500 }, delay: { fixed_delay: "1s" } }, undefined],
    ["none of the requests", { abort: { http_status: 500, percentage: { numerator: 0 } } }, undefined],
    ["what headers ask for is not known", { abort: { header_abort: {}, percentage: { numerator: 100 } } }, undefined],
  ])("%s", (_, message, expected) => {
    expect(policiesOf({ filters, route: fault(message) }).fault).toEqual(expected);
  });
});

describe("CORS", () => {
  const type = "envoy.extensions.filters.http.cors.v3.CorsPolicy";
  const filters = [filter("cors", "envoy.extensions.filters.http.cors.v3.Cors")];
  const cors = (message: JsonObject): JsonObject => per("cors", settings(type, message));
  const corsOf = (around: Around): Policies["cors"] => policiesOf({ filters, ...around }).cors;
  const empty = { allowOrigins: [], allowMethods: "", allowHeaders: "", exposeHeaders: "", maxAge: "" };

  test("none without the filter, without settings, or where it is off", () => {
    const route = cors({ allow_methods: "GET" });
    expect(policiesOf({ route }).cors).toBeUndefined();
    expect(corsOf({})).toBeUndefined();
    expect(corsOf({ route: cors({ filter_enabled: { default_value: { numerator: 0 } } }) })).toBeUndefined();
    const off = per("cors", settings("envoy.config.route.v3.FilterConfig", { disabled: true }));
    expect(corsOf({ table: cors({ allow_methods: "GET" }), route: off })).toBeUndefined();
  });

  test("each field from the nearest level that has it", () => {
    const table = cors({ allow_methods: "GET", allow_headers: "x-a", max_age: "600", allow_credentials: true });
    const host = cors({ allow_methods: "PUT", expose_headers: "x-b" });
    const route = cors({ allow_origin_string_match: [{ exact: "https://a" }, { safe_regex: { regex: ".*b" } }] });
    expect(corsOf({ table, host, route })).toEqual({
      allowOrigins: ['is "https://a"', 'matches ".*b"'],
      ...{ allowMethods: "PUT", allowHeaders: "x-a", exposeHeaders: "x-b", maxAge: "600", allowCredentials: true },
    });
    expect(corsOf({ table, route: cors({ allow_credentials: false }) })?.allowCredentials).toBe(false);
  });

  test("the older fields, where no level has settings for the filter", () => {
    const host: JsonObject = { cors: { allow_methods: "GET", max_age: "1" } };
    const action: JsonObject = { cors: { allow_methods: "PUT" } };
    expect(corsOf({ host, action })).toEqual({ ...empty, allowMethods: "PUT", maxAge: "1", allowCredentials: false });
    expect(corsOf({ host, table: cors({ allow_headers: "x-a" }) })).toMatchObject({
      allowMethods: "",
      allowHeaders: "x-a",
    });
    const half: JsonObject = { cors: { filter_enabled: { default_value: { numerator: 0 } } } };
    expect(corsOf({ host: half })).toBeUndefined();
  });
});

describe("what the proxy answers itself", () => {
  const answering = (body: JsonObject): unknown => {
    const route: JsonObject = { match: { prefix: "/" }, direct_response: { status: 200, ...body } };
    const manager = httpManager(tableOf([route]));
    return resultsOf(ask(configurationOf({ listeners: [listenerOf(manager)] }), { url: "http://a/" }))[0];
  };
  const said = { kind: "answer", status: 200, reason: "the route says so" };

  test.each<[string, JsonObject, object]>([
    ["nothing", {}, said],
    ["a text", { body: { inline_string: "tea\n" } }, { ...said, body: "tea\n" }],
    ["an empty text", { body: { inline_string: "" } }, { ...said, body: "" }],
    ["bytes", { body: { inline_bytes: Buffer.from("grün").toString("base64") } }, { ...said, body: "grün" }],
    ["a file, which only the proxy has", { body: { filename: "/etc/body" } }, said],
  ])("%s", (_, body, expected) => {
    expect(answering(body)).toEqual(expected);
  });

  test.each([
    [{}, 503],
    [{ cluster_not_found_response_code: "NOT_FOUND" }, 404],
    [{ cluster_not_found_response_code: "INTERNAL_SERVER_ERROR" }, 500],
  ])("of a cluster that is not there: %j", (code, status) => {
    expect(resultsOf(askAround({ action: { cluster: "gone", ...code } }))).toEqual([
      { kind: "answer", status, reason: 'the proxy has no cluster "gone"' },
    ]);
  });
});
