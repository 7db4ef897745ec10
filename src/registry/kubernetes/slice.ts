import { boolean, fail, integer, parsed, text } from "../../base/decode.ts";
import { createInterner } from "../../base/intern.ts";
import type { KubeResource } from "../../kube/reflector.ts";
import { canonicalAddress } from "../../model/address-bits.ts";
import { isIpv4, isIpv6 } from "../../model/ip-address.ts";
import type { Place } from "./place.ts";
import { type Projected, projection } from "./projected.ts";

/** Some of a service's endpoints, all of one IP family and with the same ports. */
export interface KubeSlice {
  /** `namespace/name` of its service. */
  readonly service: string;
  /** By port name. A port that is missing here is one that these endpoints do not have. */
  readonly ports: SlicePorts;
  readonly endpoints: readonly KubeEndpoint[];
}

export type SlicePorts = Readonly<Record<string, number>>;

export interface KubeEndpoint {
  readonly address: string;
  /** The pod that it is, of the slice's namespace; absent: it is none. */
  readonly pod?: { readonly name: string; readonly uid?: string };
  readonly node?: string;
  readonly zone?: string;
  readonly hostname?: string;
  readonly condition: EndpointCondition;
  /** It is going. Where a service publishes what is not ready, it may be ready all the same. */
  readonly isTerminating?: true;
}

/** `draining`: it is going and still answers; `gone`: it is going and does not. */
export type EndpointCondition = "ready" | "not-ready" | "draining" | "gone";

/** The API server takes no more. */
const maxEndpoints = 1_000;
const maxPorts = 20_000;

const serviceLabel = "kubernetes.io/service-name";
/** Of slices that tell of other clusters. */
const otherClustersLabel = "multicluster.kubernetes.io/service-name";

export const slices: KubeResource<Projected<KubeSlice>> = {
  base: "/apis/discovery.k8s.io/v1",
  plural: "endpointslices",
  labelSelector: `${serviceLabel},!${otherClustersLabel}`,
  project: projection("EndpointSlice", readSlice),
};

const word = text({ maxLength: 253 });
const portName = text({ minLength: 0, maxLength: 63 });
const portNumber = integer({ min: 1, max: 65_535 });

/** By the type of address of a slice. */
const addresses = {
  IPv4: parsed((value) => (isIpv4(value) ? value : undefined), "an IPv4 address"),
  IPv6: parsed((value) => (isIpv6(value) ? canonicalAddress(value) : undefined), "an IPv6 address"),
};

function readSlice(object: Place): KubeSlice | undefined {
  const metadata = object.at("metadata");
  const namespace = metadata.at("namespace").read(word) ?? "";
  const name = metadata.at("labels", serviceLabel).read(word);
  if (name === undefined || !metadata.at("labels", otherClustersLabel).isAbsent) return undefined;
  const address = addressDecoder(object.at("addressType"));
  if (address === undefined) return undefined;
  return {
    service: `${namespace}/${name}`,
    ports: knownPorts.the(readPorts(object.at("ports"))),
    endpoints: object
      .at("endpoints")
      .items(maxEndpoints)
      .flatMap((place) => readEndpoint(place, address, namespace) ?? []),
  };
}

function addressDecoder(place: Place) {
  const type = place.read(word);
  if (type === "IPv4" || type === "IPv6") return addresses[type];
  const hint = "Use a service of the type ExternalName for host names.";
  fail(place, "unsupported-value", `Slices of the address type ${type} are not used.`, hint);
  return undefined;
}

/** Slices of one workload have one object of ports, mostly. */
const knownPorts = createInterner<SlicePorts>(JSON.stringify, (a, b) => JSON.stringify(a) === JSON.stringify(b));

/** A port without a number means "all ports", which is no port to send to. */
const readPorts = (place: Place): SlicePorts =>
  Object.fromEntries(
    place
      .items(maxPorts)
      .map((port) => [port.at("name").read(portName) ?? "", port.at("port").read(portNumber)] as const)
      .filter((entry): entry is readonly [string, number] => entry[1] !== undefined),
  );

function readEndpoint(
  place: Place,
  addressOf: (typeof addresses)["IPv4"],
  namespace: string,
): KubeEndpoint | undefined {
  // Only the first one has a meaning, says the API.
  const address = place.at("addresses").items(maxEndpoints)[0]?.read(addressOf);
  if (address === undefined) return undefined;
  const pod = readPod(place.at("targetRef"), namespace);
  const node = place.at("nodeName").read(word);
  const zone = place.at("zone").read(word);
  const hostname = place.at("hostname").read(word);
  return {
    address,
    ...(pod && { pod }),
    ...(node !== undefined && { node }),
    ...(zone !== undefined && { zone }),
    ...(hostname !== undefined && { hostname }),
    ...stateOf(place.at("conditions")),
  };
}

/** A pod of another namespace is nobody's to lend its identity from. */
function readPod(target: Place, namespace: string): KubeEndpoint["pod"] {
  if (target.at("kind").read(word) !== "Pod") return undefined;
  const name = target.at("name").read(word);
  if (name === undefined) return undefined;
  const there = target.at("namespace").read(word) ?? namespace;
  if (there !== namespace) {
    fail(target, "invalid-value", `A pod of the namespace ${there} is taken for an address without a pod.`);
    return undefined;
  }
  const uid = target.at("uid").read(word);
  return { name, ...(uid !== undefined && { uid }) };
}

/** What is not said counts as the API says: ready and serving, and not terminating. */
function stateOf(conditions: Place): Pick<KubeEndpoint, "condition" | "isTerminating"> {
  const ready = conditions.at("ready").read(boolean) ?? true;
  const serving = conditions.at("serving").read(boolean) ?? true;
  if (!(conditions.at("terminating").read(boolean) ?? false)) return { condition: ready ? "ready" : "not-ready" };
  return { condition: ready ? "ready" : serving ? "draining" : "gone", isTerminating: true };
}
