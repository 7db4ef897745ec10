import { nearest } from "../../base/nearest.ts";
import { hostsOverlap, isWildcard } from "../../model/hostname.ts";
import { destinationsOf } from "./destinations.ts";
import type { Check, Dangling, References } from "./references.ts";

/** Hosts of destinations, and of DestinationRules, that no service has. */
export const checkUnknownHosts: Check = (references) => [
  ...references.virtualServices.flatMap((rule) =>
    destinationsOf(rule, references)
      .filter(({ host }) => host === undefined || !references.hosts.has(host))
      .map(({ pointer, destination, host }): Dangling => {
        return { ...unknown(host ?? destination.host, references), rule: rule.key, pointer: `${pointer}/host` };
      }),
  ),
  ...references.destinationRules.flatMap((rule) => {
    const host = references.hostOf(rule, rule.spec.host);
    if (host === undefined || references.hosts.has(host)) return [];
    if (isWildcard(host) && [...references.hosts.keys()].some((known) => hostsOverlap(host, known))) return [];
    return [{ ...unknown(host, references), rule: rule.key, pointer: "/spec/host" }];
  }),
];

function unknown(host: string, { hosts }: References): Pick<Dangling, "code" | "message" | "hint"> {
  return {
    code: "rule/unknown-host",
    message: `No service has the host ${host}.`,
    hint: hintFor(host, [...hosts.keys()]),
  };
}

function hintFor(host: string, known: readonly string[]): string {
  const wildcard = known.find((other) => other.startsWith("*") && host.endsWith(other.slice(1)));
  if (wildcard !== undefined)
    return `Only the wildcard ${wildcard} covers it: write a ServiceEntry with its full name.`;
  const near = nearestHost(host, known);
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
