import { keepSameList, memoize } from "../base/memo.ts";
import type { Rule } from "../config/rule.ts";
import type { Catalog } from "../model/catalog.ts";
import type { Hostname } from "../model/hostname.ts";
import type { Instance } from "../model/instance.ts";
import { selectorText } from "../model/labels.ts";
import type { MeshSettings } from "../model/mesh-settings.ts";
import type { Service } from "../model/service.ts";
import { type NamedService, withAliases } from "./aliases.ts";
import {
  type DestinationIndex,
  type DestinationPolicy,
  destinationRulesFor,
  indexDestinationRules,
  mergeDestinationRules,
} from "./destination-policy.ts";
import { createFrames, type Frame, type FrameSources } from "./frame.ts";
import { forMesh } from "./governing-rules.ts";
import type { Profile } from "./profile.ts";
import { createRuleSorters, type RulesByKind } from "./rules-by-kind.ts";
import {
  type EgressScope,
  egressScopes,
  everyPort,
  importedVirtualServices,
  type Reachable,
  wholeMesh,
} from "./scope.ts";
import { type AddingEntry, addingEntries, createServiceTables } from "./service-table.ts";
import { sidecarFor } from "./sidecar-choice.ts";
import { outboundPolicyOf, sidecarSettings } from "./sidecar-settings.ts";
import { type BoundVirtualService, bindVirtualService } from "./virtual-service.ts";
import { servicesByHost } from "./visible-services.ts";
import { rulesUnderHolds, type World } from "./world.ts";

/** The part of a world that a profile may see: the compiler's only argument. */
export interface View extends Frame {
  /** All of it but what follows: the same object as long as nothing else changes. */
  readonly frame: Frame;
  readonly instancesOf: (service: Service) => readonly Instance[];
  /** The instances of the registries' services, of which the profile may see some. */
  readonly instances: Catalog["instances"];
  readonly policyFor: (service: Service) => DestinationPolicy | undefined;
  /** All DestinationRules, of which some may be for it. */
  readonly policies: DestinationIndex;
}

/** Makes views; remembers what several of them share by the identity of what it was made from. `onFrame` hears of each new frame. */
export function createViewer(onFrame: () => void = () => {}): (world: World, profile: Profile) => View {
  const sorted = createRuleSorters();
  const tables = memoize((_entries: readonly AddingEntry[]) => createServiceTables());
  const table = memoize((services: Catalog["services"], entries: readonly AddingEntry[]) =>
    tables(entries)(services, entries),
  );
  const bind = memoize(bindVirtualService);
  const bound = memoize((rules: RulesByKind["VirtualService"], mesh: MeshSettings) =>
    rules.map((rule) => bind(rule, mesh)),
  );
  const destinationIndex = memoize(indexDestinationRules);
  const merge = memoize(mergeDestinationRules);
  const policy = memoize((index: DestinationIndex, service: Service, mesh: MeshSettings, namespace: string) =>
    merge(...destinationRulesFor(index, service, namespace, mesh)),
  );
  const visible = memoize(servicesByHost);
  const sameGateways = keepSameList<Rule<"Gateway">>();
  const selectedGateways = memoize((profile: Profile, rules: RulesByKind["Gateway"]) =>
    sameGateways(
      profile,
      rules.filter((rule) => isSelected(rule, profile)),
    ),
  );
  const sameVirtualServices = keepSameList<BoundVirtualService>();
  const everybody = {};
  const relevant = memoize(
    (
      profile: Profile,
      all: readonly BoundVirtualService[],
      gateways: readonly Rule<"Gateway">[],
      sidecar: Rule<"Sidecar"> | undefined,
    ) => {
      const list = relevantVirtualServices(profile, all, gateways, sidecar);
      // What all follow who follow the mesh's rules is one list for them.
      return sameVirtualServices(list === forMesh(all) ? everybody : profile, list);
    },
  );
  const sidecarOf = memoize((profile: Profile, rules: RulesByKind["Sidecar"], mesh: MeshSettings) =>
    sidecarFor(rules, mesh, profile),
  );

  const everything = memoize((all: readonly (readonly NamedService[])[]) =>
    all.flatMap((candidates) => candidates.slice(0, 1)).flatMap(everyPort),
  );
  const byService = memoize((all: readonly Reachable[]) => Map.groupBy(all, ({ service }) => service.key));

  const newFrame = (from: FrameSources, find: Frame["findService"]): Frame => {
    onFrame();
    const { profile, services, virtualServices, gateways, mesh, sidecar } = from;
    const { interception, families, kind } = profile;
    const all = withAliases(visible(services, profile.namespace));
    const seesEverything = sidecar === undefined || sidecar.spec.egress.length === 0;
    const egress = seesEverything
      ? kind === "sidecar"
        ? [wholeMesh(interception, everything(all), virtualServices)]
        : []
      : egressScopes(sidecar, profile, all, virtualServices);
    const reachable = seesEverything ? everything(all) : reachableThrough(egress, find);
    return {
      ...{ profile, mesh, sidecar, egress, gateways, virtualServices, reachable },
      settings: sidecarSettings(mesh, outboundPolicyOf(mesh, sidecar), interception, families),
      reachableOf: (service) => byService(reachable).get(service) ?? [],
      findService: find,
    };
  };
  const frameOf = createFrames(newFrame);

  return (world, profile) => {
    const { mesh, catalog } = world;
    const rules = rulesUnderHolds(world, profile.holds);
    const kinds = sorted(rules, profile.holds);
    const services = table(catalog.services, addingEntries(kinds.ServiceEntry));
    const gateways = profile.kind === "gateway" ? selectedGateways(profile, kinds.Gateway) : noGateways;
    const sidecar = profile.kind === "sidecar" ? sidecarOf(profile, kinds.Sidecar, mesh) : undefined;
    const virtualServices = relevant(profile, bound(kinds.VirtualService, mesh), gateways, sidecar);
    const frame = frameOf({ profile, services, virtualServices, gateways, mesh, sidecar });
    const policies = destinationIndex(kinds.DestinationRule, mesh);
    return {
      ...frame,
      frame,
      policies,
      policyFor: (service) => policy(policies, service, mesh, profile.namespace),
      instances: catalog.instances,
      instancesOf: (service) =>
        (service.origin.kind === "rule" ? services.entryInstances : catalog.instances).get(service.key) ?? noInstances,
    };
  };
}

/** Gateways look at rules that name one of their Gateways, all others at what is for the mesh, or what their Sidecar rule imports. */
function relevantVirtualServices(
  { kind, namespace }: Profile,
  all: readonly BoundVirtualService[],
  gateways: readonly Rule<"Gateway">[],
  sidecar: Rule<"Sidecar"> | undefined,
): readonly BoundVirtualService[] {
  if (sidecar !== undefined && sidecar.spec.egress.length > 0) return importedVirtualServices(sidecar, namespace, all);
  if (kind !== "gateway") return forMesh(all);
  const names = gateways.map((gateway) => `${gateway.namespace}/${gateway.name}`);
  return all.filter((virtualService) => virtualService.gateways.some((gateway) => names.includes(gateway)));
}

const noGateways: RulesByKind["Gateway"] = [];

/** One object, so that having no instances is always the same. */
const noInstances: readonly Instance[] = Object.freeze([]);

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
