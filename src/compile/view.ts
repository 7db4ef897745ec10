import { memoize } from "../base/memo.ts";
import type { AnyRule, Rule, RuleKey, RuleKind } from "../config/rule.ts";
import { byAge } from "../model/age.ts";
import type { Hostname } from "../model/hostname.ts";
import type { Instance } from "../model/instance.ts";
import { selectorText } from "../model/labels.ts";
import type { MeshSettings } from "../model/mesh-settings.ts";
import type { Service } from "../model/service.ts";
import {
  type DestinationIndex,
  type DestinationPolicy,
  destinationRulesFor,
  indexDestinationRules,
  mergeDestinationRules,
} from "./destination-policy.ts";
import type { Profile } from "./profile.ts";
import { type EgressScope, egressScopes, type Reachable } from "./scope.ts";
import { servicesOfEntry } from "./service-entry.ts";
import { createServiceTable, findService, type ServiceTable } from "./service-table.ts";
import { sidecarFor } from "./sidecar-choice.ts";
import { type BoundVirtualService, bindVirtualService } from "./virtual-service.ts";
import { rulesUnderHolds, type World } from "./world.ts";

/** The part of a world that a profile may see: the compiler's only argument. */
export interface View {
  readonly profile: Profile;
  readonly mesh: MeshSettings;
  /** The Sidecar rule in force for it; none for gateways. */
  readonly sidecar: Rule<"Sidecar"> | undefined;
  /** What each egress listener of that rule lets through. */
  readonly egress: readonly EgressScope[];
  /** The Gateway rules that select it, oldest first; none for sidecars. */
  readonly gateways: readonly Rule<"Gateway">[];
  /** Oldest first. */
  readonly virtualServices: readonly BoundVirtualService[];
  /** Every port of every service that it may call, in the order of host names. */
  readonly reachable: readonly Reachable[];
  readonly findService: (host: Hostname) => Service | undefined;
  readonly policyFor: (service: Service) => DestinationPolicy | undefined;
  readonly instancesOf: (service: Service) => readonly Instance[];
}

/** Makes views; remembers what several of them share by the identity of what it was made from. */
export function createViewer(): (world: World, profile: Profile) => View {
  const heldRules = memoize((rules: World["rules"], holds: World["holds"], ...ids: readonly string[]) =>
    rulesUnderHolds({ rules, holds }, ids),
  );
  const sorted = memoize(rulesByKind);
  const entryServices = memoize(servicesOfEntry);
  const table = memoize((services: World["catalog"]["services"], rules: World["rules"]) =>
    createServiceTable(
      services,
      sorted(rules).ServiceEntry.map((rule) => ({ rule, adds: entryServices(rule) })),
    ),
  );
  const bind = memoize(bindVirtualService);
  const bound = memoize((rules: World["rules"], mesh: MeshSettings) =>
    sorted(rules).VirtualService.map((rule) => bind(rule, mesh)),
  );
  const destinationIndex = memoize((rules: World["rules"], mesh: MeshSettings) =>
    indexDestinationRules(sorted(rules).DestinationRule, mesh),
  );
  const merge = memoize(mergeDestinationRules);
  const policy = memoize((index: DestinationIndex, service: Service, mesh: MeshSettings, namespace: string) =>
    merge(...destinationRulesFor(index, service, namespace, mesh)),
  );
  const visible = memoize(servicesByHost);

  return (world, profile) => {
    const { mesh, catalog } = world;
    const rules = profile.holds.length === 0 ? world.rules : heldRules(world.rules, world.holds, ...profile.holds);
    const services = table(catalog.services, rules);
    const virtualServices = bound(rules, mesh);
    const find = (host: Hostname): Service | undefined => findService(services, host, profile.namespace);
    const sidecar = profile.kind === "sidecar" ? sidecarFor(sorted(rules).Sidecar, mesh, profile) : undefined;
    const all = visible(services, profile.namespace);
    const egress = sidecar === undefined ? [] : egressScopes(sidecar, profile.namespace, all, virtualServices);
    const policies = destinationIndex(rules, mesh);
    return {
      profile,
      mesh,
      sidecar,
      egress,
      gateways: profile.kind === "gateway" ? sorted(rules).Gateway.filter((rule) => isSelected(rule, profile)) : [],
      virtualServices,
      reachable:
        egress.length === 0
          ? all.flatMap((candidates) => candidates.slice(0, 1)).flatMap(everyPort)
          : reachableThrough(egress, find),
      findService: find,
      policyFor: (service) => policy(policies, service, mesh, profile.namespace),
      instancesOf: (service) =>
        (service.origin.kind === "rule" ? services.entryInstances : catalog.instances).get(service.key) ?? noInstances,
    };
  };
}

/** One object, so that having no instances is always the same. */
const noInstances: readonly Instance[] = Object.freeze([]);

type RulesByKind = { readonly [K in RuleKind]: readonly Rule<K>[] };

function rulesByKind(rules: ReadonlyMap<RuleKey, AnyRule>): RulesByKind {
  const ofKind = <K extends RuleKind>(kind: K): readonly Rule<K>[] =>
    [...rules.values()].filter((rule): rule is Extract<AnyRule, Rule<K>> => rule.kind === kind).sort(byAge);
  return {
    VirtualService: ofKind("VirtualService"),
    DestinationRule: ofKind("DestinationRule"),
    Gateway: ofKind("Gateway"),
    ServiceEntry: ofKind("ServiceEntry"),
    Sidecar: ofKind("Sidecar"),
  };
}

/** The services of each host name as a client in `namespace` prefers them: its own namespace's first. */
function servicesByHost({ byHost }: ServiceTable, namespace: string): readonly (readonly Service[])[] {
  return [...byHost.values()].map((services) =>
    services.length < 2 ? services : services.toSorted((a, b) => own(b, namespace) - own(a, namespace)),
  );
}

const own = (service: Service, namespace: string): number => Number(service.namespace === namespace);

/** UDP has no clusters. */
function everyPort(service: Service): readonly Reachable[] {
  return service.ports.filter(({ protocol }) => protocol !== "udp").map((port) => ({ service, port }));
}

function isSelected({ spec }: Rule<"Gateway">, { selectors }: Profile): boolean {
  return selectors.includes(selectorText(spec.selector));
}

/** What the listeners import, and what the imported VirtualServices send to. */
function reachableThrough(
  egress: readonly EgressScope[],
  find: (host: Hostname) => Service | undefined,
): readonly Reachable[] {
  const imported = egress.flatMap(({ services }) => services);
  const destinations = egress
    .flatMap(({ virtualServices }) => virtualServices)
    .filter(({ gateways }) => gateways.includes("mesh"))
    .flatMap((virtualService) => virtualService.destinations)
    .flatMap(({ host, port }) => {
      const service = host === undefined ? undefined : find(host);
      const ports = service === undefined ? [] : everyPort(service);
      return port === undefined ? ports : ports.filter((reachable) => reachable.port.number === port);
    });
  const unique = new Map(
    [...destinations, ...imported].map((one) => [`${one.service.hostname}:${one.port.number}`, one]),
  );
  return [...unique].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}
