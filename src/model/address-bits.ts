import { isIpv4, isIpv6 } from "./ip-address.ts";

/** An IP address; equal ones are equal in both fields, however they were written. */
export interface Address {
  readonly family: 4 | 6;
  readonly bits: bigint;
}

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

/** The one text of an address that RFC 5952 recommends: lower case, the longest run of zeros as `::`. */
export function formatAddress({ family, bits }: Address): string {
  if (family === 4) return partsOf(bits, { count: 4, width: 8 }).join(".");
  const text = partsOf(bits, { count: 8, width: 16 })
    .map((word) => word.toString(16))
    .join(":");
  const [longest] = [...text.matchAll(/\b0(:0)+\b/g)].sort(([a], [b]) => b.length - a.length);
  if (longest === undefined) return text;
  const before = text.slice(0, longest.index).replace(/:$/, "");
  return `${before}::${text.slice(longest.index + longest[0].length).replace(/^:/, "")}`;
}

/** An address in the one text that equal ones have in common. */
export const canonicalAddress = (text: string): string => (text.includes(":") ? formatAddress(addressOf(text)) : text);

/** The highest ones first; each of `width` bits. */
const partsOf = (bits: bigint, { count, width }: { readonly count: number; readonly width: number }) =>
  Array.from({ length: count }, (_, index) =>
    Number(BigInt.asUintN(width, bits >> BigInt(width * (count - 1 - index)))),
  );
