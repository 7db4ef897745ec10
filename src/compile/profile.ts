import { memoize } from "../base/memo.ts";
import type { Rule } from "../config/rule.ts";
import { byAge } from "../model/age.ts";
import type { Cohort } from "../model/hold.ts";
import { type Selector, selectorText, selects } from "../model/labels.ts";
import type { ProxyKind, ProxyNode } from "../model/proxy.ts";
import { portsListenedOn } from "./listening.ts";
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
  /** The proxy's own address, only where its Sidecar rule opens a listener on it or sends to it. */
  readonly address?: string;
  /** Ports that the instances of a proxyless workload listen on, as far as the registries know it; in order. */
  readonly listensOn?: readonly number[];
}

/** Equal profiles have equal keys. */
export const profileKey = (profile: Profile): string => JSON.stringify(profile);

/** What of `node` matters in this world. */
export function profileOf(world: World, node: ProxyNode): Profile {
  const holds = world.holds.filter(({ hold }) => inCohort(hold.cohort, node)).map(({ hold }) => hold.id);
  const choosing = rulesThatChoose(rulesUnderHolds(world, holds.sort()));
  const matching = selectorsFor(choosing, node).filter((selector) => selects(selector, node.labels));
  const profile: Profile = {
    kind: node.kind,
    namespace: node.namespace,
    dnsDomain: node.kind === "gateway" ? "" : node.dnsDomain,
    selectors: [...new Set(matching.map(selectorText))].sort(),
    holds,
  };
  if (node.kind === "proxyless") return { ...profile, listensOn: portsListenedOn(world.catalog, node.addresses) };
  const sidecar = node.kind === "sidecar" ? sidecarFor(choosing.sidecars, world.mesh, profile) : undefined;
  const [address] = node.addresses;
  return address !== undefined && sidecar !== undefined && usesOwnAddress(sidecar.spec)
    ? { ...profile, address }
    : profile;
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
