import { describe, expect, test } from "vitest";
import { decodeSpec } from "../support.ts";

const decode = (spec: unknown) => decodeSpec("DestinationRule", spec);

test("everything that is carried out", () => {
  expect(
    decode({
      host: "*.example.com",
      trafficPolicy: { loadBalancer: { simple: "ROUND_ROBIN" } },
      subsets: [
        { name: "v1", labels: { version: "v1", "example.com/track": "" } },
        { name: "all", trafficPolicy: { loadBalancer: {} } },
      ],
    }),
  ).toEqual({
    host: "*.example.com",
    trafficPolicy: { loadBalancer: { simple: "ROUND_ROBIN" } },
    subsets: [
      { name: "v1", labels: { version: "v1", "example.com/track": "" } },
      { name: "all", labels: {}, trafficPolicy: { loadBalancer: { simple: "LEAST_REQUEST" } } },
    ],
  });
  expect(decode({ host: "a" })).toEqual({ host: "a", subsets: [] });
});

test.each([
  ["LEAST_REQUEST", "LEAST_REQUEST"],
  ["LEAST_CONN", "LEAST_REQUEST"],
  ["UNSPECIFIED", "LEAST_REQUEST"],
  ["RANDOM", "RANDOM"],
  ["ROUND_ROBIN", "ROUND_ROBIN"],
  ["PASSTHROUGH", "PASSTHROUGH"],
])("the load balancer %s is %s", (written, meant) => {
  expect(decode({ host: "a", trafficPolicy: { loadBalancer: { simple: written } } })).toEqual({
    host: "a",
    trafficPolicy: { loadBalancer: { simple: meant } },
    subsets: [],
  });
});

describe("refused", () => {
  test.each([
    ["no host", {}, ["missing-field /spec/host The field host is missing."]],
    [
      "an address",
      { host: "10.0.0.1" },
      ['invalid-value /spec/host Expected a host name or a wildcard such as *.example.com, found "10.0.0.1".'],
    ],
    [
      "an unknown load balancer",
      { host: "a", trafficPolicy: { loadBalancer: { simple: "ROUND_ROBBIN" } } },
      [
        'invalid-value /spec/trafficPolicy/loadBalancer/simple Expected LEAST_REQUEST, RANDOM, ROUND_ROBIN, PASSTHROUGH, LEAST_CONN or UNSPECIFIED, found "ROUND_ROBBIN". Did you mean ROUND_ROBIN?',
      ],
    ],
    [
      "an empty policy",
      { host: "a", trafficPolicy: {} },
      ["invalid-value /spec/trafficPolicy The traffic policy says nothing. Fill it in, or remove it."],
    ],
    [
      "a subset twice",
      { host: "a", subsets: [{ name: "v1" }, { name: "v2" }, { name: "v1" }] },
      ['conflict /spec/subsets/2/name The subset "v1" is there twice; item 0 has it too. Give each its own.'],
    ],
    [
      "a subset without a name",
      { host: "a", subsets: [{ labels: {} }] },
      ["missing-field /spec/subsets/0/name The field name is missing."],
    ],
    [
      "a label's name",
      { host: "a", subsets: [{ name: "v1", labels: { "-a": "b" } }] },
      [
        'invalid-value /spec/subsets/0/labels/-a Expected a label\'s name, found "-a". It has at most 63 letters, digits, `-`, `_` and `.`; a domain and a slash may stand before it.',
      ],
    ],
    [
      "a label's value",
      { host: "a", subsets: [{ name: "v1", labels: { a: "b c" } }] },
      [
        'invalid-value /spec/subsets/0/labels/a Expected a label\'s value, found "b c". It has at most 63 letters, digits, `-`, `_` and `.`, and starts and ends with a letter or a digit.',
      ],
    ],
    [
      "a number for a label",
      { host: "a", subsets: [{ name: "v1", labels: { version: 1 } }] },
      ["invalid-type /spec/subsets/0/labels/version Expected a text, found 1. Put it in quotes."],
    ],
  ])("%s", (_name, spec, expected) => {
    expect(decode(spec)).toEqual(expected);
  });

  test.each(["exportTo", "workloadSelector"])("%s, by name", (name) => {
    expect(decode({ host: "a", [name]: {} })).toEqual([
      `unsupported-field /spec/${name} The field ${name} is not carried out yet. Remove it.`,
    ]);
  });

  test.each("connectionPool outlierDetection tls portLevelSettings tunnel proxyProtocol retryBudget".split(" "))(
    "trafficPolicy.%s, by name",
    (name) => {
      expect(decode({ host: "a", subsets: [{ name: "v1", trafficPolicy: { [name]: {} } }] })).toEqual([
        `unsupported-field /spec/subsets/0/trafficPolicy/${name} The field ${name} is not carried out yet. Remove it.`,
      ]);
    },
  );

  test.each("consistentHash localityLbSetting zoneAwareLbSetting warmup warmupDurationSecs".split(" "))(
    "loadBalancer.%s, by name",
    (name) => {
      expect(decode({ host: "a", trafficPolicy: { loadBalancer: { [name]: {} } } })).toEqual([
        `unsupported-field /spec/trafficPolicy/loadBalancer/${name} The field ${name} is not carried out yet. Remove it.`,
      ]);
    },
  );
});
