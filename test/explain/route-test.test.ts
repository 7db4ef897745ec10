import { describe, expect, test } from "vitest";
import { decode } from "../../src/base/decode.ts";
import type { Expectation } from "../../src/explain/expectation.ts";
import type { Explanation, Outcome, Result } from "../../src/explain/explanation.ts";
import { mismatchesOf } from "../../src/explain/mismatches.ts";
import type { PlacedOrigin } from "../../src/explain/places.ts";
import { routeSuite } from "../../src/explain/route-test.ts";

const node = { id: "sidecar~10.0.0.9~web-1.shop~shop.svc.cluster.local", metadata: { NAMESPACE: "shop" } };
const url = "http://reviews:9080/";

const problemsOf = (suite: unknown): readonly (readonly [pointer: string, message: string])[] =>
  decode(routeSuite, suite).problems.map(({ pointer, message }) => [pointer, message]);

describe("a document with tests", () => {
  test("is read", () => {
    const suite = {
      proxy: node,
      tests: [
        {
          name: "a",
          request: { url, headers: { "X-User": "bob" } },
          expect: { service: "reviews", subset: null, headers: { "X-User": null } },
        },
      ],
    };
    const read = decode(routeSuite, suite);
    expect(read).toMatchObject({
      ok: true,
      value: {
        proxy: { kind: "node", node: { name: "web-1", namespace: "shop" } },
        tests: [
          {
            name: "a",
            request: { written: suite.tests[0]?.request, question: { request: { authority: "reviews:9080" } } },
            expect: { service: "reviews", subset: "", headers: { "x-user": null } },
          },
        ],
      },
    });
    expect(decode(routeSuite, { ...suite, proxy: "web.yaml" })).toMatchObject({
      value: { proxy: { kind: "named", name: "web.yaml" } },
    });
    const { proxy: _, ...without } = suite;
    expect(decode(routeSuite, without)).toMatchObject({ ok: true });
  });

  const expecting = (wanted: unknown) => ({ tests: [{ name: "a", request: { url }, expect: wanted }] });

  test.each([
    ["no tests", { tests: [] }, "/tests", "Expected at least 1 item, found 0."],
    ["a proxy without a name", { ...expecting({ port: 1 }), proxy: { id: "x" } }, "/proxy", "node.id"],
    ["another field", { ...expecting({ port: 1 }), proxi: "x" }, "/proxi", 'There is no field "proxi".'],
    [
      "a request that cannot be",
      { tests: [{ name: "a", request: { url: "x" }, expect: { port: 1 } }] },
      "/tests/0/request/url",
      "Expected a URL",
    ],
    ["nothing expected", expecting({}), "/tests/0/expect", "Nothing is expected here."],
    ["nothing expected of an answer", expecting({ response: {} }), "/tests/0/expect/response", "Nothing is expected"],
    ["no rule", expecting({ rule: "reviews" }), "/tests/0/expect/rule", "Expected a rule such as"],
    [
      "the host as a header",
      expecting({ headers: { Host: "a" } }),
      "/tests/0/expect/headers/Host",
      "The host is no header here.",
    ],
    [
      "what a proxy adds",
      expecting({ headers: { "x-request-id": null } }),
      "/tests/0/expect/headers",
      "That x-request-id is not there cannot be told.",
    ],
    [
      "a share of nobody",
      expecting({ shares: [{ percent: 100 }] }),
      "/tests/0/expect/shares/0",
      "It is not said whose share this is.",
    ],
    [
      "shares that leave some out",
      expecting({ shares: [{ subset: "v1", percent: 90 }] }),
      "/tests/0/expect/shares",
      "The shares come to 90 %.",
    ],
    [
      "a share above all",
      expecting({ shares: [{ subset: "v1", percent: 101 }] }),
      "/tests/0/expect/shares/0/percent",
      "Expected a number from 0 to 100, found 101.",
    ],
    [
      "two tests of one name",
      { tests: [...expecting({ port: 1 }).tests, ...expecting({ port: 2 }).tests] },
      "/tests/1/name",
      'Another test has the name "a" too.',
    ],
  ])("%s is a problem with its place", (_what, suite, pointer, message) => {
    expect(problemsOf(suite)).toEqual([[pointer, expect.stringContaining(message)]]);
  });

  test("shares may be rounded", () => {
    const third = { subset: "a", percent: 33.33 };
    expect(problemsOf(expecting({ shares: [third, { ...third, subset: "b" }, { ...third, subset: "c" }] }))).toEqual(
      [],
    );
  });
});

/* What is found */

const rule = (pointer: string): PlacedOrigin => ({
  ...{ kind: "rule", rule: "VirtualService/shop/reviews", pointer },
  ...{ file: "rules.yaml", line: 7, column: 1 },
});
const destination = (subset: string): PlacedOrigin => rule(`/spec/http/0/route/${subset}`);
const http = rule("/spec/http/0");

const route: Outcome["route"] = { name: "canary", index: 0, asks: [], origins: [http] };

const to = (subset: string, share = 1): Outcome => ({
  ...{ share, route },
  result: {
    ...{ kind: "forward", cluster: `outbound|9080|${subset}|reviews.shop.svc.cluster.local` },
    service: {
      ...{ host: "reviews.shop.svc.cluster.local", port: 9080, direction: "outbound" },
      ...(subset !== "" && { subset }),
    },
    leadsTo: { kind: "endpoints", endpoints: [] },
    request: { method: "GET", scheme: "http", authority: "reviews", path: "/v1?q" },
    takesNameOfInstance: false,
    headers: [
      ["x-user", "bob"],
      ["x-many", "a"],
      ["x-many", "b"],
    ],
    ...{ changes: [], policies: { mirrors: [], hashOn: [] }, origins: [destination(subset)] },
  },
});
const ending = (result: Result, share = 1): Outcome => ({ share, route, result });
const redirected = ending({ kind: "redirect", status: 302, location: "https://a/" });
const refused: Outcome = { share: 1, result: { kind: "answer", status: 404, reason: "no route takes it" } };
const passedOn: Outcome = {
  share: 1,
  result: {
    ...{ kind: "tunnel", cluster: "outbound|3306||db.shop.svc.cluster.local", leadsTo: { kind: "missing" } },
    ...{
      service: { host: "db.shop.svc.cluster.local", port: 3306, direction: "outbound" },
      origins: [rule("/spec/tcp")],
    },
  },
};

const explained = (outcomes: readonly Outcome[]): Explanation => ({
  otherChains: [],
  admitted: [],
  outcomes,
  nearMisses: [],
});

const mismatches = (wanted: Expectation, ...outcomes: readonly Outcome[]) => mismatchesOf(wanted, explained(outcomes));

const both = [to("v1", 0.9), to("v2", 0.1)];

describe("what is as expected", () => {
  test.each<[Expectation, readonly Outcome[]]>([
    [{ rule: "VirtualService/shop/reviews", route: "canary", service: "reviews", port: 9080 }, both],
    [{ service: "reviews.shop" }, both],
    [{ service: "reviews.shop.svc.cluster.local", path: "/v1?q", authority: "reviews" }, both],
    [{ headers: { "x-user": "bob", "x-many": "a,b", "x-none": null } }, both],
    [{ subset: "v1", cluster: "outbound|9080|v1|reviews.shop.svc.cluster.local" }, [to("v1")]],
    [{ subset: "" }, [to("")]],
    [{ status: 302, location: "https://a/", route: "canary" }, [redirected]],
    [{ status: 404 }, [refused]],
    [{ rule: "VirtualService/shop/reviews", service: "db", port: 3306, subset: "" }, [passedOn]],
    [
      {
        shares: [
          { subset: "v2", percent: 10 },
          { service: "reviews", percent: 90 },
        ],
      },
      both,
    ],
    [
      {
        shares: [
          { subset: "v1", percent: 33.33 },
          { subset: "v2", percent: 66.67 },
        ],
      },
      [to("v1", 1 / 3), to("v2", 2 / 3)],
    ],
    [
      {
        shares: [
          { subset: "v1", percent: 100 },
          { status: 503, percent: 0 },
        ],
      },
      [to("v1", 0.4), to("v1", 0.6)],
    ],
    [{ response: { status: 200 } }, both],
  ])("%j", (wanted, outcomes) => {
    expect(mismatches(wanted, ...outcomes)).toEqual([]);
  });
});

describe("what is not", () => {
  const one = (pointer: string, message: string, ...origins: readonly PlacedOrigin[]) => [
    { pointer, message, origins },
  ];

  test.each<[Expectation, readonly Outcome[], ReturnType<typeof one>]>([
    [{ subset: "v2" }, both, one("/subset", "expected subset v2, but 90 % go to subset v1", destination("v1"))],
    [{ subset: "v2" }, [to("v1")], one("/subset", "expected subset v2, but it goes to subset v1", destination("v1"))],
    [{ subset: "" }, [to("v1")], one("/subset", "expected no subset, but it goes to subset v1", destination("v1"))],
    [
      { service: "reviews.sho" },
      both,
      one(
        "/service",
        "expected service reviews.sho, but it goes to service reviews.shop.svc.cluster.local",
        destination("v1"),
        destination("v2"),
      ),
    ],
    [
      { service: "reviews" },
      [redirected],
      one("/service", "expected service reviews, but it is redirected to https://a/ with 302", http),
    ],
    [{ port: 80 }, [passedOn], one("/port", "expected port 80, but it goes to port 3306", rule("/spec/tcp"))],
    [
      { rule: "VirtualService/shop/other" },
      both,
      one("/rule", "expected the rule VirtualService/shop/other, but it goes by VirtualService/shop/reviews", http),
    ],
    [
      { rule: "VirtualService/shop/other" },
      [refused],
      one(
        "/rule",
        "expected the rule VirtualService/shop/other, but it is answered with 404 by the proxy itself, as no route takes it",
      ),
    ],
    [
      { rule: "VirtualService/shop/reviews" },
      [{ ...to(""), route: { name: "default", index: 0, asks: [], origins: [] } }],
      one("/rule", "expected the rule VirtualService/shop/reviews, but it goes by no rule"),
    ],
    [{ route: "a" }, both, one("/route", "expected the route a, but it goes by the route canary", http)],
    [
      { cluster: "x" },
      [to("v1")],
      one(
        "/cluster",
        "expected cluster x, but it goes to cluster outbound|9080|v1|reviews.shop.svc.cluster.local",
        destination("v1"),
      ),
    ],
    [
      { status: 404 },
      [to("v1")],
      one("/status", "expected status 404, but it goes to reviews.shop.svc.cluster.local:9080, subset v1", http),
    ],
    [
      { status: 301 },
      [redirected],
      one("/status", "expected status 301, but it is redirected to https://a/ with 302", http),
    ],
    [
      { location: "/" },
      [redirected],
      one("/location", "expected a redirect to /, but it is redirected to https://a/", http),
    ],
    [{ path: "/" }, both, one("/path", 'expected path "/", but it is sent on with path "/v1?q"', http)],
    [
      { authority: "a" },
      both,
      one("/authority", "expected authority a, but it is sent on with authority reviews", http),
    ],
    [
      { headers: { "x-user": null } },
      both,
      one("/headers/x-user", "expected a request without the header x-user, but it is sent on with x-user: bob", http),
    ],
    [
      { headers: { "x-a": "" } },
      both,
      one("/headers/x-a", 'expected a request with x-a: "", but it is sent on without the header x-a', http),
    ],
    [
      { path: "/", subset: "v1" },
      [ending({ kind: "close", reason: "nobody listens" })],
      [
        ...one("/subset", "expected subset v1, but it is closed, as nobody listens", http),
        ...one("/path", 'expected path "/", but it is closed, as nobody listens', http),
      ],
    ],
    [
      { status: 200 },
      [ending({ kind: "unknown", filter: "x.Wasm" })],
      one("/status", "expected status 200, but it is decided by the filter x.Wasm, which is not known here", http),
    ],
  ])("%j", (wanted, outcomes, found) => {
    expect(mismatches(wanted, ...outcomes)).toEqual(found);
  });

  test("shares: one that is off, one of nobody, and what no share names", () => {
    expect(
      mismatches(
        {
          shares: [
            { subset: "v1", percent: 80 },
            { service: "ratings", percent: 20 },
          ],
        },
        ...both,
      ),
    ).toEqual([
      ...one("/shares/0", "expected 80 % for subset v1, but it is 90 %", destination("v1")),
      ...one("/shares/1", "expected 20 % for service ratings, but it is 0 %", destination("v1"), destination("v2")),
      ...one(
        "/shares",
        "expected these shares alone, but 10 % go to reviews.shop.svc.cluster.local:9080, subset v2",
        destination("v2"),
      ),
    ]);
  });

  test("many parts that are all are one", () => {
    const parts = [to("v1", 0.7), to("v1", 0.2), to("v1", 0.1)];
    expect(mismatches({ subset: "v2" }, ...parts)).toEqual(
      one("/subset", "expected subset v2, but it goes to subset v1", destination("v1")),
    );
  });

  test("a hundredth of a percent is the same, more is not", () => {
    const shares = [
      { subset: "v1", percent: 90 },
      { subset: "v2", percent: 10 },
    ];
    expect(mismatches({ shares }, to("v1", 0.9001), to("v2", 0.0999))).toEqual([]);
    expect(mismatches({ shares }, to("v1", 0.9002), to("v2", 0.0998))).toHaveLength(2);
  });
});
