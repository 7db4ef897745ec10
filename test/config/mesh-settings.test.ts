import { describe, expect, test } from "vitest";
import { readMeshSettings } from "../../src/config/mesh-settings.ts";
import { defaultMeshSettings } from "../../src/model/mesh-settings.ts";
import { line } from "./support.ts";

const read = (text: string) => {
  const result = readMeshSettings("mesh.yaml", text);
  return result.ok && result.findings.length === 0 ? result.settings : result.findings.map(line);
};

test("all settings", () => {
  const text = [
    "rootNamespace: mesh-system",
    "domain: example.internal",
    "outboundTrafficPolicy: {mode: REGISTRY_ONLY}",
    "discoverySelectors:",
    "  - {matchLabels: {mesh: on}, matchExpressions: [{key: team, operator: In, values: [a, b]}]}",
    "  - {matchExpressions: [{key: legacy, operator: DoesNotExist}]}",
    "connectTimeout: 1.5s",
    "dnsRefreshRate: 1m30s",
    "protocolDetectionTimeout: 5s",
    "proxyListenPort: 16001",
    "proxyInboundListenPort: 16006",
    "proxyHttpPort: 16080",
  ].join("\n");
  expect(read(text)).toEqual({
    rootNamespace: "mesh-system",
    domain: "example.internal",
    discoverySelectors: [
      [
        { kind: "in", label: "mesh", values: new Set(["on"]) },
        { kind: "in", label: "team", values: new Set(["a", "b"]) },
      ],
      [{ kind: "absent", label: "legacy" }],
    ],
    outboundTrafficPolicy: "REGISTRY_ONLY",
    connectTimeoutMs: 1500,
    dnsRefreshRateMs: 90_000,
    protocolDetectionTimeoutMs: 5_000,
    proxyListenPort: 16_001,
    proxyInboundListenPort: 16_006,
    proxyHttpPort: 16_080,
  });
});

test.each(["", "# nothing\n---\n", "{}", "rootNamespace:\n"])("what %j does not say is as in Istio", (text) => {
  expect(read(text)).toEqual(defaultMeshSettings);
});

test.each(["protocolDetectionTimeout: 0s", "protocolDetectionTimeout: 1h", "proxyHttpPort: 0"])(
  "%s is fine",
  (text) => {
    expect(read(text)).toHaveProperty("proxyListenPort", 15_001);
  },
);

describe("problems", () => {
  test.each([
    [
      "discoverySelectors: [{matchExpressions: [{key: team, operator: In}]}]",
      "mesh.yaml:1:42 error rule/conflict /discoverySelectors/0/matchExpressions/0/values In goes with values. Give at least one value.",
    ],
    [
      "discoverySelectors: [{matchExpressions: [{key: team, operator: Exists, values: [a]}]}]",
      "mesh.yaml:1:80 error rule/conflict /discoverySelectors/0/matchExpressions/0/values Exists goes without values. Leave out the values.",
    ],
    [
      "protocolDetectionTimeout: 61m",
      "mesh.yaml:1:27 error rule/invalid-value /protocolDetectionTimeout Expected a duration from 0ms to 3600s, found 3660000ms.",
    ],
    [
      "proxyListenPort: 0",
      "mesh.yaml:1:18 error rule/invalid-value /proxyListenPort Expected a whole number from 1 to 65535, found 0. Use 1 or more.",
    ],
    [
      "proxyListenPort: 15006",
      "mesh.yaml:1:1 error rule/conflict /proxyInboundListenPort proxyListenPort has the port 15006 already. Give each its own.",
    ],
    [
      "proxyHttpPort: 15001",
      "mesh.yaml:1:16 error rule/conflict /proxyHttpPort proxyListenPort has the port 15001 already. Give each its own.",
    ],
    [
      "connectTimeout: 0s",
      "mesh.yaml:1:17 error rule/invalid-value /connectTimeout Expected a duration from 1ms to 3600s, found 0ms.",
    ],
    [
      "connectTimeout: 2h",
      "mesh.yaml:1:17 error rule/invalid-value /connectTimeout Expected a duration from 1ms to 3600s, found 7200000ms.",
    ],
    [
      "connectTimeout: 0.1ms",
      'mesh.yaml:1:17 error rule/invalid-value /connectTimeout Expected a duration such as 10s or 1m30s, found "0.1ms".',
    ],
    [
      "connectTimeout: 10",
      "mesh.yaml:1:17 error rule/invalid-type /connectTimeout Expected a text, found 10. Put it in quotes.",
    ],
    [
      "dnsRefreshRate: '10'",
      'mesh.yaml:1:17 error rule/invalid-value /dnsRefreshRate Expected a duration such as 10s or 1m30s, found "10".',
    ],
    [
      "rootNamspace: a",
      'mesh.yaml:1:1 error rule/unknown-field /rootNamspace There is no field "rootNamspace". Did you mean rootNamespace?',
    ],
    [
      "trustDomain: a",
      "mesh.yaml:1:1 error rule/unsupported-field /trustDomain The field trustDomain is not carried out yet. Remove it.",
    ],
    [
      "outboundTrafficPolicy: {}",
      "mesh.yaml:1:24 error rule/missing-field /outboundTrafficPolicy/mode The field mode is missing.",
    ],
    ["a: [", "mesh.yaml:1:4 error text/invalid-yaml  The YAML is broken: a [ is not closed. Close the list with ]"],
    [
      "{}\n---\na: 1",
      "mesh.yaml:3:1 error rule/duplicate-document  The mesh settings are one document, and this is a second one. Put all settings into the first.",
    ],
    ["[]", "mesh.yaml:1:1 error rule/invalid-type  Expected an object, found a list."],
  ])("%j", (text, expected) => {
    expect(read(text)).toEqual([expected]);
  });
});
