import { addressesOf, type Instance, listensOn } from "../model/instance.ts";
import { isOfFamilies } from "../model/ip-families.ts";
import { isSingle, type Network, parseNetwork } from "../model/network.ts";
import { isServerFirst, type Protocol, type ServicePort } from "../model/port.ts";
import { isHeadless } from "../model/service.ts";
import type { NamedService } from "./aliases.ts";
import type { Reachable } from "./scope.ts";
import type { SidecarSettings } from "./sidecar-settings.ts";

/** Which connections that are not routed request by request a service takes. */
export type TcpMatch =
  | { readonly kind: "any" }
  | { readonly kind: "server-names"; readonly names: readonly string[] }
  | { readonly kind: "networks"; readonly networks: readonly Network[] };

/** What a port of a service asks of the listener at one address. */
export interface Claim {
  readonly reachable: Reachable;
  /** What clients dial; absent: any address that no other listener has. */
  readonly address?: string;
  /** Its requests are routed by the table that all services of the port share, or by one of its own. */
  readonly http?: "shared" | "own";
  readonly tcp?: TcpMatch;
}

type Asked = Pick<Claim, "http" | "tcp">;

/** What a port asks for, by where its clients dial. */
interface Asks {
  readonly atAddress: (service: NamedService) => Asked;
  readonly anywhere: (service: NamedService) => Asked;
}

const any: TcpMatch = { kind: "any" };
const named = ({ hostname, aliases = [] }: NamedService): Asked => ({
  tcp: { kind: "server-names", names: [hostname, ...aliases.map((alias) => alias.hostname)] },
});

const asks = {
  /** It is at all addresses: the host name says which service is meant, so that one listener does for a port. */
  http: { atAddress: () => ({ http: "shared" }), anywhere: () => ({ http: "shared" }) },
  tcp: { atAddress: () => ({ tcp: any }), anywhere: () => ({ tcp: any }) },
  tls: { atAddress: named, anywhere: named },
  /** Not declared: recognised from the first bytes. */
  auto: { atAddress: () => ({ http: "own", tcp: any }), anywhere: () => ({ http: "shared", tcp: any }) },
} as const satisfies Readonly<Record<string, Asks>>;

const families: Readonly<Record<Protocol, keyof typeof asks | undefined>> = {
  http: "http",
  http2: "http",
  grpc: "http",
  "grpc-web": "http",
  https: "tls",
  tls: "tls",
  tcp: "tcp",
  auto: "auto",
  udp: undefined,
  sctp: undefined,
};

function familyOf({ protocol, number }: ServicePort): keyof typeof asks | undefined {
  const family = families[protocol];
  return family === "auto" && isServerFirst(number) ? "tcp" : family;
}

/** Whose clients dial its instances, so that what is listened at follows from them: a headless service, but for HTTP. */
export const isPerInstance = ({ service, port }: Reachable): boolean =>
  isHeadless(service) && service.addresses.length === 0 && familyOf(port) !== "http";

/** What a port of a service asks for where connections are captured. `instances` are needed only of those that are per instance. */
export function capturedClaims(
  reachable: Reachable,
  settings: SidecarSettings,
  instances: readonly Instance[],
): readonly Claim[] {
  const { service, port } = reachable;
  const family = familyOf(port);
  if (family === undefined) return [];
  const { atAddress, anywhere } = asks[family];
  if (family === "http") return [{ reachable, ...anywhere(service) }];
  const isOurs = (address: string): boolean => isOfFamilies(settings.families, address);
  if (isPerInstance(reachable)) {
    const there = instances.filter((instance) => listensOn(instance, port));
    const addresses = new Set(there.flatMap(addressesOf).filter(isOurs));
    return [...addresses].sort().map((address) => ({ reachable, address, ...atAddress(service) }));
  }
  if (service.addresses.length === 0) return [{ reachable, ...anywhere(service) }];
  const dialled = service.addresses.filter(isOurs).flatMap((text) => parseNetwork(text) ?? []);
  const networks = dialled.filter((one) => !isSingle(one));
  const single = dialled.filter(isSingle).map(({ address }): Claim => ({ reachable, address, ...atAddress(service) }));
  return networks.length === 0 ? single : [...single, { reachable, tcp: inNetworks(networks) }];
}

/** What requests ask for where others are: without them, the listener of all addresses has them. */
export const joiningClaims = (reachable: Reachable): readonly Claim[] =>
  familyOf(reachable.port) === "http"
    ? reachable.service.addresses
        .flatMap((text) => parseNetwork(text) ?? [])
        .filter(isSingle)
        .map(({ address }) => ({ reachable, address, ...asks.http.atAddress() }))
    : [];

/** All addresses are no network to be told apart by: Envoy would take either of a chain for these and one that asks for nothing. */
const inNetworks = (networks: readonly Network[]): TcpMatch =>
  networks.some(({ prefix }) => prefix === 0) ? any : { kind: "networks", networks };

/** The same where the application dials the sidecar: all it can tell services apart by is their names. */
export function dialledClaims(reachable: Reachable): readonly Claim[] {
  const family = familyOf(reachable.port);
  return family === undefined ? [] : [{ reachable, ...asks[family].anywhere(reachable.service) }];
}
