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
  const near = nearest(host, hosts.keys());
  return {
    code: "rule/unknown-host",
    message: `No service has the host ${host}.`,
    hint:
      near === undefined ? "Add the service to a registry, or write a ServiceEntry for it." : `Did you mean ${near}?`,
  };
}
