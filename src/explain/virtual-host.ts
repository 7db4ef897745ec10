import type { RouteConfiguration, VirtualHost } from "../envoy/route-messages.ts";
import { asBytes, asciiLower } from "../envoy/string-matcher.ts";
import { portStart } from "./request.ts";

/** The virtual host that takes the requests for an authority, and by which of its domains. */
export interface FoundHost {
  readonly index: number;
  readonly host: VirtualHost;
  readonly domain: string;
}

/**
 * Chooses among the virtual hosts of a table: the name itself, then the longest `*.suffix`, then the longest `prefix.*`, then `*`; a
 * star stands for one character at least. undefined: nobody takes the request.
 */
export function createHostFinder({ virtualHosts, ignorePortInHostMatching }: RouteConfiguration) {
  const exact = new Map<string, FoundHost>();
  const suffixes = new Map<string, FoundHost>();
  const prefixes = new Map<string, FoundHost>();
  let rest: FoundHost | undefined;
  for (const [index, host] of virtualHosts.entries()) {
    for (const domain of host.domains) {
      const name = asciiLower(asBytes(domain));
      const found = { index, host, domain };
      if (name === "*") rest ??= found;
      else if (name.startsWith("*")) putFirst(suffixes, name.slice(1), found);
      else if (name.endsWith("*")) putFirst(prefixes, name.slice(0, -1), found);
      else putFirst(exact, name, found);
    }
  }
  const bySuffix = longestFirst(suffixes, (name, length) => name.slice(-length));
  const byPrefix = longestFirst(prefixes, (name, length) => name.slice(0, length));
  return (authority: string): FoundHost | undefined => {
    if (authority === "") return undefined;
    const name = asciiLower(ignorePortInHostMatching ? withoutPort(authority) : authority);
    return exact.get(name) ?? bySuffix(name) ?? byPrefix(name) ?? rest;
  };
}

function putFirst<K, V>(map: Map<K, V>, key: K, value: V): void {
  if (!map.has(key)) map.set(key, value);
}

function longestFirst(
  parts: ReadonlyMap<string, FoundHost>,
  partOf: (name: string, length: number) => string,
): (name: string) => FoundHost | undefined {
  const lengths = [...new Set([...parts.keys()].map(({ length }) => length))].sort((a, b) => b - a);
  return (name) => {
    for (const length of lengths) {
      const found = length < name.length ? parts.get(partOf(name, length)) : undefined;
      if (found !== undefined) return found;
    }
    return undefined;
  };
}

/** `[::1]:80` and `a.com:80` lose their port, and so do `a.com:` and `::1` what follows the last colon. */
const withoutPort = (authority: string): string => authority.slice(0, portStart(authority));
