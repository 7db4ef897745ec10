import { nearest } from "../../base/nearest.ts";
import { hostsOverlap, isWildcard } from "../../model/hostname.ts";
import type { Known } from "./known.ts";
import type { TargetOf } from "./references.ts";

/** Hosts of destinations, and of DestinationRules, that no service has. */
export function isMissingHost({ host }: TargetOf<"host">, known: Known): boolean {
  if (host === undefined) return true;
  if (known.hasHost(host)) return false;
  if (!isWildcard(host)) return true;
  for (const other of known.hosts()) if (hostsOverlap(host, other)) return false;
  return true;
}

export function hintForHost({ host: parsed, written: host }: TargetOf<"host">, known: Known): string {
  const target = parsed && known.aliasOf(parsed);
  if (target !== undefined) return `It stands for ${target}, which no service has for its host.`;
  const hosts: readonly string[] = [...known.hosts()];
  const wildcard = hosts.find((other) => other.startsWith("*") && host.endsWith(other.slice(1)));
  if (wildcard !== undefined)
    return `Only the wildcard ${wildcard} covers it: write a ServiceEntry with its full name.`;
  const near = nearestHost(host, hosts);
  return near === undefined
    ? "Add the service to a registry, or write a ServiceEntry for it."
    : `Did you mean ${near}?`;
}

/** Another name in the same domain, or the same name in another one: a long common ending alone is no likeness. */
function nearestHost(host: string, known: readonly string[]): string | undefined {
  const [name, domain] = cut(host);
  const parts = known.map(cut);
  const otherName = nearest(
    name,
    parts.filter((other) => other[1] === domain).map((other) => other[0]),
  );
  if (otherName !== undefined) return otherName + domain;
  const otherDomain = nearest(
    domain,
    parts.filter((other) => other[0] === name).map((other) => other[1]),
  );
  return otherDomain === undefined ? undefined : name + otherDomain;
}

/** The first label, and the rest with its dot. */
function cut(host: string): readonly [string, string] {
  const dot = host.indexOf(".");
  return dot < 0 ? [host, ""] : [host.slice(0, dot), host.slice(dot)];
}
