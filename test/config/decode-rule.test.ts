import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseDocuments } from "../../src/base/yaml-document.ts";
import { decodeRule } from "../../src/config/decode-rule.ts";
import { findings, rulesOf, virtualService } from "./support.ts";

const yaml = (...lines: readonly string[]) => lines.join("\n");

describe("a valid document", () => {
  test("becomes a rule", () => {
    const rules = rulesOf(
      yaml(
        "# a canary",
        "apiVersion: networking.istio.io/v1beta1",
        "kind: DestinationRule",
        "metadata:",
        "  name: reviews",
        "  namespace: shop",
        "  labels: {team: a}",
        "  annotations: {kubectl.kubernetes.io/last-applied-configuration: |\n    {}\n    }",
        '  creationTimestamp: "2026-01-02T03:04:05Z"',
        "  uid: 7b9a",
        "  resourceVersion: '12'",
        "  generation: 3",
        "  managedFields: [{}]",
        "spec: {host: reviews}",
        "status: {whatever: true}",
      ).replace("|\n    {}\n    }", "x}"),
    );
    expect(findings(rules)).toEqual([]);
    expect([...rules.rules.values()]).toEqual([
      {
        key: "DestinationRule/shop/reviews",
        kind: "DestinationRule",
        namespace: "shop",
        name: "reviews",
        labels: { team: "a" },
        createdAt: Date.UTC(2026, 0, 2, 3, 4, 5),
        spec: { host: "reviews", subsets: [] },
      },
    ]);
    expect(rules.documents).toEqual([
      {
        kind: "DestinationRule",
        namespace: "shop",
        name: "reviews",
        file: "rules.yaml",
        line: 2,
        verdict: "valid",
        findings: [],
      },
    ]);
  });

  test("has a default namespace and no age", () => {
    const [rule] = rulesOf(
      '{"apiVersion": "networking.istio.io/v1", "kind": "DestinationRule", "metadata": {"name": "a", "creationTimestamp": null}, "spec": {"host": "a"}}',
    ).rules.values();
    expect(rule).toMatchObject({ key: "DestinationRule/default/a", namespace: "default", createdAt: 0, labels: {} });
  });

  test.each(["v1", "v1beta1", "v1alpha3"])("may be of version %s", (version) => {
    expect(findings(rulesOf(virtualService("a").replace("io/v1", `io/${version}`)))).toEqual([]);
  });

  test("with a descriptive field is valid, with a warning", () => {
    const rules = rulesOf(virtualService("a", { extra: "match: [{statPrefix: x}]" }));
    expect(rules.documents).toMatchObject([{ verdict: "warned" }]);
    expect(findings(rules)).toEqual([
      "rules.yaml:8:16 warning rule/dropped-field /spec/http/0/match/0/statPrefix The field statPrefix is descriptive only and was dropped.",
    ]);
    expect([...rules.rules.keys()]).toEqual(["VirtualService/default/a"]);
  });
});

describe("a broken document is told with its place", () => {
  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    [
      "a lookahead",
      virtualService("a", { extra: 'match: [{uri: {regex: "a(?!b)"}}]' }),
      [
        'rules.yaml:8:29 error rule/invalid-regex /spec/http/0/match/0/uri/regex "a(?!b)" is no regular expression of RE2: invalid or unsupported Perl syntax: `(?!`. RE2 has no lookahead and no lookbehind. Write what must match, or use an earlier route for the exception.',
      ],
    ],
    [
      "an unknown field",
      virtualService("a", { extra: "matc: []" }),
      ['rules.yaml:8:7 error rule/unknown-field /spec/http/0/matc There is no field "matc". Did you mean match?'],
    ],
    [
      "a field that is not carried out yet",
      virtualService("a", { extra: "timeout: 5s" }),
      [
        "rules.yaml:8:7 error rule/unsupported-field /spec/http/0/timeout The field timeout is not carried out yet. Remove it.",
      ],
    ],
    [
      "a weight of -1",
      virtualService("a").replace("{host: a}", "{host: a}, weight: -1"),
      [
        "rules.yaml:7:48 error rule/invalid-value /spec/http/0/route/0/weight Expected a whole number from 0 to 2147483647, found -1. Use 0 or more.",
      ],
    ],
    [
      "several problems, in the order of the text",
      yaml(
        "kind: VirtualService",
        "spec:",
        "  gatways: []",
        "  http:",
        "    - route: []",
        "  hosts: [a b]",
        "metadata: {name: A, naem: b}",
        "apiVersion: networking.istio.io/v1",
      ),
      [
        'rules.yaml:3:3 error rule/unknown-field /spec/gatways There is no field "gatways". Did you mean gateways?',
        "rules.yaml:5:14 error rule/invalid-value /spec/http/0/route Expected at least 1 item, found 0.",
        'rules.yaml:6:11 error rule/invalid-value /spec/hosts/0 Expected a host name or a wildcard such as *.example.com, found "a b".',
        'rules.yaml:7:18 error rule/invalid-value /metadata/name Expected a name of at most 253 lower-case letters, digits, `-` and `.`, found "A".',
        'rules.yaml:7:21 error rule/unknown-field /metadata/naem There is no field "naem". Did you mean name?',
      ],
    ],
    [
      "no kind",
      "a: 1\n",
      [
        "rules.yaml:1:1 error rule/missing-field /apiVersion The field apiVersion is missing.",
        "rules.yaml:1:1 error rule/missing-field /kind The field kind is missing.",
      ],
    ],
    [
      "no spec and no name",
      "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {}\nspec:\n",
      [
        "rules.yaml:3:11 error rule/missing-field /metadata/name The field name is missing.",
        "rules.yaml:4:6 error rule/missing-field /spec The field spec is missing.",
      ],
    ],
    [
      "a time that is none",
      virtualService("a").replace("name: a,", "name: a, creationTimestamp: '2026-13-01T00:00:00Z',"),
      [
        'rules.yaml:3:40 error rule/invalid-value /metadata/creationTimestamp Expected a time such as 2026-11-01T12:00:00Z, found "2026-13-01T00:00:00Z".',
      ],
    ],
    ["a list", "- a\n", ["rules.yaml:1:1 error rule/invalid-type  Expected an object, found a list."]],
    [
      "a field twice",
      virtualService("a", { extra: "route: []" }),
      [
        'rules.yaml:8:7 error text/duplicate-key /spec/http/0/route The field "route" is there twice. Keep one of the two.',
      ],
    ],
    [
      "a misspelt kind",
      "apiVersion: networking.istio.io/v1\nkind: VirtualServce\n",
      [
        'rules.yaml:2:7 error rule/unknown-kind /kind "VirtualServce" of "networking.istio.io/v1" is no kind of rule. Did you mean VirtualService?',
      ],
    ],
    [
      "a foreign kind",
      "apiVersion: apps/v1\nkind: Deployment\nspec: {a: 1}\n",
      [
        'rules.yaml:2:7 error rule/unknown-kind /kind "Deployment" of "apps/v1" is no kind of rule. These are carried out: VirtualService, DestinationRule, Gateway, ServiceEntry, Sidecar.',
      ],
    ],
    [
      "a misspelt API",
      virtualService("a").replace("istio.io/v1", "istio/v1"),
      [
        'rules.yaml:1:13 error rule/unknown-kind /apiVersion There is no VirtualService in "networking.istio/v1". Did you mean networking.istio.io/v1?',
      ],
    ],
  ];
  test.each(["2026-02-30T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01", "soon"])("%s is no time", (time) => {
    const text = virtualService("a").replace("name: a,", `name: a, creationTimestamp: '${time}',`);
    expect(findings(rulesOf(text))).toEqual([expect.stringContaining("Expected a time such as")]);
  });

  test("annotations that are too much together", () => {
    const annotations = JSON.stringify({ a: "x".repeat(200_000), b: "x".repeat(62_143) });
    const text = virtualService("a").replace("name: a,", `name: a, annotations: ${annotations},`);
    expect(findings(rulesOf(text))).toEqual([
      "rules.yaml:3:34 error rule/invalid-value /metadata/annotations The annotations have 262145 characters together; " +
        "262144 is the most. Shorten or remove the longest ones.",
    ]);
  });

  test.each(cases)("%s", (_name, text, expected) => {
    const rules = rulesOf(text);
    expect(findings(rules)).toEqual(expected);
    expect(rules.documents).toMatchObject([{ verdict: "refused" }]);
    expect(rules.rules.size).toBe(0);
  });

  test("broken YAML on line 400, between two valid documents", () => {
    const comments = "#\n".repeat(389);
    const text = `${virtualService("a")}${comments}---\nspec:\n  http: []\n  hosts [a]\n  gateways: []\n---\n${virtualService("d")}`;
    expect(text.split("\n")[399]).toBe("  hosts [a]");
    const rules = rulesOf(text);
    expect(findings(rules)).toEqual([
      "rules.yaml:400:3 error text/invalid-yaml  The YAML is broken: a field has no colon. After the name of a field come a colon and a space.",
    ]);
    expect([...rules.rules.keys()]).toEqual(["VirtualService/default/a", "VirtualService/default/d"]);
  });
});

describe("kinds that are not carried out yet", () => {
  test.each([
    ["networking.istio.io/v1alpha3", "EnvoyFilter"],
    ["networking.istio.io/v1", "WorkloadEntry"],
    ["networking.istio.io/v1", "WorkloadGroup"],
    ["networking.istio.io/v1beta1", "ProxyConfig"],
    ["security.istio.io/v1", "PeerAuthentication"],
    ["security.istio.io/v1", "AuthorizationPolicy"],
    ["security.istio.io/v1beta1", "RequestAuthentication"],
    ["telemetry.istio.io/v1", "Telemetry"],
    ["extensions.istio.io/v1alpha1", "WasmPlugin"],
    ["gateway.networking.k8s.io/v1", "Gateway"],
    ["gateway.networking.k8s.io/v1", "HTTPRoute"],
    ["networking.k8s.io/v1", "Ingress"],
  ])("%s %s", (apiVersion, kind) => {
    const group = apiVersion.split("/")[0];
    expect(findings(rulesOf(`apiVersion: ${apiVersion}\nkind: ${kind}\nspec: {any: 1}\n`))).toEqual([
      `rules.yaml:2:7 error rule/unsupported-kind /kind The kind ${kind} of ${group} is not carried out yet. These are carried out: VirtualService, DestinationRule, Gateway, ServiceEntry, Sidecar.`,
    ]);
  });

  test("names of all objects are no kinds", () => {
    expect(findings(rulesOf("apiVersion: toString/v1\nkind: constructor\n"))[0]).toContain("rule/unknown-kind /kind");
  });
});

describe("whatever is written", () => {
  const words = [
    "apiVersion",
    "kind",
    "metadata",
    "name",
    "namespace",
    "labels",
    "spec",
    "hosts",
    "gateways",
    "http",
    "match",
    "uri",
    "headers",
    "route",
    "destination",
    "host",
    "subset",
    "port",
    "number",
    "weight",
    "servers",
    "protocol",
    "ports",
    "endpoints",
    "address",
    "resolution",
    "ingress",
    "egress",
    "captureMode",
    "defaultEndpoint",
    "bind",
    "subsets",
    "trafficPolicy",
    "loadBalancer",
    "simple",
    "regex",
    "exact",
  ];
  const scalar = fc.oneof(
    fc.constantFrom<unknown>(
      "networking.istio.io/v1",
      "VirtualService",
      "reviews",
      "*",
      "HTTP",
      "NONE",
      "STATIC",
      "10.0.0.1",
      "a(?!b)",
    ),
    fc.constantFrom<unknown>(null, true, -1, 0, 80, 1.5, Number.MAX_VALUE, ""),
    fc.string(),
  );
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 7 },
      scalar,
      fc.array(tie("tree"), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...words), tie("tree"), { maxKeys: 6 }),
    ),
  }));
  const specs = fc.record({
    apiVersion: fc.constant("networking.istio.io/v1"),
    kind: fc.constantFrom("VirtualService", "DestinationRule", "Gateway", "ServiceEntry", "Sidecar"),
    metadata: fc.constant({ name: "a" }),
    spec: fc.dictionary(fc.constantFrom(...words), tree, { maxKeys: 8 }),
  });

  test("the decoder gives a rule, or findings with places inside the text", () => {
    fc.assert(
      fc.property(fc.oneof(tree, specs), fc.constantFrom(undefined, 2), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        const lines = text.split("\n");
        for (const document of parseDocuments(text)) {
          const { document: verdict, rule } = decodeRule(document, "a.yaml");
          expect(rule === undefined).toBe(verdict.verdict === "refused");
          expect(verdict.findings.some(({ severity }) => severity === "error")).toBe(rule === undefined);
          for (const { line = 0, column = 0 } of verdict.findings) {
            expect(lines[line - 1]?.length ?? -1).toBeGreaterThanOrEqual(column - 1);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  test("any text is read without an exception", () => {
    const pieces = fc.oneof(
      fc.constantFrom(...words.map((word) => `${word}: `), "\n", "  ", "- ", "{", "}", "[", "]", '"', "---\n"),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
        for (const { file, findings } of rulesOf(parts.join("")).documents) {
          expect(file).toBe("rules.yaml");
          expect(findings.length).toBeGreaterThan(0);
        }
      }),
      { numRuns: 500 },
    );
  });
});
