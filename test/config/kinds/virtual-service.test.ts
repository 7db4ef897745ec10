import { describe, expect, test } from "vitest";
import { decodeSpec } from "../support.ts";

const decode = (spec: unknown) => decodeSpec("VirtualService", spec);

const toReviews = { destination: { host: "reviews" } };
const spec = { hosts: ["reviews"], http: [{ route: [toReviews] }] };
const withMatch = (match: unknown) => decode({ ...spec, http: [{ match: [match], route: [toReviews] }] });
const withRoute = (...route: unknown[]) => decode({ ...spec, http: [{ route }] });
const withHosts = (hosts: readonly unknown[], more: object = {}) => decode({ ...spec, hosts, ...more });

describe("a valid spec", () => {
  test("with everything that is carried out", () => {
    expect(
      decode({
        hosts: ["reviews", "*.example.com", "10.0.0.1", "fd00::1"],
        gateways: ["mesh", "edge", "shop/edge", "./edge", "edge.shop.svc.cluster.local"],
        http: [
          {
            name: "canary",
            match: [
              {
                name: "people",
                uri: { prefix: "/api" },
                method: { exact: "GET" },
                headers: {
                  "X-User": { regex: "a.*" },
                  any: {},
                  star: { regex: "*" },
                  "no-prefix": { prefix: "" },
                  empty: { exact: "" },
                  ":authority": { exact: "a" },
                },
              },
              {},
            ],
            route: [
              { destination: { host: "reviews", subset: "v1", port: { number: 9080 } }, weight: 90 },
              { destination: { host: "reviews.shop.svc.cluster.local" }, weight: 10 },
              { destination: { host: "reviews" } },
            ],
          },
          { match: null, route: [toReviews] },
        ],
      }),
    ).toEqual({
      hosts: ["reviews", "*.example.com", "10.0.0.1", "fd00::1"],
      gateways: ["mesh", "edge", "shop/edge", "./edge", "edge.shop.svc.cluster.local"],
      http: [
        {
          name: "canary",
          match: [
            {
              name: "people",
              uri: { kind: "prefix", value: "/api" },
              method: { kind: "exact", value: "GET" },
              headers: {
                "x-user": { kind: "regex", value: "a.*" },
                any: { kind: "present" },
                star: { kind: "present" },
                "no-prefix": { kind: "present" },
                empty: { kind: "exact", value: "" },
                ":authority": { kind: "exact", value: "a" },
              },
            },
            { headers: {} },
          ],
          route: [
            { host: "reviews", subset: "v1", port: 9080, weight: 90 },
            { host: "reviews.shop.svc.cluster.local", weight: 10 },
            { host: "reviews", weight: 0 },
          ],
        },
        { match: [], route: [{ host: "reviews", weight: 0 }] },
      ],
    });
  });

  test.each([undefined, null, []])("gateways %j mean the whole mesh", (gateways) => {
    expect(decode({ ...spec, gateways })).toMatchObject({ gateways: ["mesh"] });
  });

  test("everything may be routed on gateways", () => {
    expect(withHosts(["*"], { gateways: ["edge"] })).toMatchObject({ hosts: ["*"] });
  });

  test("a single destination needs no weight, and may have weight 0", () => {
    expect(withRoute({ ...toReviews, weight: 0 })).toMatchObject({ http: [{ route: [{ weight: 0 }] }] });
  });
});

describe("hosts", () => {
  test.each([
    ["none", [], ["invalid-value /spec/hosts Expected at least 1 item, found 0."]],
    [
      "not a host",
      ["a b"],
      ['invalid-value /spec/hosts/0 Expected a host name or a wildcard such as *.example.com, found "a b".'],
    ],
    [
      "nearly an address",
      ["10.0.0.256"],
      ['invalid-value /spec/hosts/0 Expected a host name or a wildcard such as *.example.com, found "10.0.0.256".'],
    ],
    [
      "nearly an address, with a dot behind it",
      ["10.0.0.1."],
      ['invalid-value /spec/hosts/0 Expected a host name or a wildcard such as *.example.com, found "10.0.0.1.".'],
    ],
    [
      "a letter that is none of ASCII's, though its small form is",
      ["\u212a8s"],
      ['invalid-value /spec/hosts/0 Expected a host name or a wildcard such as *.example.com, found "\u212a8s".'],
    ],
    [
      "a wildcard of nothing",
      ["*."],
      ['invalid-value /spec/hosts/0 Expected a host name or a wildcard such as *.example.com, found "*.".'],
    ],
    [
      "a wildcard in the middle",
      ["a.*.b"],
      ['invalid-value /spec/hosts/0 Expected a host name or a wildcard such as *.example.com, found "a.*.b".'],
    ],
    [
      "a wildcard in a label",
      ["*-a.b"],
      [
        'unsupported-value /spec/hosts/0 "*-a.b" is not carried out: its wildcard is part of a label. Use a wildcard for a whole label, such as *.example.com.',
      ],
    ],
    [
      "everything in the mesh",
      ["a", "*"],
      ['conflict /spec/hosts/1 "*" and "a" mean the same host. Keep one of them.'],
    ],
    [
      "only everything in the mesh",
      ["*"],
      [
        'invalid-value /spec/hosts/0 The host "*" cannot be routed for the whole mesh. Name the hosts, or bind the rule to gateways only.',
      ],
    ],
    ["one twice", ["a", "b", "A"], ['conflict /spec/hosts/2 "A" and "a" mean the same host. Keep one of them.']],
    [
      "one within a wildcard",
      ["a.example.com", "*.com"],
      ['conflict /spec/hosts/1 "*.com" and "a.example.com" mean the same host. Keep one of them.'],
    ],
    [
      "an address twice",
      ["10.0.0.1", "10.0.0.1"],
      ['conflict /spec/hosts/1 "10.0.0.1" and "10.0.0.1" mean the same host. Keep one of them.'],
    ],
  ])("%s", (_name, hosts, expected) => {
    expect(withHosts(hosts)).toEqual(expected);
  });
});

describe("matches", () => {
  const match = "/spec/http/0/match/0";
  test.each([
    [
      "a lookahead",
      { uri: { regex: "a(?!b)" } },
      [
        `invalid-regex ${match}/uri/regex "a(?!b)" is no regular expression of RE2: invalid or unsupported Perl syntax: \`(?!\`. RE2 has no lookahead and no lookbehind. Write what must match, or use an earlier route for the exception.`,
      ],
    ],
    [
      "a lookbehind",
      { uri: { regex: "(?<=a)b" } },
      [
        `invalid-regex ${match}/uri/regex "(?<=a)b" is no regular expression of RE2: invalid named capture: \`(?<=a)b\`. RE2 has no lookahead and no lookbehind. Write what must match, or use an earlier route for the exception.`,
      ],
    ],
    [
      "a back reference",
      { headers: { a: { regex: "(a)\\1" } } },
      [
        `invalid-regex ${match}/headers/a/regex "(a)\\\\1" is no regular expression of RE2: invalid escape sequence: \`\\1\`. RE2 has no references to what a group matched.`,
      ],
    ],
    [
      "possessive repetition",
      { method: { regex: "a++" } },
      [
        `invalid-regex ${match}/method/regex "a++" is no regular expression of RE2: invalid nested repetition operator: \`++\`. RE2 has no atomic groups and no possessive repetition; it needs none to be fast.`,
      ],
    ],
    [
      "an open bracket",
      { uri: { regex: "[a" } },
      [
        `invalid-regex ${match}/uri/regex "[a" is no regular expression of RE2: missing closing ]: \`[a\`. See https://github.com/google/re2/wiki/Syntax.`,
      ],
    ],
    [
      "a long regular expression",
      { uri: { regex: "a".repeat(1025) } },
      [`invalid-value ${match}/uri/regex Expected a text of 1 to 1024 characters, found one of 1025.`],
    ],
    [
      "an empty regular expression",
      { headers: { a: { regex: "" } } },
      [`invalid-value ${match}/headers/a/regex Expected a text of 1 to 1024 characters, found an empty one.`],
    ],
    [
      "the star is for headers only",
      { uri: { regex: "*" } },
      [
        `invalid-regex ${match}/uri/regex "*" is no regular expression of RE2: missing argument to repetition operator: \`*\`. See https://github.com/google/re2/wiki/Syntax.`,
      ],
    ],
    [
      "no comparison",
      { uri: {} },
      [`invalid-value ${match}/uri Expected exactly one of exact, prefix and regex, found none.`],
    ],
    [
      "two comparisons",
      { headers: { a: { exact: "a", prefix: "b" } } },
      [`invalid-value ${match}/headers/a Expected exactly one of exact, prefix and regex, found exact and prefix.`],
    ],
    [
      "an empty prefix of a path",
      { uri: { prefix: "" } },
      [`invalid-value ${match}/uri/prefix Expected a text of 1 to 1024 characters, found an empty one.`],
    ],
    ["a text for a comparison", { uri: "/a" }, [`invalid-type ${match}/uri Expected an object, found "/a".`]],
    [
      "null for a header",
      { headers: { a: null } },
      [`invalid-type ${match}/headers/a Expected an object, found null.`],
    ],
    [
      "no header's name",
      { headers: { "a b": {} } },
      [`invalid-value ${match}/headers/a b "a b" is no name of a header.`],
    ],
    [
      "an unknown pseudo header",
      { headers: { ":status": {} } },
      [`invalid-value ${match}/headers/:status ":status" is no name of a header.`],
    ],
    [
      "a header twice",
      { headers: { A: {}, a: {} } },
      [`conflict ${match}/headers/a "a" and "A" are the same name. Keep one of them.`],
    ],
    [
      "a claim",
      { headers: { "@request.auth.claims.group": {} } },
      [
        `unsupported-value ${match}/headers/@request.auth.claims.group Matching claims of a token is not carried out yet. Remove it.`,
      ],
    ],
    [
      "a misspelt field",
      { headrs: {} },
      [`unknown-field ${match}/headrs There is no field "headrs". Did you mean headers?`],
    ],
  ])("%s", (_name, value, expected) => {
    expect(withMatch(value)).toEqual(expected);
  });

  test("a descriptive field is dropped with a warning", () => {
    expect(withMatch({ statPrefix: "x" })).toEqual([
      `warning: dropped-field ${match}/statPrefix The field statPrefix is descriptive only and was dropped.`,
      expect.objectContaining({ http: [{ match: [{ headers: {} }], route: [{ host: "reviews", weight: 0 }] }] }),
    ]);
  });
});

describe("destinations", () => {
  const route = "/spec/http/0/route";
  test.each([
    ["none", [], [`invalid-value ${route} Expected at least 1 item, found 0.`]],
    [
      "a weight of -1",
      [{ ...toReviews, weight: -1 }],
      [`invalid-value ${route}/0/weight Expected a whole number from 0 to 2147483647, found -1. Use 0 or more.`],
    ],
    [
      "half a weight",
      [{ ...toReviews, weight: 0.5 }],
      [`invalid-value ${route}/0/weight Expected a whole number from 0 to 2147483647, found 0.5. Use a whole number.`],
    ],
    [
      "weights that are all 0",
      [{ ...toReviews, weight: 0 }, toReviews],
      [
        `invalid-value ${route} The weights of the destinations are all 0. Give at least one destination a weight above 0.`,
      ],
    ],
    [
      "weights beyond Envoy's bound",
      [1, 2, 3].map(() => ({ ...toReviews, weight: 2 ** 31 - 1 })),
      [
        `invalid-value ${route} The weights add up to 6442450941; 4294967295 is the most. Use smaller weights in the same proportion.`,
      ],
    ],
    ["no host", [{ destination: {} }], [`missing-field ${route}/0/destination/host The field host is missing.`]],
    [
      "a wildcard",
      [{ destination: { host: "*.a" } }],
      [`invalid-value ${route}/0/destination/host Expected a host name, found "*.a".`],
    ],
    [
      "an address",
      [{ destination: { host: "10.0.0.1" } }],
      [`invalid-value ${route}/0/destination/host Expected a host name, found "10.0.0.1".`],
    ],
    [
      "a subset's name",
      [{ destination: { host: "a", subset: "V1" } }],
      [
        `invalid-value ${route}/0/destination/subset Expected a name of at most 63 lower-case letters, digits and \`-\`, found "V1".`,
      ],
    ],
    [
      "a port out of range",
      [{ destination: { host: "a", port: { number: 0 } } }],
      [
        `invalid-value ${route}/0/destination/port/number Expected a whole number from 1 to 65535, found 0. Use 1 or more.`,
      ],
    ],
    [
      "headers",
      [{ ...toReviews, headers: {} }],
      [`unsupported-field ${route}/0/headers The field headers is not carried out yet. Remove it.`],
    ],
  ])("%s", (_name, destinations, expected) => {
    expect(withRoute(...destinations)).toEqual(expected);
  });
});

describe("gateways", () => {
  test.each([
    [
      "an empty name",
      "",
      ["invalid-value /spec/gateways/0 Expected a text of 1 to 320 characters, found an empty one."],
    ],
    [
      "a namespace",
      "Shop/edge",
      [
        'invalid-value /spec/gateways/0 Expected a name of at most 63 lower-case letters, digits and `-`, found "Shop".',
      ],
    ],
    [
      "a name",
      "shop/Edge",
      [
        'invalid-value /spec/gateways/0 Expected a name of at most 253 lower-case letters, digits, `-` and `.`, found "Edge".',
      ],
    ],
    [
      "no namespace",
      "/edge",
      ["invalid-value /spec/gateways/0 Expected a text of 1 to 1024 characters, found an empty one."],
    ],
  ])("%s", (_name, name, expected) => {
    expect(decode({ ...spec, gateways: [name] })).toEqual(expected);
  });
});

describe("every field of Istio's that is not carried out is refused by name", () => {
  test.each(["tls", "tcp", "exportTo"])("%s", (name) => {
    expect(decode({ ...spec, [name]: [] })).toEqual([
      `unsupported-field /spec/${name} The field ${name} is not carried out yet. Remove it.`,
    ]);
  });

  test.each([
    ..."redirect directResponse delegate rewrite timeout retries fault mirror mirrors mirrorPercent mirrorPercentage".split(
      " ",
    ),
    ..."corsPolicy headers".split(" "),
  ])("http.%s", (name) => {
    expect(decode({ ...spec, http: [{ route: [toReviews], [name]: {} }] })).toEqual([
      `unsupported-field /spec/http/0/${name} The field ${name} is not carried out yet. Remove it.`,
    ]);
  });

  test.each(
    "scheme authority port sourceLabels sourceNamespace gateways queryParams ignoreUriCase withoutHeaders".split(" "),
  )("http.match.%s", (name) => {
    expect(withMatch({ [name]: {} })).toEqual([
      `unsupported-field /spec/http/0/match/0/${name} The field ${name} is not carried out yet. Remove it.`,
    ]);
  });
});

test("all problems are told at once", () => {
  expect(
    decode({ hots: ["a"], http: [{ route: [{ ...toReviews, weight: -1 }] }, { match: [{ uri: {} }], route: [] }] }),
  ).toEqual([
    "missing-field /spec/hosts The field hosts is missing.",
    "invalid-value /spec/http/0/route/0/weight Expected a whole number from 0 to 2147483647, found -1. Use 0 or more.",
    "invalid-value /spec/http/1/match/0/uri Expected exactly one of exact, prefix and regex, found none.",
    "invalid-value /spec/http/1/route Expected at least 1 item, found 0.",
    'unknown-field /spec/hots There is no field "hots". Did you mean hosts?',
  ]);
});
