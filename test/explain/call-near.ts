import { terminalOf } from "../../src/envoy/filter-messages.ts";
import {
  bindsToPort,
  type CidrRange,
  type FilterChain,
  type Listener,
  listenAddressesOf,
} from "../../src/envoy/listener-messages.ts";
import { blackHoleCluster, passthroughCluster } from "../../src/envoy/names.ts";
import type { ProxyResources } from "../../src/envoy/proxy-resources.ts";
import type { Route, RouteConfiguration } from "../../src/envoy/route-messages.ts";
import type { SocketAddress } from "../../src/explain/connection.ts";
import { addressOf, formatAddress } from "../../src/model/address-bits.ts";
import { isIpv6 } from "../../src/model/ip-address.ts";
import type { Random } from "../support/random.ts";
import type { Call, HttpSpeech, Speech } from "./call.ts";
import { portNumbers, targetPorts } from "./random-services.ts";
import { entrances } from "./telling-sidecar.ts";

/* Calls to where one of a sidecar's listeners is, or beside, with what one of its chains or routes asks for, or nearly. */

/** What calls are made to. */
export interface Callable {
  readonly resources: ProxyResources;
  /** Of services and instances. */
  readonly addresses: readonly string[];
  /** Of the proxy. */
  readonly own: readonly string[];
}

/** So many, each from a port of its own; none where there is nothing to call. */
export function callsNear(random: Random, callable: Callable, count: number): readonly Call[] {
  const kinds = Map.groupBy(chainsIn(callable), kindOf);
  const weighted = [...kinds].map(([kind, chains]) => [weights[kind], chains] as const);
  return Array.from({ length: kinds.size === 0 ? 0 : count }, (_, index): Call => {
    const near = random.pick(random.weighted(weighted));
    const way = wayTo(near);
    const place = placeNear(random, near, callable);
    // What nobody listens at is captured, and not dialled.
    const destination = way !== "dialled" && random.chance(0.15) ? beside(random, place) : place;
    const source = { address: sourceTo(random, destination, callable), port: 20_000 + index };
    return { way, source, destination, speech: speechNear(random, near, destination) };
  });
}

/* The chains of all listeners */

interface Near {
  readonly listener: Listener;
  readonly chain: FilterChain;
  /** Behind an HTTP connection manager. */
  readonly table: RouteConfiguration | undefined;
}

function chainsIn({ resources }: Callable): readonly Near[] {
  return resources.listeners().flatMap((listener) => {
    const { filterChains, defaultFilterChain: rest } = listener;
    const all = rest === undefined ? filterChains : [...filterChains, rest];
    return all.map((chain) => ({ listener, chain, table: tableBehind(chain, resources) }));
  });
}

function tableBehind(chain: FilterChain, resources: ProxyResources): RouteConfiguration | undefined {
  const terminal = terminalOf(chain, "");
  if (terminal?.kind !== "http") return undefined;
  const { case: kind, value } = terminal.manager.routeSpecifier;
  if (kind === "rds") return resources.routeTable(value.routeConfigName);
  return kind === "routeConfig" ? value : undefined;
}

/** How often one of each kind is called, where there is one: the rare ones are not to be forgotten. */
const weights = {
  ...{ entrance: 1, inbound: 3, "inbound auto": 3, "inbound rest": 2, dialled: 2 },
  ...{ "own table": 3, address: 4, "server name": 9, network: 8, table: 7, rest: 4, "no service": 2 },
} as const;

function kindOf({ listener, chain, table }: Near): keyof typeof weights {
  const { prefixRanges = [], serverNames = [], destinationPort } = chain.filterChainMatch ?? {};
  const isShared = (one: FilterChain): boolean => one.filterChainMatch?.destinationPort === destinationPort;
  if (listener.name === entrances.outbound) return "entrance";
  if (listener.name === entrances.inbound) {
    if (destinationPort === undefined) return "inbound rest";
    return listener.filterChains.filter(isShared).length > 1 ? "inbound auto" : "inbound";
  }
  if (bindsToPort(listener)) return "dialled";
  if (!isAtAll(listener)) return table === undefined ? "address" : "own table";
  if (serverNames.length > 0) return "server name";
  if (prefixRanges.length > 0) return "network";
  if (table !== undefined) return "table";
  const terminal = terminalOf(chain, "");
  const cluster = terminal?.kind === "tcp" ? terminal.proxy.clusterSpecifier.value : undefined;
  return cluster === passthroughCluster || cluster === blackHoleCluster ? "no service" : "rest";
}

const isAny = (address: string): boolean => address === "0.0.0.0" || address === "::";

export const isAtAll = (listener: Listener): boolean =>
  listenAddressesOf(listener).some(({ address }) => isAny(address));

/* Where to */

function wayTo({ listener }: Near): Call["way"] {
  if (listener.name === entrances.inbound) return "inbound";
  return listener.name === entrances.outbound || !bindsToPort(listener) ? "outbound" : "dialled";
}

const farAddresses = ["10.99.0.1", "fd00:99::1"] as const;

function placeNear(random: Random, { listener, chain }: Near, { addresses, own }: Callable): SocketAddress {
  const { prefixRanges = [], destinationPort } = chain.filterChainMatch ?? {};
  const isInbound = listener.name === entrances.inbound;
  if (isInbound || listener.name === entrances.outbound) {
    const address = random.pick(isInbound ? own : [...addresses, ...own, ...farAddresses]);
    return { address, port: destinationPort ?? random.pick(isInbound ? targetPorts : portNumbers) };
  }
  const { address, port } = random.pick(listenAddressesOf(listener));
  if (prefixRanges.length > 0) return { address: random.pick(edgesOf(random.pick(prefixRanges))), port };
  return { address: isAny(address) ? random.pick([...addresses, ...own, ...farAddresses]) : address, port };
}

/** Its first and its last address, and those beside it. */
function edgesOf({ addressPrefix, prefixLen = 0 }: CidrRange): readonly string[] {
  const { family, bits: first } = addressOf(addressPrefix);
  const size = 1n << BigInt((family === 4 ? 32 : 128) - prefixLen);
  return [first, first, first + size - 1n, first - 1n, first + size].map((bits) => formatAddress({ family, bits }));
}

function beside(random: Random, { address, port }: SocketAddress): SocketAddress {
  if (random.chance(0.3)) return { address, port: random.pick([...portNumbers, 9_999]) };
  const { family, bits } = addressOf(address);
  return { address: formatAddress({ family, bits: bits + 1n }), port };
}

function sourceTo(random: Random, { address }: SocketAddress, { own }: Callable): string {
  const isSix = isIpv6(address);
  const mine = own.find((one) => isIpv6(one) === isSix) ?? address;
  return random.chance(0.1) ? mine : isSix ? "fd00:10::77" : "10.0.0.77";
}

/* What is said */

const someNames = [
  "a.ext.com",
  "d.ext.com",
  "c.b.ext.com",
  "web.shop.svc.cluster.local",
  "web",
  "unknown.com",
] as const;

function speechNear(random: Random, { chain, table }: Near, destination: SocketAddress): Speech {
  const names = chain.filterChainMatch?.serverNames ?? [];
  const kind = random.weighted<Speech["kind"]>([
    [table === undefined ? 2 : 8, "http"],
    [names.length > 0 ? 8 : 1.5, "tls"],
    [2, "bytes"],
  ]);
  switch (kind) {
    case "http":
      return requestNear(random, table, destination);
    case "tls": {
      const name = randomCase(random, random.pick(names.length > 0 && random.chance(0.85) ? names : someNames));
      return {
        kind,
        ...(random.chance(0.9) && { serverName: name.replace("*", random.pick(["x", "y.x", "b"])) }),
        applicationProtocols: random.pick([[], ["h2"], ["http/1.1"], ["h2", "http/1.1"]]),
      };
    }
    case "bytes":
      return { kind };
  }
}

const randomCase = (random: Random, text: string): string => (random.chance(0.1) ? text.toUpperCase() : text);

const manners: readonly (readonly [weight: number, manner: Pick<HttpSpeech, "method" | "version">])[] = [
  [6, { method: "GET", version: "1.1" }],
  [2, { method: "GET", version: "2" }],
  [0.7, { method: "GET", version: "1.0" }],
  [0.4, { method: "CONNECT", version: "1.1" }],
];

function requestNear(
  random: Random,
  table: RouteConfiguration | undefined,
  { address, port }: SocketAddress,
): HttpSpeech {
  const all = table?.virtualHosts ?? [];
  const named = all.filter(({ domains }) => !domains.includes("*"));
  const hosts = named.length > 0 && random.chance(0.9) ? named : all;
  const host = hosts.length === 0 ? undefined : random.pick(hosts);
  const domain = host === undefined || random.chance(0.1) ? random.pick(someNames) : random.pick(host.domains);
  const literal = isIpv6(address) ? `[${address}]` : address;
  const authority = random.chance(0.1) ? literal : domain.replace("*", random.pick(["x", "y.x", "i0", "unknown.com"]));
  const route = host === undefined || host.routes.length === 0 ? undefined : random.pick(host.routes);
  const written = writtenOtherwise(random, authority, port);
  return {
    kind: "http",
    ...random.weighted(manners),
    // In a URL it must look as one.
    isToProxy: random.chance(0.2) && /^([\w.-]+|\[[0-9A-Fa-f:]+\])(:[0-9]+)?$/.test(written),
    authority: written,
    ...whatIsAsked(random, route),
  };
}

/** Some of it means the same. */
function writtenOtherwise(random: Random, authority: string, port: number): string {
  const write = random.weighted<(text: string) => string>([
    [5, (text) => text],
    [2, (text) => (/:[0-9]+$/.test(text) ? text.replace(/:[0-9]+$/, "") : `${text}:${port}`)],
    [1, (text) => `${text.replace(/:[0-9]+$/, "")}:${random.pick(portNumbers)}`],
    [1, (text) => `${text}.`],
    [1, (text) => text.toUpperCase()],
    [1, (text) => text.replace(/\.[^.]*$/, "")],
    [0.5, (text) => `x${text}`],
    [0.5, (text) => text.replace(/^[^.]*\./, "")],
  ]);
  return write(authority) || "x";
}

function whatIsAsked(random: Random, route: Route | undefined): Pick<HttpSpeech, "path" | "headers"> {
  const { case: kind, value } = route?.match?.pathSpecifier ?? {};
  const path =
    (kind === "prefix" || kind === "path") && random.chance(0.8) ? value : random.pick(["/", "/a", "/A", "/a/b"]);
  return {
    path: `${path}${random.pick(["", "", "", "b", "/", "?a=b"])}`,
    headers: random.chance(0.5) ? [["x-a", random.pick(["1", "1", "2"])]] : [],
  };
}
