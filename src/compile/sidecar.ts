import { memoize } from "../base/memo.ts";
import { listenerName } from "../envoy/names.ts";
import type { Resource } from "../envoy/resource-set.ts";
import { loopbackAddresses, wildcardAddresses } from "../model/ip-families.ts";
import type { Aspects } from "./aspects.ts";
import { chooseTargets, type InboundPort, inboundPort } from "./inbound.ts";
import { capturedIngress } from "./ingress.ts";
import { isPerInstance } from "./listener-claims.ts";
import type { OutboundListener, OutboundPlan } from "./outbound-plan.ts";
import { compileTables } from "./outbound-tables.ts";
import type { Own } from "./own.ts";
import type { EgressScope, Reachable } from "./scope.ts";
import type { View } from "./view.ts";

/** What only sidecars get: their listeners, the route tables of these, and the clusters for what is not a service. */
export function compileSidecar(view: View, aspects: Aspects): Own {
  const { settings } = view;
  const outbound = view.egress.map((scope) => ({ scope, plan: planOf(scope, view, aspects) }));
  const listeners = firstOfEachName(
    outbound.flatMap(({ scope, plan }) => plan.listeners.map((listener) => ({ scope, listener }))),
  );
  const inbound = settings.interception === "none" ? { resources: [], conflicts: [] } : compileInbound(view, aspects);
  return {
    resources: [
      ...inbound.resources,
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
    conflicts: [...outbound.flatMap(({ plan }) => plan.conflicts), ...inbound.conflicts],
  };
}

/** A listener of its own for the scope's port, or those that its services ask for. */
function planOf({ port, bind, captured, services }: EgressScope, view: View, aspects: Aspects): OutboundPlan {
  const { settings } = view;
  if (port !== undefined) {
    const anywhere = (captured ? wildcardAddresses : loopbackAddresses)[settings.families];
    const binds = bind === undefined ? anywhere : [bind];
    const listener: OutboundListener = {
      binds,
      port,
      captured,
      passesRest: captured,
      http: { kind: "shared" },
      tcp: [],
    };
    return { listeners: [listener], conflicts: [] };
  }
  if (!captured) return aspects.planDialled(services, settings);
  return aspects.planCaptured(
    services,
    settings,
    ...perInstance(services).map(({ service }) => view.instancesOf(service)),
  );
}

const perInstance = memoize((services: readonly Reachable[]) => services.filter(isPerInstance));

/** What an earlier scope listens at is its. */
function firstOfEachName<T extends { readonly listener: OutboundListener }>(all: readonly T[]): readonly T[] {
  const named = new Map<string, T>();
  for (const one of all) {
    const name = listenerName(one.listener.binds[0] ?? "", one.listener.port);
    if (!named.has(name)) named.set(name, one);
  }
  return [...named.values()];
}

/** The two listeners that all captured connections come to, and the clusters of the workload. */
function compileInbound(view: View, aspects: Aspects): Own {
  const { settings, sidecar, inbound } = view;
  const { targets, conflicts } = chooseTargets(inbound);
  const ofServices = targets.map((one) => inboundPort(one.service, one.port, one.target));
  const ofRule = sidecar === undefined ? [] : capturedIngress(sidecar, settings.interception);
  const ports: readonly InboundPort[] = [...ofServices, ...ofRule];
  return {
    resources: [
      ...[aspects.virtualOutbound(settings), aspects.virtualInbound(settings, ports)].filter(
        (one) => one !== undefined,
      ),
      ...ofServices.map((port) => aspects.workloadCluster(port, settings)),
      aspects.inboundPassthrough(settings),
    ],
    conflicts,
  };
}

const compileIngressRules = ({ sidecar, settings, profile }: View, aspects: Aspects): readonly Resource[] =>
  sidecar?.spec.ingress.flatMap((_, index) => aspects.ingress(sidecar, settings, index, profile.address)) ?? [];
