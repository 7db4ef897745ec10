import { memoize } from "../base/memo.ts";
import type { Resource } from "../envoy/resource-set.ts";
import { loopbackAddresses, wildcardAddresses } from "../model/ip-families.ts";
import type { Aspects } from "./aspects.ts";
import { capturedIngress } from "./ingress.ts";
import { isPerInstance } from "./listener-claims.ts";
import { nameOf, type OutboundListener, type OutboundPlan } from "./outbound-plan.ts";
import { compileTables } from "./outbound-tables.ts";
import type { Own } from "./own.ts";
import type { EgressScope, Reachable } from "./scope.ts";
import type { View } from "./view.ts";

/** What only sidecars get: their listeners but for calls to the workload's own services, their route tables, and the clusters for what is not a service. */
export function compileSidecar(view: View, aspects: Aspects): Own {
  const { settings } = view;
  const outbound = view.egress.map((scope) => ({ scope, plan: planOf(scope, view, aspects) }));
  const inForce = firstOfEachName(
    outbound.flatMap(({ scope, plan }) => plan.listeners.map((listener) => ({ scope, listener }))),
  );
  const listeners = [...inForce.values()];
  return {
    resources: [
      ...compileCapture(view, aspects),
      ...compileIngressRules(view, aspects),
      ...listeners.flatMap(({ scope, listener }) => aspects.outboundListener(listener, settings, scope.origin) ?? []),
      ...compileTables(
        view,
        listeners.map(({ listener }) => listener),
        aspects,
      ),
      ...[aspects.httpProxyListener(settings)].filter((one) => one !== undefined),
      ...aspects.specialClusters(settings.mesh),
    ],
    // Where another scope listens, those of this one have nothing to lose to each other.
    conflicts: outbound.flatMap(({ scope, plan }) =>
      plan.conflicts.filter(({ name }) => (inForce.get(name)?.scope ?? scope) === scope),
    ),
  };
}

/** A listener of its own for the scope's port, or those that its services ask for. */
function planOf({ port, bind, captured, services }: EgressScope, view: View, aspects: Aspects): OutboundPlan {
  const { settings } = view;
  if (port !== undefined) {
    const anywhere = (captured ? wildcardAddresses : loopbackAddresses)[settings.families];
    const binds = bind === undefined ? anywhere : [bind];
    const http = { kind: "shared" } as const;
    return { listeners: [{ binds, port, captured, passesRest: captured, http, tcp: [] }], conflicts: [] };
  }
  if (!captured) return aspects.planDialled(services, settings);
  return aspects.planCaptured(
    services,
    settings,
    ...perInstance(services).map(({ service }) => view.instancesOf(service)),
  );
}

const perInstance = memoize((services: readonly Reachable[]) => services.filter(isPerInstance));

/** What an earlier scope listens at is its. By name. */
function firstOfEachName<T extends { readonly listener: OutboundListener }>(all: readonly T[]): ReadonlyMap<string, T> {
  const named = new Map<string, T>();
  for (const one of all) {
    const name = nameOf(one.listener);
    if (!named.has(name)) named.set(name, one);
  }
  return named;
}

/** What all sidecars have whose workloads' connections are captured; the listener for those to them where a rule says what becomes of these. */
function compileCapture({ settings, sidecar }: View, aspects: Aspects): readonly Resource[] {
  if (settings.interception === "none") return [];
  const ports = sidecar === undefined ? [] : capturedIngress(sidecar, settings.interception);
  const isRuled = sidecar !== undefined && sidecar.spec.ingress.length > 0;
  return [
    aspects.virtualOutbound(settings),
    isRuled ? aspects.virtualInbound(settings, ports) : undefined,
    aspects.inboundPassthrough(settings),
  ].filter((one) => one !== undefined);
}

const compileIngressRules = ({ sidecar, settings, profile }: View, aspects: Aspects): readonly Resource[] =>
  sidecar?.spec.ingress.flatMap((_, index) => aspects.ingress(sidecar, settings, index, profile.address)) ?? [];
