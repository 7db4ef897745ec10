import type { Brand } from "../base/brand.ts";

/** A lower-case DNS name, or a wildcard: `*`, or `*.` and a name. Only `parseHostname` makes one. */
export type Hostname = Brand<string, "Hostname">;

const label = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;
const maxLength = 253;

/** Parses a host name as rules and registries write it; undefined when it is none. A trailing dot is dropped. */
export function parseHostname(text: string): Hostname | undefined {
  const host = (text.endsWith(".") ? text.slice(0, -1) : text).toLowerCase();
  if (host === "*") return host as Hostname;
  const labels = (host.startsWith("*.") ? host.slice(2) : host).split(".");
  return host.length <= maxLength && labels.every((part) => label.test(part)) ? (host as Hostname) : undefined;
}

export const isWildcard = (host: Hostname): boolean => host.startsWith("*");

/** Do the two name at least one host in common? Wildcards on both sides; a plain suffix test, so `*.com` covers `a.b.com`. */
export function hostsOverlap(a: Hostname, b: Hostname): boolean {
  return isWithin(a, b) || isWithin(b, a);
}

/** Is every host that `inner` names also named by `outer`? */
export function isWithin(inner: Hostname, outer: Hostname): boolean {
  if (!isWildcard(outer)) return inner === outer;
  return isWildcard(inner) ? inner.slice(1).endsWith(outer.slice(1)) : inner.endsWith(outer.slice(1));
}

/** Most specific first: exact names before wildcards, then longer before shorter, then by name. */
export function bySpecificity(a: Hostname, b: Hostname): number {
  return Number(isWildcard(a)) - Number(isWildcard(b)) || b.length - a.length || (a < b ? -1 : Number(a > b));
}

/** The most specific of `hosts` that covers `host`; undefined when none does. */
export function mostSpecific(host: Hostname, hosts: Iterable<Hostname>): Hostname | undefined {
  let best: Hostname | undefined;
  for (const candidate of hosts) {
    if (isWithin(host, candidate) && (best === undefined || bySpecificity(candidate, best) < 0)) best = candidate;
  }
  return best;
}

/**
 * A host as a rule in `namespace` means it: a name without a dot is a service of that namespace
 * (`reviews` in `shop` is `reviews.shop.svc.<domain>`); wildcards, IP addresses and dotted names stand for themselves.
 */
export function expandShortName(host: string, namespace: string, domain: string): string {
  return host.includes(".") || host.includes(":") || host.startsWith("*") ? host : `${host}.${namespace}.svc.${domain}`;
}
