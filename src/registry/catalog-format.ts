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
  show,
  stringMap,
  text,
} from "../base/decode.ts";
import { object, optional, required, withDefault } from "../base/decode-object.ts";
import { inAnyCase } from "../base/json-schema.ts";
import { nearest } from "../base/nearest.ts";
import type { CatalogEntry } from "../model/catalog.ts";
import { labelGrammar, plainHostGrammar } from "../model/grammars.ts";
import { type Hostname, parseHostname } from "../model/hostname.ts";
import type { Health, Instance } from "../model/instance.ts";
import { isIpAddress, isIpv6 } from "../model/ip-address.ts";
import type { Labels } from "../model/labels.ts";
import { type Locality, parseLocality } from "../model/locality.ts";
import { type Protocol, parseProtocol, protocolNames, type ServicePort } from "../model/port.ts";
import { type Resolution, serviceKey } from "../model/service.ts";
import { protocolOfPortName } from "./port-protocol.ts";

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
 *         ports: [{ name: http, number: 9080 }]
 *         instances: [{ address: 10.0.0.7, ports: { http: 8080 }, labels: { version: v1 } }]
 */
export function catalogDocument(options: CatalogFormatOptions): Decoder<readonly CatalogEntry[]> {
  const service = mapped(refined(serviceFields, checkService), (fields, site) => entryOf(fields, site, options));
  return mapped(object({ services: required(list(service, { max: 50_000 })) }), ({ services }) => services);
}

/** A service as it was written. */
interface ServiceFields {
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
  ({ name, number, protocol: declared }) => ({ name, number, protocol: declared ?? protocolOfPortName(name) }),
);

const address = described(
  parsed((value) => (isIpAddress(value) ? value : parsePlainHost(value)), "an IP address or a host name", {
    maxLength: 254,
    hint: "Ports have a field of their own.",
  }),
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

const serviceFields: Decoder<ServiceFields> = object({
  host: optional(serviceHost),
  name: optional(dnsLabel),
  namespace: optional(dnsLabel),
  ports: required(servicePorts),
  external: withDefault(boolean, false),
  instances: withDefault(list(instance, { max: 100_000 }), []),
});

/** A host name without wildcards; undefined for anything else, also for an address gone wrong, for example 10.0.0.256. */
export function parsePlainHost(value: string): Hostname | undefined {
  return plainHostGrammar.test(value) ? parseHostname(value) : undefined;
}

function checkService({ ports, instances }: ServiceFields, site: Site): void {
  checkServicePorts(ports, below(site, "ports"));
  checkUnique(
    instances.map((item) => item.id ?? defaultId(item, ports)),
    "instance id",
    below(site, "instances"),
    "id",
  );
  for (const [index, item] of instances.entries()) {
    checkInstancePorts(item.ports, ports, below(below(below(site, "instances"), index), "ports"));
  }
}

/** The site is that of the list of ports. */
export function checkServicePorts(ports: readonly ServicePort[], site: Site): void {
  checkUnique(
    ports.map(({ name }) => name),
    "port name",
    site,
    "name",
  );
  checkUnique(
    ports.map(({ number }) => number),
    "port number",
    site,
    "number",
  );
}

/** An instance may name the ports of its service only. */
export function checkInstancePorts(
  named: Readonly<Record<string, number>>,
  ports: readonly ServicePort[],
  site: Site,
): void {
  const names = ports.map(({ name }) => name);
  for (const name of Object.keys(named)) if (!names.includes(name)) unknownPort(below(site, name), name, names);
}

/** Reports every value that an earlier item has too, at the item's `field`. */
export function checkUnique(values: readonly (string | number)[], what: string, site: Site, field: string): void {
  const seen = new Map<string | number, number>();
  for (const [index, value] of values.entries()) {
    const first = seen.get(value);
    seen.set(value, first ?? index);
    if (first === undefined) continue;
    const message = `The ${what} ${show(value)} is already that of item ${first}.`;
    fail(below(below(site, index), field), "conflict", message, `Give each one its own ${field}.`);
  }
}

function unknownPort(site: Site, name: string, names: readonly string[]): void {
  const near = nearest(name, names);
  const hint = near === undefined ? `Its ports are ${names.join(", ")}.` : `Did you mean ${near}?`;
  fail(site, "invalid-value", `The service has no port ${show(name)}.`, hint);
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
      addresses: [],
      ports: fields.ports,
      resolution: resolutionOf(fields.instances),
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
const resolutionOf = (instances: readonly InstanceFields[]): Resolution =>
  instances.every((item) => isIpAddress(item.address)) ? "instances" : "dns";

function instanceOf(item: InstanceFields, ports: readonly ServicePort[], registry: string): Instance {
  return { ...item, id: item.id ?? defaultId(item, ports), registry };
}

/** `address:port`, with all ports where there are several. */
function defaultId(item: InstanceFields, ports: readonly ServicePort[]): string {
  const host = isIpv6(item.address) ? `[${item.address}]` : item.address;
  return `${host}:${ports.map(({ name, number }) => item.ports[name] ?? number).join(",")}`;
}
