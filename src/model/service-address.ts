import { type Decoder, described, parsed } from "../base/decode.ts";
import { addressOf, formatAddress } from "./address-bits.ts";
import { isSingle, parseNetwork } from "./network.ts";

/** What clients of a service dial: one address, or any of a network. */

export const isNetwork = (address: string): boolean => address.includes("/");

/**
 * An IP address, or a network (`10.1.0.0/16`), in the one way to write it: whatever stands behind a network's prefix is cleared, and a
 * network of one address is that address. undefined for anything else, also for 0.0.0.0 and ::, which nobody can dial.
 */
export function parseServiceAddress(text: string): string | undefined {
  const network = parseNetwork(text);
  if (network === undefined) return undefined;
  const { family, bits } = addressOf(network.address);
  if (isSingle(network)) return bits === 0n ? undefined : formatAddress({ family, bits });
  const rest = BigInt((family === 4 ? 32 : 128) - network.prefix);
  return `${formatAddress({ family, bits: (bits >> rest) << rest })}/${network.prefix}`;
}

/** At most so many a service. */
export const maxServiceAddresses = 256;

export const serviceAddress: Decoder<string> = described(
  parsed(parseServiceAddress, "an IP address, or a network such as 10.1.0.0/16", {
    maxLength: 64,
    hint: "A prefix has 0 to 32 bits in IPv4, 0 to 128 in IPv6; 0.0.0.0 and :: are no address of a service.",
  }),
  {
    anyOf: [{ format: "ipv4" }, { format: "ipv6" }, { pattern: "^[0-9A-Fa-f:.]+/(0|[1-9][0-9]?|1[01][0-9]|12[0-8])$" }],
  },
);
