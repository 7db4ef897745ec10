import {
  below,
  boolean,
  choice,
  type Decoder,
  described,
  type Failed,
  fail,
  integer,
  list,
  mapOf,
  mapped,
  parsed,
  refined,
  type Site,
  stringMap,
  text,
} from "../base/decode.ts";
import { object, optional, required, withDefault } from "../base/decode-object.ts";
import { inAnyCase } from "../base/json-schema.ts";
import { canonicalAddress } from "../model/address-bits.ts";
import type { CatalogEntry } from "../model/catalog.ts";
import { labelGrammar, plainHostGrammar } from "../model/grammars.ts";
import { type Hostname, parseHostname } from "../model/hostname.ts";
import type { Health, Instance } from "../model/instance.ts";
import { isIpAddress, isIpv6 } from "../model/ip-address.ts";
import type { Labels } from "../model/labels.ts";
import { type Locality, parseLocality } from "../model/locality.ts";
import { type Protocol, parseProtocol, protocolNames, type ServicePort } from "../model/port.ts";
import { type Resolution, serviceKey } from "../model/service.ts";
import { maxServiceAddresses, serviceAddress } from "../model/service-address.ts";
import { protocolOfPort } from "./port-protocol.ts";
import {
  checkInstanceAddress,
  checkInstancePorts,
  checkReach,
  checkServicePorts,
  checkUnique,
  type Reach,
} from "./service-checks.ts";

export interface CatalogFormatOptions {
  /** The name of the registry that reports what is decoded. */
  readonly registry: string;
  /** Completes `name` and `namespace` to a host, for example `cluster.local`. */
  readonly domain: string;
}

/**
 * One document of the registry `file`: a list `services`, each with its ports and instances.
 *
 *     services:
 *       - host: reviews.shop.svc.cluster.local   # or name and namespace
 *         addresses: [10.96.0.1]
 *         ports: [{ name: http, number: 9080 }]
 *         instances: [{ address: 10.0.0.7, ports: { http: 8080 }, labels: { version: v1 } }]
 */
export function catalogDocument(options: CatalogFormatOptions): Decoder<readonly CatalogEntry[]> {
  const service = mapped(refined(serviceFields, checkService), (fields, site) => entryOf(fields, site, options));
  return mapped(object({ services: required(list(service, { max: 50_000 })) }), ({ services }) => services);
}

/** A service as it was written. */
interface ServiceFields extends Reach {
  readonly host?: Hostname;
  readonly name?: string;
  readonly namespace?: string;
  readonly ports: readonly ServicePort[];
  readonly external: boolean;
  readonly instances: readonly InstanceFields[];
}

interface InstanceFields {
  readonly id?: string;
  readonly address: string;
  readonly ports: Readonly<Record<string, number>>;
  readonly labels: Labels;
  readonly locality: Locality;
  readonly weight: number;
  readonly health: Health;
}

/** The host name of a service; no wildcard. */
export const serviceHost = parsed(parsePlainHost, "a host name", {
  maxLength: 254,
  hint: "Write letters, digits, - and _ with dots between them; no wildcard.",
  pattern: plainHostGrammar,
});

/** A namespace or the name of a port. */
export const dnsLabel = parsed((value) => value, "a name of lower-case letters, digits and -", {
  maxLength: 63,
  pattern: labelGrammar,
});

const protocol = parsed<Protocol>(parseProtocol, "a protocol", {
  hint: `Known are ${protocolNames.join(", ")}.`,
  pattern: new RegExp(`^(${protocolNames.map(inAnyCase).join("|")})$`),
});

const portNumber = integer({ min: 1, max: 65_535 });

const port: Decoder<ServicePort> = mapped(
  object({ name: required(dnsLabel), number: required(portNumber), protocol: optional(protocol) }),
  ({ name, number, protocol: declared }) => ({ name, number, protocol: declared ?? protocolOfPort(name, number) }),
);

const address = described(
  parsed(
    (value) => (isIpAddress(value) ? canonicalAddress(value) : parsePlainHost(value)),
    "an IP address or a host name",
    {
      maxLength: 254,
      hint: "Ports have a field of their own.",
    },
  ),
  { anyOf: [{ pattern: plainHostGrammar.source }, { format: "ipv4" }, { format: "ipv6" }] },
);

const locality = parsed<Locality>(parseLocality, "a locality like region/zone/subzone", {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  pattern: /^[^/\u0000-\u001f\u007f]*(\/[^/\u0000-\u001f\u007f]*){0,2}$/u,
});

const health = choice<Health>({ healthy: "healthy", unhealthy: "unhealthy", draining: "draining" });

export const instanceId = text({ maxLength: 253 });

/** What every registration of an instance may say, whichever way it comes. */
export const instanceFields = {
  address: required(address),
  ports: withDefault(mapOf(portNumber, { max: 64 }), {}),
  labels: withDefault(stringMap, {}),
  locality: withDefault(locality, parseLocality("")),
  weight: withDefault(integer({ min: 0, max: 2 ** 32 - 1 }), 1),
  health: withDefault(health, "healthy"),
} as const;

const instance: Decoder<InstanceFields> = object({ id: optional(instanceId), ...instanceFields });

/** The ports of a service, before `checkServicePorts`. */
export const servicePorts: Decoder<readonly ServicePort[]> = list(port, { min: 1, max: 64 });

/** How clients reach a service, before `checkReach`. */
export const reachFields = {
  addresses: withDefault(list(serviceAddress, { max: maxServiceAddresses }), []),
  headless: withDefault(boolean, false),
} as const;

const serviceFields: Decoder<ServiceFields> = object({
  host: optional(serviceHost),
  name: optional(dnsLabel),
  namespace: optional(dnsLabel),
  ...reachFields,
  ports: required(servicePorts),
  external: withDefault(boolean, false),
  instances: withDefault(list(instance, { max: 100_000 }), []),
});

/** A host name without wildcards; undefined for anything else, also for an address gone wrong, for example 10.0.0.256. */
export function parsePlainHost(value: string): Hostname | undefined {
  return plainHostGrammar.test(value) ? parseHostname(value) : undefined;
}

function checkService({ ports, instances, ...reach }: ServiceFields, site: Site): void {
  checkServicePorts(ports, below(site, "ports"));
  checkReach(reach, site);
  checkUnique(
    instances.map((item) => item.id ?? defaultId(item, ports)),
    "instance id",
    below(site, "instances"),
    "id",
  );
  for (const [index, item] of instances.entries()) {
    const at = below(below(site, "instances"), index);
    checkInstanceAddress(item.address, reach, below(at, "address"));
    checkInstancePorts(item.ports, ports, below(at, "ports"));
  }
}

function entryOf(fields: ServiceFields, site: Site, { registry, domain }: CatalogFormatOptions): CatalogEntry | Failed {
  const hostname = hostOf(fields, domain);
  if (typeof hostname !== "string") return fail(site, hostname.code, hostname.message, hostname.hint);
  const namespace = fields.namespace ?? namespaceOf(hostname);
  return {
    service: {
      key: serviceKey(namespace, hostname),
      hostname,
      namespace,
      addresses: fields.addresses,
      ports: fields.ports,
      resolution: resolutionOf(
        fields,
        fields.instances.some((item) => !isIpAddress(item.address)),
      ),
      external: fields.external,
      createdAt: 0,
      origin: { kind: "registry", registry },
    },
    instances: fields.instances.map((item) => instanceOf(item, fields.ports, registry)),
  };
}

interface HostProblem {
  readonly code: "missing-field" | "conflict";
  readonly message: string;
  readonly hint: string;
}

function hostOf({ host: given, name, namespace = "default" }: ServiceFields, domain: string): Hostname | HostProblem {
  if (given !== undefined && name !== undefined) {
    return { code: "conflict", message: "It has both a host and a name.", hint: "Keep one of the two." };
  }
  const made = given ?? parsePlainHost(`${name ?? ""}.${namespace}.svc.${domain}`);
  if (made !== undefined && (given ?? name) !== undefined) return made;
  return {
    code: "missing-field",
    message: "The service has no host.",
    hint: "Give a host, or a name and a namespace.",
  };
}

/** The second label of `<name>.<namespace>.svc.<domain>`, else `default`. */
export function namespaceOf(hostname: Hostname): string {
  const [, namespace, svc] = hostname.split(".");
  return svc === "svc" && namespace !== undefined ? namespace : "default";
}

/** Instances with names must be looked up by the proxy. */
export const resolutionOf = ({ headless }: Reach, hasNames: boolean): Resolution =>
  headless ? "original-destination" : hasNames ? "dns" : "instances";

function instanceOf(item: InstanceFields, ports: readonly ServicePort[], registry: string): Instance {
  return { ...item, id: item.id ?? defaultId(item, ports), registry };
}

/** `address:port`, with all ports where there are several. */
function defaultId(item: InstanceFields, ports: readonly ServicePort[]): string {
  const host = isIpv6(item.address) ? `[${item.address}]` : item.address;
  return `${host}:${ports.map(({ name, number }) => item.ports[name] ?? number).join(",")}`;
}
