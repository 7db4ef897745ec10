import { createInterner } from "../base/intern.ts";
import { memoize } from "../base/memo.ts";
import type { Rule } from "../config/rule.ts";
import { byAge } from "../model/age.ts";
import type { Cohort } from "../model/hold.ts";
import { familiesOf, type IpFamilies } from "../model/ip-families.ts";
import { type Selector, selectorText, selects } from "../model/labels.ts";
import type { InterceptionMode, ProxyKind, ProxyNode } from "../model/proxy.ts";
import { type Place, placeAsked } from "./distribution.ts";
import { type ImplementedPort, portsImplemented, workloadAt } from "./implemented.ts";
import { sidecarFor, usesOwnAddress } from "./sidecar-choice.ts";
import { rulesUnderHolds, type World } from "./world.ts";

/**
 * All of a proxy that may change what it gets, and no more: proxies with equal profiles get equal bytes, because the
 * compiler sees nothing else of them. Labels are here only as the selectors in force that match them, addresses only
 * where a rule in force asks for them.
 */
export interface Profile {
  readonly kind: ProxyKind;
  readonly namespace: string;
  /** What short host names are completed with; gateways answer to full names only and have none. */
  readonly dnsDomain: string;
  /** Canonical texts of the selectors in force that match the proxy, in order. */
  readonly selectors: readonly string[];
  /** Ids of the holds whose cohort the proxy belongs to, in order. */
  readonly holds: readonly string[];
  /** How connections come to a sidecar; gateways and gRPC processes have them made to them. */
  readonly interception: InterceptionMode;
  /** Of a sidecar's own addresses; gateways listen where their rules say. */
  readonly families: IpFamilies;
  /** Where it is, as far as a service that it may see asks for it. */
  readonly place?: Place;
  /** What a sidecar's workload implements, where connections to it are captured and no rule says what becomes of them. */
  readonly implemented?: readonly ImplementedPort[];
  /** The proxy's own address, only where its Sidecar rule opens a listener on it or sends to it. */
  readonly address?: string;
  /** Ports that the instances of a proxyless workload listen on, as far as the registries know it; in order. */
  readonly listensOn?: readonly number[];
}

/** Equal profiles have equal keys. */
export const profileKey = (profile: Profile): string => JSON.stringify(profile);

const profiles = createInterner<Profile>(profileKey, () => true);

/** A profile without its workload's own services: one object for all that are alike but for these. */
export const withoutImplemented = memoize(({ implemented: _, ...rest }: Profile): Profile => profiles.the(rest));

/** The same without its place, too. */
export const withoutPlace = memoize(({ implemented: _, place: __, ...rest }: Profile): Profile => profiles.the(rest));

/** What of `node` matters in this world. */
export function profileOf(world: World, node: ProxyNode): Profile {
  const holds = world.holds.filter(({ hold }) => inCohort(hold.cohort, node)).map(({ hold }) => hold.id);
  const rules = rulesUnderHolds(world, holds.sort());
  const choosing = rulesThatChoose(rules);
  const matching = selectorsFor(choosing, node).filter((selector) => selects(selector, node.labels));
  const place = placeAsked(world.catalog.services, node, () => workloadAt(world.catalog, node.addresses));
  const profile: Profile = {
    kind: node.kind,
    namespace: node.namespace,
    dnsDomain: node.kind === "gateway" ? "" : node.dnsDomain,
    selectors: [...new Set(matching.map(selectorText))].sort(),
    holds,
    interception: "none",
    families: "ipv4",
    ...(place && { place }),
  };
  if (node.kind === "gateway") return profile;
  const implemented = () => portsImplemented({ catalog: world.catalog, rules }, node.addresses);
  if (node.kind === "proxyless") {
    return { ...profile, listensOn: [...new Set(implemented().map(({ target }) => target))].sort((a, b) => a - b) };
  }
  const interception = node.interceptionMode;
  const sidecar = sidecarFor(choosing.sidecars, world.mesh, profile);
  const [address] = node.addresses;
  return {
    ...profile,
    ...{ interception, families: familiesOf(node.addresses) },
    ...(interception !== "none" && (sidecar?.spec.ingress ?? []).length === 0 && { implemented: implemented() }),
    ...(address !== undefined && sidecar !== undefined && usesOwnAddress(sidecar.spec, interception) && { address }),
  };
}

/** The rules that proxies are told apart by, oldest first; one walk over all rules for all proxies. */
interface Choosing {
  readonly sidecars: readonly Rule<"Sidecar">[];
  readonly gateways: readonly Rule<"Gateway">[];
}

const rulesThatChoose = memoize((rules: World["rules"]): Choosing => {
  const all = [...rules.values()];
  return {
    sidecars: all.filter((rule) => rule.kind === "Sidecar").sort(byAge),
    gateways: all.filter((rule) => rule.kind === "Gateway").sort(byAge),
  };
});

/** The selectors that may tell this proxy from its neighbours. */
function selectorsFor({ sidecars, gateways }: Choosing, { kind, namespace }: ProxyNode): readonly Selector[] {
  if (kind === "gateway") return gateways.map(({ spec }) => spec.selector);
  if (kind !== "sidecar") return [];
  return sidecars
    .filter((rule) => rule.namespace === namespace)
    .map(({ spec }) => spec.workloadSelector)
    .filter((selector) => selector !== undefined);
}

function inCohort({ kind, labels, client }: Cohort, node: ProxyNode): boolean {
  return (
    (kind === undefined || kind === node.kind) &&
    (labels === undefined || selects(labels, node.labels)) &&
    (client === undefined || (client.name === node.client.name && node.client.version.startsWith(client.version)))
  );
}
