import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { describe, expect, test } from "vitest";
import { newTokenView } from "../../src/api/shapes/access.ts";
import { pageOf } from "../../src/api/shapes/pages.ts";
import { proxyConfigView, proxyView } from "../../src/api/shapes/proxies.ts";
import { registryView } from "../../src/api/shapes/registries.ts";
import {
  changeSetView,
  findingView,
  ruleListView,
  ruleObjectView,
  ruleView,
  watchEventView,
} from "../../src/api/shapes/rules.ts";
import { problemView } from "../../src/api/shapes/server.ts";
import { registeredInstanceView, serviceView } from "../../src/api/shapes/services.ts";
import type { NewTokenView } from "../../src/api/types/access.ts";
import type { ChangeSetView, WatchEventView } from "../../src/api/types/change-sets.ts";
import type { FindingView } from "../../src/api/types/findings.ts";
import type { Page } from "../../src/api/types/pages.ts";
import type { ProxyConfigView, ProxyView } from "../../src/api/types/proxies.ts";
import type { RegistryView } from "../../src/api/types/registries.ts";
import type { RuleListView, RuleObjectView, RuleView } from "../../src/api/types/rules.ts";
import type { ProblemView } from "../../src/api/types/server.ts";
import type { RegisteredInstanceView, ServiceView } from "../../src/api/types/services.ts";
import { type Decoder, decode, schemaOf } from "../../src/base/decode.ts";

const at = "2026-11-01T12:00:00.000Z";

const service: ServiceView = {
  host: "reviews.shop.svc.cluster.local",
  namespace: "shop",
  ports: [{ name: "http", number: 80, protocol: "http" }],
  addresses: [],
  resolution: "instances",
  external: false,
  origin: { kind: "registry", registry: "file" },
  instances: [
    {
      id: "a",
      address: "10.0.0.1",
      ports: { http: 8080 },
      labels: { version: "v1" },
      locality: "",
      weight: 1,
      health: "healthy",
      registry: "file",
    },
  ],
};

const finding: FindingView = {
  code: "rule/unknown-host",
  severity: "warning",
  pointer: "/spec/hosts/0",
  file: "rules.yaml",
  line: 3,
  column: 5,
  message: "There is no such host.",
  hint: "Add it.",
  about: { kind: "VirtualService", namespace: "shop", name: "reviews" },
};
const { about, ...ruleFinding } = finding;

const rule: RuleObjectView = {
  apiVersion: "networking.istio.io/v1",
  kind: "VirtualService",
  metadata: {
    name: "reviews",
    namespace: "shop",
    uid: "8f2b",
    generation: 1,
    revision: 7,
    createdAt: at,
    createdBy: "alice",
    updatedAt: at,
    updatedBy: "alice",
    managedBy: { kind: "directory", file: "rules.yaml", line: 1 },
    labels: { team: "a" },
  },
  spec: { hosts: ["reviews"] },
  status: {
    observedGeneration: 1,
    verdict: "warned",
    inForce: "current",
    conditions: [{ type: "Accepted", status: "True", reason: "Valid", message: "It is accepted." }],
    delivery: { targeted: 2, acked: 1, pending: 0, refused: 1 },
    findings: [ruleFinding],
    refusals: [{ proxy: "p", type: "RDS", resource: "80", reason: "no", at, pointer: "/spec", line: 4, column: 1 }],
  },
};

const proxy: ProxyView = {
  id: "sidecar~10.0.0.1~web-1.shop~shop.svc.cluster.local",
  kind: "sidecar",
  name: "web-1",
  namespace: "shop",
  client: { name: "envoy", version: "1.36.0" },
  connectedSince: at,
  streams: 1,
  types: { CDS: { resources: 3, pending: 0, refused: 1, lastAckAt: at } },
  refusals: [
    {
      type: "CDS",
      resource: "a",
      reason: "no",
      at,
      rules: [{ rule: "Gateway/shop/a", pointer: "/spec", file: "a.yaml" }],
    },
  ],
};

const views: readonly (readonly [string, Decoder<unknown>, object])[] = [
  ["page of services", pageOf(serviceView), { items: [service], total: 1, continue: "a" } satisfies Page<ServiceView>],
  [
    "service of a rule",
    serviceView,
    { ...service, origin: { kind: "rule", rule: "ServiceEntry/a/b" } } satisfies ServiceView,
  ],
  [
    "service that clients dial themselves",
    serviceView,
    { ...service, addresses: ["10.96.0.1", "10.1.0.0/16"], resolution: "original-destination" } satisfies ServiceView,
  ],
  ["finding", findingView, finding],
  [
    "registry",
    registryView,
    {
      name: "kubernetes",
      kind: "kubernetes",
      precedence: 1,
      state: "SUSPECT",
      since: at,
      asOf: at,
      services: 1,
      instances: 2,
      hold: { by: "anna", since: at },
      held: {
        services: 1,
        instances: 2,
        until: at,
        items: [{ host: "reviews", namespace: "shop", reason: "emptied", held: 2, served: 2 }],
      },
      problems: [
        { code: "catalog/held", message: "It is held.", hint: "Release it.", file: "c.yaml", line: 1, column: 1 },
      ],
    } satisfies RegistryView,
  ],
  [
    "rule, in short",
    ruleView,
    { ...about, verdict: "valid", inForce: "none", findings: [ruleFinding] } satisfies RuleView,
  ],
  ["rule", ruleObjectView, rule],
  ["list of rules", ruleListView, { items: [rule], total: 1, revision: 7 } satisfies RuleListView],
  ["event", watchEventView, { type: "ADDED", revision: 7, object: rule } satisfies WatchEventView],
  ["bookmark", watchEventView, { type: "BOOKMARK", revision: 7 } satisfies WatchEventView],
  [
    "change set",
    changeSetView,
    {
      revision: 7,
      dryRun: true,
      results: [{ ...about, action: "created", generation: 1, findings: [] }],
    } satisfies ChangeSetView,
  ],
  ["proxy", proxyView, proxy],
  [
    "proxy's configuration",
    proxyConfigView,
    {
      proxy: "p",
      resources: [
        { type: "CDS", name: "a", version: "1", state: "accepted", config: {}, rules: [{ rule: "a", pointer: "" }] },
      ],
    } satisfies ProxyConfigView,
  ],
  [
    "registered instance",
    registeredInstanceView,
    {
      id: "a",
      address: "10.0.0.1",
      ports: {},
      labels: {},
      locality: "eu/a",
      weight: 1,
      health: "draining",
      registeredAt: at,
      registeredBy: "alice",
      generation: 2,
      lease: { ttlMs: 10_000, expiresAt: at, state: "live" },
      draining: { since: at, until: at },
    } satisfies RegisteredInstanceView,
  ],
  [
    "new token",
    newTokenView,
    {
      id: "a",
      name: "ci",
      role: "editor",
      createdAt: at,
      createdBy: "alice",
      expiresAt: at,
      token: "s",
    } satisfies NewTokenView,
  ],
  [
    "problem",
    problemView,
    {
      type: "urn:fairway:error:api/invalid",
      title: "What the body says is not valid",
      status: 422,
      detail: "It is not.",
      instance: "/api/v1/changesets",
      requestId: "r",
      code: "api/invalid",
      errors: [
        {
          code: "rule/unknown-field",
          severity: "error",
          pointer: "/a",
          message: "No.",
          document: 0,
          source: { line: 1, column: 1 },
        },
      ],
    } satisfies ProblemView,
  ],
];

/** A newer server says more, at every level. */
function withMore(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withMore);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, part]) => [name, isMap(name) ? part : withMore(part)])
      .concat([["more", 1]]),
  );
}

/** Objects whose field names are data. */
const isMap = (name: string): boolean => ["ports", "labels", "types"].includes(name);

describe.each(views)("%s", (_name, decoder, view) => {
  const ajv = new Ajv2020({ strict: true });
  addFormats.default(ajv);
  const validate = ajv.compile(schemaOf(decoder));

  test("is read whole, and is what is published", () => {
    expect(decode(decoder, view)).toEqual({ ok: true, value: view, problems: [] });
    validate(view);
    expect(validate.errors).toBeNull();
  });

  test("may come with more than we know", () => {
    expect(decode(decoder, withMore(view))).toMatchObject({ ok: true, value: view });
    expect(validate(withMore(view))).toBe(true);
  });

  test("never has null for what is not known", () => {
    // What a rule's author wrote is theirs.
    const names = Object.keys(schemaOf(decoder).properties ?? {}).filter((name) => name !== "spec");
    for (const name of names) expect(validate({ ...view, [name]: null }), name).toBe(false);
  });
});
