import {
  below,
  choice,
  type Decoder,
  described,
  fail,
  integer,
  list,
  mapOf,
  mapped,
  parsed,
  refined,
  type Site,
  schemaOf,
  show,
  text,
} from "../../base/decode.ts";
import { object, optional, required, withDefault } from "../../base/decode-object.ts";
import { canonicalAddress } from "../../model/address-bits.ts";
import { addressOr, hostGrammar, hostOrWildcardGrammar } from "../../model/grammars.ts";
import { isIpAddress } from "../../model/ip-address.ts";
import type { Labels } from "../../model/labels.ts";
import { isHttp, type Protocol, parseProtocol, protocolNames } from "../../model/port.ts";
import { isNetwork, maxServiceAddresses, serviceAddress } from "../../model/service-address.ts";
import { hostName, hostOrWildcard, labels, portName, portNumber } from "../fields.ts";
import { checkUnique } from "../unique.ts";

export interface ServiceEntryPort {
  readonly number: number;
  readonly protocol: Protocol;
  readonly name: string;
  /** The number that the endpoints listen on, where it is another one. */
  readonly targetPort?: number;
}

export interface ServiceEntryEndpoint {
  /** An IP address; for resolution DNS also a host name. */
  readonly address: string;
  /** Port name to number, where it differs from the service's. */
  readonly ports: Readonly<Record<string, number>>;
  readonly labels: Labels;
  /** `region/zone/subzone`, or empty. */
  readonly locality: string;
  readonly weight: number;
}

/** A ServiceEntry (`networking.istio.io`): services that no registry reports. */
export interface ServiceEntrySpec {
  readonly hosts: readonly string[];
  /** IP addresses, and networks (`10.1.0.0/16`) for resolutions NONE and STATIC; each in the one way to write it. */
  readonly addresses: readonly string[];
  readonly ports: readonly ServiceEntryPort[];
  readonly location: "MESH_EXTERNAL" | "MESH_INTERNAL";
  readonly resolution: "NONE" | "STATIC" | "DNS" | "DNS_ROUND_ROBIN";
  readonly endpoints: readonly ServiceEntryEndpoint[];
}

/** `auto` when the document does not say, as for a port of any other service. */
const protocol: Decoder<Protocol> = choice<Protocol>(
  Object.fromEntries(protocolNames.map((name) => [name, parseProtocol(name) ?? "auto"])),
  { ignoreCase: true, unsupported: ["HTTP_PROXY", "MONGO", "REDIS", "MYSQL", "HBONE"] },
);

const port: Decoder<ServiceEntryPort> = object({
  number: required(portNumber),
  protocol: withDefault(protocol, "auto"),
  name: required(portName),
  targetPort: optional(portNumber),
});

const ports = refined(
  list(port),
  (items, site) => {
    checkUnique(items, ({ name }) => name, { site, step: ["name"], what: "port name" });
    checkUnique(items, ({ number }) => number, { site, step: ["number"], what: "port number" });
  },
  { uniqueItems: true },
);

const serviceHost = described(hostOrWildcard, { pattern: hostOrWildcardGrammar.source });

const hosts = refined(
  list(hostOrWildcard, { min: 1 }),
  (names, site) => {
    checkUnique(names, (name) => name.toLowerCase(), { site, what: "host" });
    const everything = names.indexOf("*");
    if (everything < 0) return;
    fail(below(site, everything), "invalid-value", 'A service cannot have the host "*".', "Name its hosts.");
  },
  { items: schemaOf(serviceHost), uniqueItems: true },
);

const addresses = refined(
  list(serviceAddress, { max: maxServiceAddresses }),
  (items, site) => checkUnique(items, (item) => item, { site, what: "address" }),
  { uniqueItems: true },
);

const address: Decoder<string> = mapped(
  text(),
  (value, site) => {
    if (value.startsWith("unix://")) {
      return fail(site, "unsupported-value", "Unix domain sockets are not carried out yet.", "Use an IP address.");
    }
    return isIpAddress(value) ? canonicalAddress(value) : hostName(value, site);
  },
  addressOr(hostGrammar),
);

const locality: Decoder<string> = parsed((value) => value, "a locality of the form region/zone/subzone", {
  minLength: 0,
  pattern: /^[^/]*(\/[^/]*){0,2}$/,
});

const endpoint: Decoder<ServiceEntryEndpoint> = object(
  {
    address: required(address),
    ports: withDefault(mapOf(portNumber), {}),
    labels: withDefault(labels, {}),
    locality: withDefault(locality, ""),
    // Istio takes 0 for "not given".
    weight: withDefault(
      mapped(integer({ min: 0, max: 2 ** 32 - 1 }), (weight) => Math.max(1, weight)),
      1,
    ),
  },
  { unsupported: ["network", "serviceAccount"] },
);

const location = choice({ MESH_EXTERNAL: "MESH_EXTERNAL", MESH_INTERNAL: "MESH_INTERNAL" } as const);

const resolution = choice({ NONE: "NONE", STATIC: "STATIC", DNS: "DNS", DNS_ROUND_ROBIN: "DNS_ROUND_ROBIN" } as const, {
  unsupported: ["DYNAMIC_DNS"],
});

/** One check a line: what must hold between the fields. */
const checks: readonly ((spec: ServiceEntrySpec, site: Site) => void)[] = [
  function hostsCanBeToldApart({ hosts, ports, resolution }, site) {
    const port = ports.findIndex(({ protocol }) => !isHttp(protocol) && !isTls(protocol));
    // Without resolution, they need not be: connections go where they were going.
    if (hosts.length < 2 || port < 0 || resolution === "NONE") return;
    const message = "Several hosts cannot be told apart on a port that is neither HTTP nor TLS.";
    fail(below(below(site, "ports"), port), "invalid-value", message, "Write one ServiceEntry for each host.");
  },
  function networksHoldEveryInstance({ addresses, resolution }, site) {
    if (resolution === "NONE" || resolution === "STATIC") return;
    for (const [index, address] of addresses.entries()) {
      if (!isNetwork(address)) continue;
      const at = below(below(site, "addresses"), index);
      const message = `The network ${address} needs the resolution NONE or STATIC, found ${resolution}.`;
      fail(at, "invalid-value", message, "List single addresses, or change the resolution.");
    }
  },
  function clientsChooseTheInstance({ resolution, endpoints, ports }, site) {
    if (resolution !== "NONE") return;
    if (endpoints.length > 0) {
      const message =
        "With resolution NONE, which is the default, connections go where they were going: endpoints have no say.";
      fail(below(site, "endpoints"), "invalid-value", message, "Use resolution: STATIC, or DNS for host names.");
    }
    for (const [index, { targetPort }] of ports.entries()) {
      if (targetPort === undefined) continue;
      const at = below(below(below(site, "ports"), index), "targetPort");
      fail(at, "unsupported-field", "With resolution NONE, targetPort is not carried out yet.", "Remove it.");
    }
  },
  function staticEndpointsAreAddresses({ resolution, endpoints }, site) {
    if (resolution !== "STATIC") return;
    for (const [index, { address }] of endpoints.entries()) {
      if (isIpAddress(address)) continue;
      const at = below(below(below(site, "endpoints"), index), "address");
      const message = `Expected an IP address, because the resolution is STATIC, found ${show(address)}.`;
      fail(at, "invalid-value", message, "Use resolution: DNS for host names.");
    }
  },
  function someNameCanBeResolved({ resolution, endpoints, hosts }, site) {
    if (resolution === "NONE" || resolution === "STATIC" || endpoints.length > 0) return;
    for (const [index, host] of hosts.entries()) {
      if (!host.startsWith("*")) continue;
      const message = `The wildcard ${show(host)} cannot be resolved, and there are no endpoints.`;
      fail(below(below(site, "hosts"), index), "invalid-value", message, "Add endpoints, or name the host.");
    }
  },
  function roundRobinHasOneName({ resolution, endpoints }, site) {
    if (resolution !== "DNS_ROUND_ROBIN" || endpoints.length < 2) return;
    const message = `DNS_ROUND_ROBIN takes at most one endpoint, found ${endpoints.length}.`;
    fail(below(site, "endpoints"), "invalid-value", message, "Use resolution: DNS for several.");
  },
  function endpointPortsAreOurs({ endpoints, ports }, site) {
    const known = ports.map(({ name }) => name);
    for (const [index, endpoint] of endpoints.entries()) {
      for (const name of Object.keys(endpoint.ports)) {
        if (known.includes(name)) continue;
        const at = below(below(below(below(site, "endpoints"), index), "ports"), name);
        const hint = `Its ports are ${known.join(", ") || "none"}.`;
        fail(at, "invalid-value", `The ServiceEntry has no port named ${show(name)}.`, hint);
      }
    }
  },
];

const isTls = (protocol: Protocol): boolean => protocol === "tls" || protocol === "https";

export const serviceEntry: Decoder<ServiceEntrySpec> = refined(
  object(
    {
      hosts: required(hosts),
      addresses: withDefault(addresses, []),
      ports: withDefault(ports, []),
      location: withDefault(location, "MESH_EXTERNAL"),
      resolution: withDefault(resolution, "NONE"),
      endpoints: withDefault(list(endpoint), []),
    },
    { unsupported: ["workloadSelector", "exportTo", "subjectAltNames"] },
  ),
  (spec, site) => {
    for (const check of checks) check(spec, site);
  },
);
