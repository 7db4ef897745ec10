import { isIpv4, isIpv6 } from "./ip-address.ts";

/** The families of IP that a workload has addresses of. */
export type IpFamilies = "ipv4" | "ipv6" | "dual";

/** Those of its own addresses; a loopback address counts like any other. */
export function familiesOf(addresses: readonly string[]): IpFamilies {
  if (!addresses.some(isIpv6)) return "ipv4";
  return addresses.some(isIpv4) ? "dual" : "ipv6";
}

/** IPv4 first: the first address of a listener names it. */
function each(ipv4: string, ipv6: string): Readonly<Record<IpFamilies, readonly string[]>> {
  return { ipv4: [ipv4], ipv6: [ipv6], dual: [ipv4, ipv6] };
}

/** The addresses that mean "all of mine". */
export const wildcardAddresses = each("0.0.0.0", "::");
/** Those that only the workload itself can reach. */
export const loopbackAddresses = each("127.0.0.1", "::1");

const includes: Readonly<Record<IpFamilies, (address: string) => boolean>> = {
  ipv4: (address) => !address.includes(":"),
  ipv6: (address) => address.includes(":"),
  dual: () => true,
};

/** Is an address or a network (`10.1.0.0/16`) of these families? */
export const isOfFamilies = (families: IpFamilies, address: string): boolean => includes[families](address);
