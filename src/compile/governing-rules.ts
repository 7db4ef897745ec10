import { memoize } from "../base/memo.ts";
import { type Hostname, isWildcard, isWithin } from "../model/hostname.ts";
import type { Reachable } from "./scope.ts";
import type { BoundVirtualService } from "./virtual-service.ts";

/** A rule with its place in the order of age. */
interface Placed {
  readonly virtualService: BoundVirtualService;
  readonly place: number;
}

/** Finds, for a host name, the oldest rule for the mesh that speaks of it; the rules are given oldest first. */
export const governingRules = memoize(
  (virtualServices: readonly BoundVirtualService[]): ((host: Hostname) => BoundVirtualService | undefined) => {
    const exact = new Map<Hostname, Placed>();
    const wildcards: (Placed & { readonly host: Hostname })[] = [];
    for (const [place, virtualService] of forMesh(virtualServices).entries()) {
      for (const host of virtualService.hosts) {
        if (isWildcard(host)) wildcards.push({ host, virtualService, place });
        else if (!exact.has(host)) exact.set(host, { virtualService, place });
      }
    }
    return (host) => {
      const named = exact.get(host);
      const wide = wildcards.find((one) => isWithin(host, one.host));
      if (named === undefined || wide === undefined) return (named ?? wide)?.virtualService;
      return (named.place <= wide.place ? named : wide).virtualService;
    };
  },
);

/** Those that sidecars and gRPC clients follow. */
export const forMesh = memoize((virtualServices: readonly BoundVirtualService[]): readonly BoundVirtualService[] =>
  virtualServices.filter(({ gateways }) => gateways.includes("mesh")),
);

/** Services of one port, and which of them rules speak of. */
export interface GovernedServices {
  readonly port: number;
  readonly services: readonly Reachable[];
  /** One for each service of which a rule speaks, in their order. */
  readonly rules: readonly BoundVirtualService[];
  /** Index into the rules for each of these services. */
  readonly ruleOf: ReadonlyMap<Reachable, number>;
}

/** The same object for the same services and rules. */
export const governedServices = memoize(
  (services: readonly Reachable[], virtualServices: readonly BoundVirtualService[]): GovernedServices => {
    const find = governingRules(virtualServices);
    const rules: BoundVirtualService[] = [];
    const ruleOf = new Map<Reachable, number>();
    for (const one of services) {
      const rule = find(one.service.hostname);
      if (rule !== undefined) ruleOf.set(one, rules.push(rule) - 1);
    }
    return { port: services[0]?.port.number ?? 0, services, rules, ruleOf };
  },
);
