import { memoize } from "../base/memo.ts";
import { type Hostname, isWildcard, isWithin } from "../model/hostname.ts";
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
export const forMesh = (virtualServices: readonly BoundVirtualService[]): readonly BoundVirtualService[] =>
  virtualServices.filter(({ gateways }) => gateways.includes("mesh"));
