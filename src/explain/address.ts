import type { CidrRange } from "../envoy/listener-messages.ts";
import { type Address, addressOf } from "../model/address-bits.ts";

const sizes = { 4: 32, 6: 128 } as const;

export const isSameAddress = (a: Address, b: Address): boolean => a.family === b.family && a.bits === b.bits;

/** 127.0.0.1 and ::1 alone; not the rest of 127.0.0.0/8. */
export const isLoopback = ({ family, bits }: Address): boolean => bits === (family === 4 ? 0x7f00_0001n : 1n);

/** What never leaves the machine, so that nobody captures it: 127.0.0.0/8 and ::1. */
export function isLoopbackNetwork(text: string): boolean {
  const { family, bits } = addressOf(text);
  return family === 4 ? bits >> 24n === 127n : bits === 1n;
}

/** Of the same family. */
export const anyAddress = ({ family }: Address): Address => ({ family, bits: 0n });

const mappedPrefix = 0xffffn << 32n;

/** The IPv4 address inside `::ffff:a.b.c.d`. */
export const mappedIpv4 = ({ family, bits }: Address): Address | undefined =>
  family === 6 && bits >> 32n === mappedPrefix >> 32n ? { family: 4, bits: bits & 0xffff_ffffn } : undefined;

/** How many bits an address shares with a range at least: its length. undefined for an address outside of it. */
export type RangeTest = (address: Address) => number | undefined;

export function rangeTest({ addressPrefix, prefixLen = 0 }: CidrRange): RangeTest {
  const { family, bits } = addressOf(addressPrefix);
  const length = Math.min(prefixLen, sizes[family]);
  const rest = BigInt(sizes[family] - length);
  return (address) => (address.family === family && address.bits >> rest === bits >> rest ? length : undefined);
}

export const rangeText = ({ addressPrefix, prefixLen = 0 }: CidrRange): string => `${addressPrefix}/${prefixLen}`;
