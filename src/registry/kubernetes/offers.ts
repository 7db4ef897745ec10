import { compareText } from "../../base/compare-text.ts";
import type { KubePod } from "./pod.ts";
import type { EndpointCondition, KubeEndpoint, KubeSlice, SlicePorts } from "./slice.ts";

/** What one slice says of one copy of a service. Several slices may speak of the same copy. */
export interface Offer {
  /** The name of its pod; its address where it has none. */
  readonly copy: string;
  readonly slice: string;
  readonly endpoint: KubeEndpoint;
  readonly ports: SlicePorts;
  readonly pod?: KubePod;
}

/** A slice with its key, `namespace/name`. */
export type NamedSlice = readonly [string, KubeSlice];

/** Finds a pod by `namespace/name`. */
export type FindPod = (key: string) => KubePod | undefined;

/**
 * What the slices offer, the best of those that speak of the same thing first. A pod's endpoint is held back until the pod itself is
 * known: without it nobody can say who that is. What is gone is no offer.
 */
export function offersOf(slices: Iterable<NamedSlice>, findPod: FindPod): readonly Offer[] {
  const offers: Offer[] = [];
  for (const [slice, kept] of slices) {
    for (const endpoint of kept.endpoints) {
      if (endpoint.condition === "gone") continue;
      const common = { slice, endpoint, ports: kept.ports };
      if (endpoint.pod === undefined) {
        offers.push({ ...common, copy: endpoint.address });
        continue;
      }
      const pod = podOfEndpoint(kept, endpoint, findPod);
      if (pod !== undefined) offers.push({ ...common, copy: endpoint.pod.name, pod });
    }
  }
  return withoutTaken(offers.sort(byPreference));
}

/** The very pod that an endpoint names; undefined while that is not known, or another one has its name. */
export function podOfEndpoint({ service }: KubeSlice, { pod }: KubeEndpoint, findPod: FindPod): KubePod | undefined {
  if (pod === undefined) return undefined;
  const found = findPod(`${service.slice(0, service.indexOf("/"))}/${pod.name}`);
  return pod.uid === undefined || pod.uid === found?.uid ? found : undefined;
}

const ranks: Readonly<Record<EndpointCondition, number>> = { ready: 0, "not-ready": 1, draining: 1, gone: 1 };

/** While slices are rebalanced an endpoint may be in two, and an address that was free again may be in one as its old pod's. */
const byPreference = (a: Offer, b: Offer): number =>
  Number(a.endpoint.isTerminating ?? false) - Number(b.endpoint.isTerminating ?? false) ||
  ranks[a.endpoint.condition] - ranks[b.endpoint.condition] ||
  compareText(a.slice, b.slice);

/** An address belongs to the first copy that offers a port there: another one keeps only what is left of its ports. */
function withoutTaken(offers: readonly Offer[]): readonly Offer[] {
  const copies = new Map<string, string>();
  const isShared = offers.some(({ endpoint: { address }, copy }) => {
    const first = copies.get(address) ?? copy;
    copies.set(address, first);
    return first !== copy;
  });
  if (!isShared) return offers;
  const owners = new Map<string, string>();
  const isOwn = (offer: Offer, number: number | undefined): boolean => {
    const place = `${offer.endpoint.address} ${number}`;
    const owner = owners.get(place) ?? offer.copy;
    owners.set(place, owner);
    return owner === offer.copy;
  };
  return offers.flatMap((offer) => {
    const ports = Object.entries(offer.ports);
    if (ports.length === 0) return isOwn(offer, undefined) ? [offer] : [];
    const own = ports.filter(([, number]) => isOwn(offer, number));
    if (own.length === ports.length) return [offer];
    return own.length === 0 ? [] : [{ ...offer, ports: Object.fromEntries(own) }];
  });
}
