import { expect, test } from "vitest";
import { serviceView } from "../../src/api/shapes/services.ts";
import {
  referenceFindingViews,
  registryFindingViews,
  ruleFindingViews,
  ruleViews,
  serviceViews,
} from "../../src/api/views.ts";
import { decode } from "../../src/base/decode.ts";
import { OrderedMap } from "../../src/base/ordered-map.ts";
import type { Finding } from "../../src/config/finding.ts";
import { type AnyRule, type RuleKey, ruleKey } from "../../src/config/rule.ts";
import { emptyRuleSet, type RuleDocument, type RuleSet } from "../../src/config/rule-set.ts";
import { createCatalog } from "../../src/model/catalog.ts";
import { parseHostname } from "../../src/model/hostname.ts";
import { parseLocality } from "../../src/model/locality.ts";
import { serviceKey } from "../../src/model/service.ts";

const hostname = parseHostname("reviews.shop.svc.cluster.local") ?? expect.fail();

const instance = {
  id: "reviews-1",
  address: "10.0.0.1",
  ports: { http: 8080 },
  labels: { version: "v1" },
  locality: parseLocality("r1/z1"),
  weight: 1,
  health: "healthy",
  registry: "file",
} as const;

const service = {
  key: serviceKey("shop", hostname),
  hostname,
  namespace: "shop",
  addresses: [],
  ports: [{ name: "http", number: 9080, protocol: "http" }],
  resolution: "instances",
  external: false,
  createdAt: 0,
  origin: { kind: "registry", registry: "file" },
} as const;

test("what platforms say of services and instances is shown, and nothing that the API does not declare", () => {
  const told = {
    aliasOf: hostname,
    visibleIn: ["shop"],
    distribution: "prefer-same-zone",
    externalAddresses: ["192.0.2.1", "lb.example.com"],
    nodePorts: { http: 30_080 },
  } as const;
  const copy = {
    ...{ ...instance, otherAddresses: ["fd00::1"], lacks: ["http"], node: "n1" },
    ...{ serviceAccount: "web", network: "net", hostname: "web-0" },
  };
  const [view] = serviceViews(createCatalog([{ service: { ...service, ...told }, instances: [copy] }]));
  expect(view).toMatchObject({ ...told, instances: [{ ...copy, locality: "r1/z1" }] });
  expect(decode(serviceView, view)).toMatchObject({ ok: true, problems: [] });
});

test("services with their instances; what did not change is the same view", () => {
  const catalog = createCatalog([{ service, instances: [instance] }]);
  const views = serviceViews(catalog);
  expect(views).toEqual([
    {
      host: "reviews.shop.svc.cluster.local",
      namespace: "shop",
      addresses: [],
      ports: [{ name: "http", number: 9080, protocol: "http" }],
      resolution: "instances",
      external: false,
      origin: { kind: "registry", registry: "file" },
      instances: [{ ...instance, locality: "r1/z1" }],
    },
  ]);
  expect(serviceViews(catalog)).toBe(views);
  expect(serviceViews({ ...catalog })[0]).toBe(views[0]);
});

const finding: Finding = { severity: "error", code: "rule/invalid-value", pointer: "/spec", message: "It is wrong." };
const document = (name: string, part: Partial<RuleDocument> = {}): RuleDocument => ({
  kind: "VirtualService",
  namespace: "shop",
  name,
  file: "rules.yaml",
  line: 1,
  verdict: "valid",
  findings: [],
  ...part,
});

function ruleSetOf(inForce: readonly string[], documents: readonly RuleDocument[]): RuleSet {
  const rules = inForce.map((name) => {
    const key = ruleKey("VirtualService", "shop", name);
    const spec = { hosts: [], gateways: [], http: [] };
    return [key, { key, kind: "VirtualService", namespace: "shop", name, labels: {}, createdAt: 0, spec }] as const;
  });
  const locate: RuleSet["locate"] = (_rule, pointer) => ({ pointer, file: "old.yaml", line: 7, column: 1 });
  return { ...emptyRuleSet, rules: OrderedMap.of<RuleKey, AnyRule>(rules), documents, locate };
}

test("which version of a rule is in force", () => {
  const refused = { verdict: "refused", findings: [finding] } as const;
  const ruleSet = ruleSetOf(
    ["good", "warned", "held", "twice", "unreadable"],
    [
      document("good"),
      document("warned", { verdict: "warned" }),
      document("held", refused),
      document("never", refused),
      document("twice"),
      document("twice", { ...refused, line: 20 }),
    ],
  );
  expect(
    ruleViews(ruleSet).map(({ name, verdict, inForce, file, line }) => [name, verdict, inForce, `${file}:${line}`]),
  ).toEqual([
    ["good", "valid", "current", "rules.yaml:1"],
    ["warned", "warned", "current", "rules.yaml:1"],
    ["held", "refused", "previous", "rules.yaml:1"],
    ["never", "refused", "none", "rules.yaml:1"],
    ["twice", "valid", "current", "rules.yaml:1"],
    ["twice", "refused", "none", "rules.yaml:20"],
    ["unreadable", "valid", "previous", "old.yaml:7"],
  ]);
});

test("findings say what they are about", () => {
  const about = { kind: "VirtualService", namespace: "shop", name: "a" };
  const ruleSet = ruleSetOf([], [document("a", { verdict: "refused", findings: [finding] }), document("b")]);
  expect(ruleFindingViews(ruleSet)).toEqual([{ about, ...finding }]);
  const dangling = { ...finding, rule: ruleKey("VirtualService", "shop", "a") };
  expect(referenceFindingViews([dangling])).toEqual([{ about, ...finding }]);
  expect(registryFindingViews("file", [{ message: "It is empty.", hint: "Fill it.", file: "c.yaml" }])).toEqual([
    {
      about: { kind: "Registry", namespace: "", name: "file" },
      code: "catalog/invalid",
      severity: "error",
      pointer: "",
      message: "It is empty.",
      hint: "Fill it.",
      file: "c.yaml",
    },
  ]);
});
