import { globSync, readFileSync } from "node:fs";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseDocuments } from "../../src/base/yaml-document.ts";
import { decodeRule } from "../../src/config/decode-rule.ts";
import type { RuleKind } from "../../src/config/rule.ts";
import { pluralOf, ruleKinds } from "../../src/config/rule-kinds.ts";
import { ruleSchema } from "../../src/config/schemas.ts";

const kinds = Object.keys(ruleKinds) as readonly RuleKind[];

const validators = Object.fromEntries(kinds.map((kind) => [kind, validatorOf(kind)])) as Record<
  RuleKind,
  ValidateFunction
>;

function validatorOf(kind: RuleKind): ValidateFunction {
  const ajv = new Ajv2020({ strict: true, allErrors: true });
  addFormats.default(ajv);
  return ajv.compile(ruleSchema(kind));
}

const isAccepted = (document: unknown): boolean => {
  const [text] = parseDocuments(JSON.stringify(document));
  return text !== undefined && decodeRule(text, "rule.json").rule !== undefined;
};

interface Document {
  readonly kind: RuleKind;
  readonly [field: string]: unknown;
}

const goldens: readonly Document[] = globSync("test/golden/*/rules.yaml")
  .sort()
  .flatMap((file) => parseDocuments(readFileSync(file, "utf8")))
  .map(({ value }) => value as Document);

test.each(kinds)("%s: its schema is its own", (kind) => {
  const { $id, title } = ruleSchema(kind);
  expect([$id, title]).toEqual([`/schemas/${pluralOf(kind)}.json`, kind]);
});

test.each(kinds)("%s: every rule of the golden files is valid", (kind) => {
  const documents = goldens.filter((document) => document.kind === kind);
  expect(documents.length).toBeGreaterThan(0);
  for (const document of documents) {
    const validate = validators[kind];
    expect(validate(document), JSON.stringify([document, validate.errors])).toBe(true);
  }
});

/** A rule as the server gives it out. */
const given: Document = {
  apiVersion: "networking.istio.io/v1",
  kind: "Sidecar",
  metadata: {
    name: "web",
    namespace: "shop",
    uid: "8f2b",
    resourceVersion: "41",
    generation: 3,
    annotations: { "kubectl.kubernetes.io/last-applied-configuration": '{"a":1}\n' },
    labels: { app: "web" },
    creationTimestamp: "2026-11-01T12:00:00.5+01:00",
    revision: 41,
    createdAt: "2026-11-01T12:00:00Z",
    createdBy: "alice",
    updatedAt: "2026-11-01T12:00:00Z",
    updatedBy: "bob",
    managedBy: { source: "store" },
  },
  spec: {
    workloadSelector: { labels: { "example.org/app": "web" } },
    ingress: [
      {
        port: { number: 80, protocol: "Http" },
        bind: "::1",
        captureMode: "NONE",
        defaultEndpoint: "[::1]:8080",
      },
      { port: { number: 82, protocol: "HTTP" }, captureMode: "IPTABLES" },
    ],
    egress: [
      { port: { number: 81, protocol: "grpc" }, captureMode: "NONE", hosts: ["./*", "~/*", "*/a.b."] },
      { hosts: ["./*"] },
    ],
    outboundTrafficPolicy: { mode: "ALLOW_ANY" },
  },
  status: { accepted: true },
};

const entry: Document = {
  apiVersion: "networking.istio.io/v1alpha3",
  kind: "ServiceEntry",
  metadata: { name: "db" },
  spec: {
    hosts: ["db.example.com", "*.Example.org."],
    ports: [{ number: 5432, name: "http", protocol: "GRPC-web", targetPort: null }],
    resolution: "DNS",
    endpoints: [
      { address: "fd00::1.2.3.4", ports: { http: 1 }, locality: "a/b/c", weight: 0, labels: { a: "" } },
      { address: "a-1._b.example" },
    ],
  },
};

const unresolved: Document = {
  apiVersion: "networking.istio.io/v1",
  kind: "ServiceEntry",
  metadata: { name: "net" },
  spec: {
    hosts: ["db.example.com"],
    addresses: ["10.1.0.0/16", "192.0.2.1", "fd00::1.2.3.4", "::/0"],
    ports: [{ number: 5432, name: "tcp" }],
  },
};

test.each([given, entry, unresolved])("what the server gives out is accepted and valid: $kind", (document) => {
  expect(isAccepted(document)).toBe(true);
  const validate = validators[document.kind];
  validate(document);
  expect(validate.errors).toBeNull();
});

/* Documents gone wrong */

type Path = readonly (string | number)[];

function pathsOf(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== "object" || value === null) return [path];
  const steps = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  return [
    path,
    ...steps.flatMap((step) => pathsOf((value as Record<string | number, unknown>)[step], [...path, step])),
  ];
}

/** A copy with another value at the place; undefined removes it. */
function withValue(value: unknown, [step, ...rest]: Path, other: unknown): unknown {
  if (step === undefined) return other;
  const child = withValue((value as Record<string | number, unknown>)[step], rest, other);
  if (Array.isArray(value)) {
    return value.flatMap((item, index) => (index !== step ? [item] : child === undefined ? [] : [child]));
  }
  const entries = Object.entries({ ...(value as object), [step]: child });
  return Object.fromEntries(entries.filter(([, entry]) => entry !== undefined));
}

const valueAt = (document: unknown, path: Path): unknown =>
  path.reduce<unknown>((value, step) => (value as Record<string | number, unknown>)[step], document);

const documents = [...goldens, given, entry, unresolved];

/** Parts of all documents by the name of their field, so that what is put in is often fitting. */
const parts = Map.groupBy(
  documents.flatMap((document) =>
    pathsOf(document).map((path) => ({ name: path.at(-1), value: valueAt(document, path) })),
  ),
  ({ name }) => String(name),
);

const oddTexts = [
  ...["", "*", ".", "~", "*.", "*.1", "a.1", "1.2.3.4", "1.2.3.4.", "1.2.3.4::", "::", "fd00::1.2.3.4", "a..b", "-a"],
  ...["a.", "A.b", "\u212a8s.example", "*.a", "*a", "*/*", "./a", "~/*", "mesh", "./mesh", "a/b/c", "a/b/c/d", "/"],
  ...["x".repeat(64), "x".repeat(63), `${"x.".repeat(126)}x.`, "http", "gRPC", "TCP", ":method", ":METHOD", ":port"],
  ...["(", "a+", "\n", "a\n", "\ud800", "💡", "127.0.0.1:0", "127.0.0.1:80", "0.0.0.0:99999", "unix:///a", "NONE"],
  ...["10.0.0.0/8", "10.0.0.0/33", "fd00::/128", "fd00::/129", "0.0.0.0", "10.0.0.1/32", "a/8", "DEFAULT"],
  ...["2026-02-30T00:00:00Z", "2024-02-29T23:59:59z", "2026-01-01T24:00:00Z", "2026-01-01t00:00:00.5-23:59"],
];

const odd = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    0,
    1,
    -1,
    1.5,
    80,
    65536,
    2 ** 31,
    [],
    {},
    [null],
    [{}],
    { a: "b" },
    { a: null },
  ),
  fc.constantFrom<unknown>(...oddTexts),
  fc.string({ unit: fc.constantFrom(..."aZ09-_.*:/[]~\n"), maxLength: 8 }),
  fc.string({ unit: fc.constantFrom("0", "f", ":", "::", ".", "1.2.3.4"), maxLength: 9 }),
);

const change = fc.record({ at: fc.nat(), kind: fc.nat(5), other: odd, pick: fc.nat() });
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

function changed(document: unknown, { at, kind, other, pick }: Change): unknown {
  const paths = pathsOf(document);
  const path = paths[at % paths.length] ?? [];
  if (kind === 0) return path.length === 0 ? null : withValue(document, path, undefined);
  if (kind === 1) return withValue(document, path, other);
  if (kind === 2) {
    // One more of the same, or a field that belongs elsewhere.
    const value = valueAt(document, path);
    if (Array.isArray(value)) return withValue(document, path, [...value, value.length > 0 ? value[0] : other]);
    const names = [...parts.keys()];
    const name = names[pick % names.length] ?? "";
    const isObject = typeof value === "object" && value !== null;
    return isObject ? withValue(document, path, { ...value, [name]: parts.get(name)?.[0]?.value }) : document;
  }
  const fitting = parts.get(String(path.at(-1))) ?? [];
  return withValue(document, path, fitting.length === 0 ? other : fitting[pick % fitting.length]?.value);
}

test("of documents changed at random, every one that is accepted is valid", () => {
  const counts = { accepted: 0, "refused by both": 0, "refused, but valid": 0 };
  fc.assert(
    fc.property(
      fc.constantFrom(...documents),
      fc.array(change, { minLength: 1, maxLength: 4 }),
      (document, changes) => {
        const wrong = changes.reduce<unknown>(changed, document);
        const accepted = isAccepted(wrong);
        const validate = validators[accepted ? (wrong as Document).kind : document.kind];
        const valid = validate(wrong);
        counts[accepted ? "accepted" : valid ? "refused, but valid" : "refused by both"] += 1;
        if (accepted) expect(valid, JSON.stringify([wrong, validate.errors])).toBe(true);
      },
    ),
    { numRuns: 2_000 },
  );
  // What the schema cannot say is the exception.
  expect(counts.accepted).toBeGreaterThan(100);
  expect(counts["refused by both"]).toBeGreaterThan(4 * counts["refused, but valid"]);
});

describe("the schema alone refuses", () => {
  const virtualService = (spec: object) => ({
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: "a" },
    spec: { hosts: ["a"], http: [{ route: [{ destination: { host: "a" } }] }], ...spec },
  });
  const sidecar = (spec: object) => ({ ...given, spec });
  const serviceEntry = (spec: object) => ({ ...entry, spec: { ...(entry["spec"] as object), ...spec } });
  const match = (uri: object) =>
    virtualService({ http: [{ match: [{ uri }], route: [{ destination: { host: "a" } }] }] });
  const ingress = (fields: object) =>
    sidecar({ ingress: [{ ...(given as unknown as { spec: { ingress: object[] } }).spec.ingress[0], ...fields }] });
  const cases: readonly (readonly [string, Document, string])[] = [
    ["another kind", { ...virtualService({}), kind: "Gateway" } as Document, "Sidecar"],
    ...(
      [
        ["another version", { ...virtualService({}), apiVersion: "networking.istio.io/v2" }],
        ["no spec", { ...virtualService({}), spec: null }],
        ["no name", { ...virtualService({}), metadata: { namespace: "a" } }],
        ["a name in capitals", { ...virtualService({}), metadata: { name: "A" } }],
        ["a time that is none", { ...virtualService({}), metadata: { name: "a", creationTimestamp: "yesterday" } }],
        ["a field that there is not", virtualService({ host: "a" })],
        ["a field that is not carried out", virtualService({ tls: [] })],
        ["no hosts", virtualService({ hosts: [] })],
        ["a host twice", virtualService({ hosts: ["a", "a"] })],
        ["a host with a hole", virtualService({ hosts: ["a..b"] })],
        ["an address gone wrong", virtualService({ hosts: ["10.0.0.256"] })],
        ["a gateway's name in capitals", virtualService({ gateways: ["shop/Front"] })],
        [
          "weights that are all 0",
          virtualService({ http: [{ route: ["a", "b"].map((host) => ({ destination: { host }, weight: 0 })) }] }),
        ],
        ["no comparison", match({})],
        ["two comparisons", match({ exact: "/", prefix: "/" })],
        ["a comparison that is null", match({ exact: null })],
        ["a port as text", sidecar({ ingress: [{ port: { number: "80" } }] })],
        ["a Sidecar that says nothing", sidecar({ ingress: [] })],
        ["a port out of range", ingress({ port: { number: 65_536, protocol: "HTTP" } })],
        ["a protocol that is not carried out", ingress({ port: { number: 80, protocol: "MONGO" } })],
        ["an address to bind that is none", ingress({ bind: "localhost" })],
        ["an endpoint's port out of range", ingress({ defaultEndpoint: "127.0.0.1:65536" })],
        ["an endpoint elsewhere", ingress({ defaultEndpoint: "10.0.0.1:80" })],
        ["the host *", serviceEntry({ hosts: ["*"] })],
        ["a resolution that is not carried out", serviceEntry({ resolution: "DYNAMIC_DNS" })],
        ["a prefix that is too long for IPv6", serviceEntry({ addresses: ["fd00::/129"] })],
        ["an address twice", serviceEntry({ addresses: ["192.0.2.1", "192.0.2.1"] })],
        ["a bound listener without an endpoint", ingress({ defaultEndpoint: null })],
        ["an address without a port", sidecar({ egress: [{ bind: "::1", hosts: ["./*"] }] })],
        ["a locality of four parts", serviceEntry({ endpoints: [{ address: "1.2.3.4", locality: "a/b/c/d" }] })],
        ["a label's value with a space", serviceEntry({ endpoints: [{ address: "1.2.3.4", labels: { a: "b c" } }] })],
        ["a label's name with a space", serviceEntry({ endpoints: [{ address: "1.2.3.4", labels: { "a b": "c" } }] })],
      ] as const
    ).map(([name, document]) => [name, document as Document, (document as Document).kind] as const),
  ];
  test.each(cases)("%s", (_name, document, kind) => {
    expect(validators[kind as RuleKind](document)).toBe(false);
    if (kind === document.kind) expect(isAccepted(document)).toBe(false);
  });
});
