import { boolean, fail, parsed, text } from "../../base/decode.ts";
import type { KubeResource } from "../../kube/reflector.ts";
import { canonicalAddress } from "../../model/address-bits.ts";
import { type Hostname, parseHostname } from "../../model/hostname.ts";
import { isIpAddress } from "../../model/ip-address.ts";
import { type Distribution, type Service, serviceKey } from "../../model/service.ts";
import { exportTo, exportToAnnotation } from "./export-to.ts";
import type { Place } from "./place.ts";
import { type Projected, projection } from "./projected.ts";
import { readServicePorts } from "./service-ports.ts";
import {
  annotatedDistribution,
  distributionAnnotation,
  type TrafficDistribution,
  trafficDistribution,
} from "./traffic-distribution.ts";

export interface KubeService {
  /** All of it but what its namespace says for services that say nothing. */
  readonly service: Service;
  /** Its namespace has a say on how traffic is distributed. */
  readonly takesDistribution: boolean;
  /** Its instances are used before they are ready. */
  readonly publishesNotReady: boolean;
}

export interface ServiceOptions {
  /** The name of the registry. */
  readonly registry: string;
  /** The cluster's domain, for example `cluster.local`. */
  readonly domain: string;
}

export const services = (options: ServiceOptions): KubeResource<Projected<KubeService>> => ({
  base: "/api/v1",
  plural: "services",
  project: projection("Service", (object) => readService(object, options)),
});

const word = text({ minLength: 0, maxLength: 253 });
const ipAddress = parsed((value) => (isIpAddress(value) ? canonicalAddress(value) : undefined), "an IP address");
const hostname = parsed(parseHostname, "a host name", { maxLength: 254 });
/** One that can be resolved. */
const aliasTarget = parsed((value) => (isIpAddress(value) ? undefined : parseHostname(value)), "a host name", {
  maxLength: 254,
  hint: "An ExternalName is resolved as a name; for an address, use a service without selector and an EndpointSlice.",
});
const time = parsed((value) => {
  const ms = Date.parse(value);
  return Number.isNaN(ms) ? undefined : ms;
}, "a time");

const maxAddresses = 256;

function readService(object: Place, { registry, domain }: ServiceOptions): KubeService | undefined {
  const [metadata, spec] = [object.at("metadata"), object.at("spec")];
  const namespace = metadata.at("namespace").read(word) ?? "";
  const host = hostOf(metadata, namespace, domain);
  if (host === undefined) return undefined;
  const common = {
    key: serviceKey(namespace, host),
    hostname: host,
    namespace,
    ...visibility(metadata, namespace),
    external: false,
    createdAt: metadata.at("creationTimestamp").read(time) ?? 0,
    origin: { kind: "registry", registry },
  } as const;
  if (spec.at("type").read(word) === "ExternalName") {
    const aliasOf = spec.at("externalName").read(aliasTarget);
    if (aliasOf === undefined) return undefined;
    const service: Service = { ...common, addresses: [], ports: [], resolution: "instances", aliasOf };
    return { service, takesDistribution: false, publishesNotReady: false };
  }
  const said = distributionOf(metadata, spec);
  const service: Service = { ...common, ...reachOf(object), ...distributed(said) };
  return {
    service,
    takesDistribution: said === undefined,
    publishesNotReady: spec.at("publishNotReadyAddresses").read(boolean) ?? false,
  };
}

function hostOf(metadata: Place, namespace: string, domain: string): Hostname | undefined {
  const place = metadata.at("name");
  const host = parseHostname(`${place.read(word) ?? ""}.${namespace}.svc.${domain}`);
  if (host === undefined) fail(place, "invalid-value", "It makes no host name: that would be too long, or malformed.");
  return host;
}

function visibility(metadata: Place, namespace: string): Pick<Service, "visibleIn"> {
  const visibleIn = metadata.at("annotations", exportToAnnotation).read(exportTo(namespace));
  return visibleIn === undefined || visibleIn === "everywhere" ? {} : { visibleIn };
}

/** How it is reached, in the cluster and from outside. */
function reachOf(
  object: Place,
): Pick<Service, "addresses" | "resolution" | "ports" | "externalAddresses" | "nodePorts"> {
  const spec = object.at("spec");
  const { ports, nodePorts } = readServicePorts(spec.at("ports"));
  const isHeadless = spec.at("clusterIP").read(word) === "None";
  const externalAddresses = externalAddressesOf(object);
  return {
    addresses: isHeadless ? [] : clusterAddresses(spec),
    resolution: isHeadless ? "original-destination" : "instances",
    ports,
    ...(externalAddresses.length > 0 && { externalAddresses }),
    ...(Object.keys(nodePorts).length > 0 && { nodePorts }),
  };
}

/** The first one says which family is the service's own. */
function clusterAddresses(spec: Place): readonly string[] {
  const all = spec.at("clusterIPs").items(maxAddresses);
  const places = all.length > 0 ? all : [spec.at("clusterIP")];
  return unique(places.filter((place) => place.read(word) !== "").map((place) => place.read(ipAddress)));
}

/** What a load balancer gave, and what the administrator brings to the nodes. */
function externalAddressesOf(object: Place): readonly string[] {
  const ingress = object.at("status", "loadBalancer", "ingress").items(maxAddresses);
  return unique([
    ...ingress.flatMap((one) => [one.at("ip").read(ipAddress), one.at("hostname").read(hostname)]),
    ...object
      .at("spec", "externalIPs")
      .items(maxAddresses)
      .map((one) => one.read(ipAddress)),
  ]);
}

/** Undefined: its namespace may say. */
function distributionOf(metadata: Place, spec: Place): TrafficDistribution | "same-node" | undefined {
  if (spec.at("internalTrafficPolicy").read(word) === "Local") return "same-node";
  const place = spec.at("trafficDistribution");
  // A value that we do not know is still the service's own.
  if (!place.isAbsent) return place.read(trafficDistribution) ?? "any";
  const annotation = metadata.at("annotations", distributionAnnotation);
  return annotation.isAbsent ? undefined : (annotation.read(annotatedDistribution) ?? "any");
}

export const distributed = (
  distribution: TrafficDistribution | "same-node" | undefined,
): { readonly distribution?: Distribution } =>
  distribution === undefined || distribution === "any" ? {} : { distribution };

const unique = (values: readonly (string | undefined)[]): readonly string[] => [
  ...new Set(values.filter((value) => value !== undefined)),
];
