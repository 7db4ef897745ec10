import { isIPv6 } from "node:net";

/**
 * Who counts as one peer: an IPv4 address, or a /64 of IPv6, within which one machine can have as many addresses as it
 * likes. IPv4 addresses in their IPv6 spelling are IPv4 addresses.
 */
export function peerKey(address: string): string {
  const [bare = ""] = address.split("%", 1);
  const mapped = /^::ffff:([0-9.]+)$/i.exec(bare)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(bare)) return bare.slice(0, 64);
  const [head = "", tail] = bare.split("::");
  const before = groupsOf(head);
  const after = groupsOf(tail ?? "");
  // A dotted end is two groups, but never among the first four.
  const dotted = bare.includes(".") ? 1 : 0;
  const between = Array.from({ length: Math.max(0, 8 - before.length - after.length - dotted) }, () => "0");
  const groups = [...before, ...between, ...after].slice(0, 4);
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(":")}::/64`;
}

const groupsOf = (part: string): readonly string[] => (part === "" ? [] : part.split(":"));
