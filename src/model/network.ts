import { addressOf } from "./address-bits.ts";
import { isIpAddress, isIpv6 } from "./ip-address.ts";

/** A range of addresses. */
export interface Network {
  readonly address: string;
  /** In bits. */
  readonly prefix: number;
  /** Equal for equal networks, however they are written. */
  readonly key: string;
}

const sizeOf = (address: string): number => (isIpv6(address) ? 128 : 32);

/** Parses an address, which is a network of its own, or one with a prefix length (`10.1.0.0/16`); undefined for anything else. */
export function parseNetwork(text: string): Network | undefined {
  const [address = "", length, ...rest] = text.split("/");
  if (!isIpAddress(address) || rest.length > 0) return undefined;
  const prefix = length === undefined ? sizeOf(address) : Number(length);
  if (length !== undefined && !/^(0|[1-9][0-9]{0,2})$/.test(length)) return undefined;
  return prefix <= sizeOf(address) ? { address, prefix, key: networkKey(address, prefix) } : undefined;
}

function networkKey(address: string, prefix: number): string {
  const { family, bits } = addressOf(address);
  return `${family}:${bits >> BigInt(sizeOf(address) - prefix)}/${prefix}`;
}

/** Is it one address alone? */
export const isSingle = ({ address, prefix }: Network): boolean => prefix === sizeOf(address);
