import type { CidrRange } from "../envoy/listener-messages.ts";
import { isIpv4, isIpv6 } from "../model/ip-address.ts";

/** An IP address; equal ones are equal in both fields, however they were written. */
export interface Address {
  readonly family: 4 | 6;
  readonly bits: bigint;
}

const sizes = { 4: 32, 6: 128 } as const;

/** Throws a `RangeError` for what is no address. An IPv4 address inside an IPv6 one stays an IPv6 address, as for Envoy. */
export function addressOf(text: string): Address {
  if (isIpv4(text)) return { family: 4, bits: joined(octets(text), 8n) };
  if (!isIpv6(text)) throw new RangeError(`${text} is no IP address`);
  const [before = [], after = []] = text.split("::").map(words);
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0);
  return { family: 6, bits: joined([...before, ...zeros, ...after], 16n) };
}

const octets = (text: string): readonly number[] => text.split(".").map(Number);

/** Of 16 bits each. */
const words = (text: string): readonly number[] =>
  text === ""
    ? []
    : text.split(":").flatMap((part) => (isIpv4(part) ? pairs(octets(part)) : [Number.parseInt(part, 16)]));

const pairs = ([a = 0, b = 0, c = 0, d = 0]: readonly number[]): readonly number[] => [a * 256 + b, c * 256 + d];

const joined = (parts: readonly number[], width: bigint): bigint =>
  parts.reduce((bits, part) => (bits << width) | BigInt(part), 0n);

export const isSameAddress = (a: Address, b: Address): boolean => a.family === b.family && a.bits === b.bits;

/** 127.0.0.1 and ::1 alone; not the rest of 127.0.0.0/8. */
export const isLoopback = ({ family, bits }: Address): boolean => bits === (family === 4 ? 0x7f00_0001n : 1n);

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
