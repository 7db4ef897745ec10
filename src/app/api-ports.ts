import type { ApiPorts } from "../api/ports.ts";
import type { ProxyView, RefusalView, RepairView, TypeDeliveryView } from "../api/types/proxies.ts";
import {
  compileFindingViews,
  referenceFindingViews,
  registryFindingViews,
  ruleFindingViews,
  ruleViews,
  serviceViews,
} from "../api/views.ts";
import type { Metrics } from "../base/metrics.ts";
import type { Signal } from "../base/signal.ts";
import { timeText } from "../base/time-text.ts";
import type { World } from "../compile/world.ts";
import { checkReferences, type RuleFinding } from "../config/checks.ts";
import type { RuleSet } from "../config/rule-set.ts";
import type { Ledger, ProxyDelivery, ResourceDelivery } from "../delivery/ledger.ts";
import type { Repair } from "../envoy/resource-set.ts";
import type { Catalog } from "../model/catalog.ts";
import { type CatalogConflict, formatConflict } from "../registry/combine.ts";
import type { RegistrySource } from "../registry/source.ts";
import type { ResourceCache } from "../snapshot/resource-cache.ts";
import { proxyConfigView, rulePlaceViews } from "./proxy-config.ts";
import { managerIn } from "./rule-documents.ts";
import { createRuleStatus } from "./rule-status.ts";

/** The half of the API's ports that reads what the stations hold. */
export type ReadPorts = Pick<
  ApiPorts,
  "services" | "rules" | "findings" | "proxies" | "proxyConfig" | "ready" | "metrics" | "ruleStatus" | "managerOf"
>;

export interface ApiPortsInput {
  /** All sources together. */
  readonly ruleSet: Signal<RuleSet>;
  /** What directories say; their rules come before those of the store. */
  readonly directory: Signal<RuleSet>;
  /** Of all registries together. The world follows when changes have come to an end. */
  readonly catalog: Signal<Catalog | undefined>;
  readonly world: Signal<World | undefined>;
  readonly registries: readonly RegistrySource[];
  readonly conflicts: Signal<readonly CatalogConflict[]>;
  readonly ledger: Ledger;
  readonly resources: ResourceCache;
  readonly metrics: Metrics;
  /** Why nothing can be stored any more. */
  readonly trouble?: Signal<string | undefined>;
  /** Why the store lags behind the directories. Their rules are in force all the same. */
  readonly lag?: Signal<string | undefined>;
}

/** Answers what the API asks out of what the stations hold. */
export function createApiPorts(input: ApiPortsInput): ReadPorts {
  const { ruleSet, catalog, world, registries, conflicts, ledger, metrics } = input;
  const danglingReferences = (): readonly RuleFinding[] =>
    world.value === undefined ? [] : checkReferences(ruleSet.value, world.value.catalog, world.value.mesh);
  return {
    services: () => (catalog.value === undefined ? [] : serviceViews(catalog.value)),
    rules: () => ruleViews(ruleSet.value),
    findings: () => [
      ...registries.flatMap(({ name, health }) => registryFindingViews(name, health.value.problems)),
      ...conflicts.value.flatMap((conflict) => registryFindingViews(conflict.leftOut, [formatConflict(conflict)])),
      ...ruleFindingViews(ruleSet.value),
      ...referenceFindingViews(danglingReferences()),
      ...compileFindingViews(input.resources.failures()),
    ],
    proxies: () => ledger.proxies().map((delivery) => proxyView(delivery, input)),
    proxyConfig: (id) => proxyConfigView(id, input),
    ruleStatus: createRuleStatus(input),
    managerOf: (key) => managerIn(input.directory.value, key),
    ready: () => {
      const reasons = registries
        .filter(({ catalog }) => catalog.value === undefined)
        .map(({ name }) => `The registry "${name}" has not reported a complete catalog yet.`)
        .concat(input.trouble?.value ?? []);
      const ready = world.value !== undefined && reasons.length === 0;
      return { ready, reasons: reasons.concat(input.lag?.value ?? []) };
    },
    metrics: metrics.expose,
  };
}

function proxyView({ node, streams, connectedSinceMs, types }: ProxyDelivery, input: ApiPortsInput): ProxyView {
  const hasRefused = Object.values(types).some(({ refused }) => refused > 0);
  const resources = hasRefused ? (input.ledger.resourcesOf(node.id) ?? []) : [];
  const repairs = input.resources.servedTo(node)?.resources.repairs ?? [];
  return {
    id: node.id,
    kind: node.kind,
    name: node.name,
    namespace: node.namespace,
    client: node.client,
    ...(connectedSinceMs !== undefined && { connectedSince: timeText(connectedSinceMs) }),
    streams,
    types: Object.fromEntries(Object.entries(types).map(([type, summary]) => [type, typeView(summary)])),
    refusals: resources.flatMap((resource) => refusalView(resource, node, input)),
    ...(repairs.length > 0 && { repairs: repairViews(repairs) }),
  };
}

/** As many as are shown of one proxy: a rule may name any number of services that do not exist. */
const maxRepairs = 20;

/** The broken ones first. */
function repairViews(repairs: readonly Repair[]): readonly RepairView[] {
  const { broken = [], missing = [] } = Object.groupBy(repairs, ({ kind }) => kind);
  return [...broken, ...missing].slice(0, maxRepairs).map(({ name, ...repair }) => ({ resource: name, ...repair }));
}

function typeView({ lastAckAtMs, ...counts }: NonNullable<ProxyDelivery["types"]["CDS"]>): TypeDeliveryView {
  return { ...counts, ...(lastAckAtMs !== undefined && { lastAckAt: timeText(lastAckAtMs) }) };
}

function refusalView(
  { type, name, status, refused }: ResourceDelivery,
  node: ProxyDelivery["node"],
  { resources, ruleSet }: ApiPortsInput,
): readonly RefusalView[] {
  if (status !== "refused" || refused?.suspect !== true) return [];
  const resource = resources.resourcesOf(node)?.resources[type].get(name);
  const rules = resource?.version === refused.version ? rulePlaceViews(resource, ruleSet.value) : [];
  return [
    { type, resource: name, reason: refused.reason, at: timeText(refused.atMs), ...(rules.length > 0 && { rules }) },
  ];
}
