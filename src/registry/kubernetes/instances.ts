import { compareText } from "../../base/compare-text.ts";
import { memoize } from "../../base/memo.ts";
import type { Health, Instance } from "../../model/instance.ts";
import { isIpv6 } from "../../model/ip-address.ts";
import type { Locality } from "../../model/locality.ts";
import type { ServicePort } from "../../model/port.ts";
import { localityOf, unknownLocality } from "./locality-labels.ts";
import type { Offer } from "./offers.ts";
import type { KubeService } from "./service.ts";
import type { EndpointCondition, SlicePorts } from "./slice.ts";

/** Finds where a node stands. */
export type FindNode = (name: string) => Locality | undefined;

/** One copy, of all that slices say of it without contradiction. */
interface Copy {
  readonly id: string;
  /** At most one of each IP family, the best first. */
  readonly offers: readonly [Offer, ...Offer[]];
  readonly ports: SlicePorts;
}

/** The instances of a service in the order of their ids; the best of the offers come first. */
export function instancesOf(
  { service, publishesNotReady }: KubeService,
  offers: readonly Offer[],
  findNode: FindNode,
): readonly Instance[] {
  const registry = service.origin.kind === "registry" ? service.origin.registry : "";
  const isIpv6First = isIpv6(service.addresses[0] ?? "");
  return copiesOf(offers)
    .map(({ id, offers: [best, ...more], ports }): Instance => {
      const { endpoint, pod } = best;
      const [address = endpoint.address, ...otherAddresses] = [best, ...more]
        .map((offer) => offer.endpoint.address)
        .sort((a, b) => familyRank(a, isIpv6First) - familyRank(b, isIpv6First));
      const node = pod?.node ?? endpoint.node;
      return {
        id,
        address,
        ...(otherAddresses.length > 0 && { otherAddresses }),
        ...listens(ports, service.ports),
        labels: pod?.labels ?? noLabels,
        locality: localityOfOffer(best, node === undefined ? undefined : findNode(node)),
        weight: 1,
        health: publishesNotReady ? "healthy" : healths[endpoint.condition],
        registry,
        ...(node !== undefined && { node }),
        ...(pod?.serviceAccount !== undefined && { serviceAccount: pod.serviceAccount }),
        ...(pod?.network !== undefined && { network: pod.network }),
        ...(endpoint.hostname !== undefined && { hostname: endpoint.hostname }),
      };
    })
    .sort((a, b) => compareText(a.id, b.id));
}

const noLabels = {};

const healths: Readonly<Record<EndpointCondition, Health>> = {
  ready: "healthy",
  "not-ready": "unhealthy",
  draining: "draining",
  gone: "draining",
};

const familyRank = (address: string, isIpv6First: boolean): number => Number(isIpv6(address) !== isIpv6First);

/** Whoever knows best: the pod's own word, its node, what the pod has of its node, its slice. */
const localityOfOffer = ({ pod, endpoint: { zone } }: Offer, ofNode: Locality | undefined): Locality =>
  pod?.locality ?? ofNode ?? pod?.nodeLocality ?? (zone === undefined ? unknownLocality : localityOf("", zone, ""));

/**
 * An offer joins the first copy of its name that it does not contradict: one of the other IP family, or with other ports of the same
 * address. What contradicts (a pod with two addresses of one family, an address with two numbers of one port) is a copy of its own.
 */
function copiesOf(offers: readonly Offer[]): readonly Copy[] {
  const byName = new Map<string, Copy[]>();
  for (const offer of offers) {
    const copies = byName.get(offer.copy) ?? [];
    byName.set(offer.copy, copies);
    const at = copies.findIndex((copy) => agrees(copy, offer));
    const copy = copies[at];
    if (copy !== undefined) copies[at] = joined(copy, offer);
    else {
      const id = copies.length === 0 ? offer.copy : `${offer.copy}/${offer.slice}/${offer.endpoint.address}`;
      copies.push({ id, offers: [offer], ports: offer.ports });
    }
  }
  return [...byName.values()].flat();
}

function agrees({ offers, ports }: Copy, { endpoint: { address }, ports: offered }: Offer): boolean {
  const sameFamily = offers.find((one) => isIpv6(one.endpoint.address) === isIpv6(address));
  if (sameFamily !== undefined && sameFamily.endpoint.address !== address) return false;
  return Object.entries(offered).every(([name, number]) => (ports[name] ?? number) === number);
}

function joined(copy: Copy, offer: Offer): Copy {
  const isKnown = copy.offers.some(({ endpoint: { address } }) => address === offer.endpoint.address);
  return {
    id: copy.id,
    offers: isKnown ? copy.offers : [...copy.offers, offer],
    ports: offer.ports === copy.ports ? copy.ports : { ...offer.ports, ...copy.ports },
  };
}

/** What of the service's ports a copy listens on. */
const listens = memoize((offered: SlicePorts, declared: readonly ServicePort[]): Pick<Instance, "ports" | "lacks"> => {
  const names = declared.map(({ name }) => name);
  const lacks = names.filter((name) => !Object.hasOwn(offered, name));
  const ports = Object.fromEntries(Object.entries(offered).filter(([name]) => names.includes(name)));
  return { ports, ...(lacks.length > 0 && { lacks }) };
});
