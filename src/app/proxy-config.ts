import type { ProxyConfigView, ProxyResourceView } from "../api/types/proxies.ts";
import type { RulePlaceView } from "../api/types/rules.ts";
import type { Signal } from "../base/signal.ts";
import type { RuleKey } from "../config/rule.ts";
import type { RuleSet } from "../config/rule-set.ts";
import type { Ledger, ProxyReceipts } from "../delivery/ledger.ts";
import { resourceState } from "../delivery/resource-state.ts";
import { rulesBehind } from "../delivery/rule-index.ts";
import { bytesJson } from "../envoy/pack.ts";
import { type Repair, type Resource, referenceKey } from "../envoy/resource-set.ts";
import { resourceType, resourceTypes } from "../envoy/resource-types.ts";
import type { ResourceCache } from "../snapshot/resource-cache.ts";

export interface ProxyConfigInput {
  readonly ruleSet: Signal<RuleSet>;
  readonly ledger: Pick<Ledger, "receiptsOf">;
  readonly resources: Pick<ResourceCache, "resourcesOf">;
}

/**
 * All that a proxy gets now, in the order of types and names; undefined for one that is not known or gets nothing yet.
 * Contents and rules of a resource are made when they are read: those of most are filtered out before.
 */
export function proxyConfigView(
  id: string,
  { ruleSet, ledger, resources }: ProxyConfigInput,
): ProxyConfigView | undefined {
  const proxy = ledger.receiptsOf(id);
  const set = proxy && resources.resourcesOf(proxy.node);
  if (proxy === undefined || set === undefined) return undefined;
  const repairs = new Map(set.repairs.map((repair) => [referenceKey(repair), repair]));
  return {
    proxy: id,
    resources: resourceTypes.flatMap(({ short }) =>
      [...set.resources[short].values()].map((resource) =>
        resourceView(resource, proxy, ruleSet.value, repairs.get(referenceKey(resource))),
      ),
    ),
  };
}

function resourceView(
  resource: Resource,
  { receipt }: ProxyReceipts,
  ruleSet: RuleSet,
  repair: Repair | undefined,
): ProxyResourceView {
  const { type, name, version, bytes } = resource;
  const state = resourceState(resource, receipt(type, name));
  return {
    type,
    name,
    version,
    ...(state !== undefined && { state }),
    ...(repair !== undefined && { repair: { kind: repair.kind, reason: repair.reason } }),
    get config() {
      return bytesJson(resourceType(type).url, bytes);
    },
    get rules() {
      return rulePlaceViews(resource, ruleSet);
    },
  };
}

/** The rules behind a resource, each with the narrowest part of it that holds all it gave to the resource. */
export const rulePlaceViews = (resource: Resource, ruleSet: RuleSet): readonly RulePlaceView[] =>
  rulesBehind(resource).map(({ rule, pointer }) => ({ rule, ...ruleSet.locate(rule as RuleKey, pointer) }));
