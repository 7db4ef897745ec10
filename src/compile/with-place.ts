import { memoize } from "../base/memo.ts";
import type { Resource, ResourceMap } from "../envoy/resource-set.ts";
import type { Aspects } from "./aspects.ts";
import type { Assembly, Compiled } from "./assembly.ts";
import type { Place } from "./distribution.ts";
import { placeAskedBy } from "./placed-endpoints.ts";
import type { Profile } from "./profile.ts";

/** All of an assembly that others see. */
export type Seen = Pick<Assembly, "view" | "compiled">;

interface Known {
  readonly common: Compiled;
  readonly compiled: Compiled;
}

/**
 * Gives proxies of one place their own endpoints of those services that ask where their clients are; all else they have in common with
 * proxies elsewhere. From one set to the next it looks only at what differs between these.
 */
export function createPlaceJoiner({ placedEndpoints }: Aspects): (profile: Profile, common: Seen) => Seen {
  const last = new WeakMap<Profile, Known>();

  const placed = (endpoints: Resource, place: Place): Resource => {
    const asked = placeAskedBy(endpoints, place);
    return asked === undefined ? endpoints : placedEndpoints(endpoints, ...asked);
  };

  return (profile, { view, compiled: common }) => {
    const { place } = profile;
    if (place === undefined) return { view, compiled: common };
    const before = last.get(profile);
    if (before?.common === common) return { view, compiled: before.compiled };
    const { EDS } = common.resources;
    const changes =
      before === undefined
        ? [...EDS].map(([key, after]) => ({ key, after }))
        : changesBetween(before.common.resources.EDS, EDS);
    const own = (before?.compiled.resources.EDS ?? EDS).with(
      changes.map(({ key, after }) => [key, after && placed(after, place)] as const),
    );
    const compiled = { ...common, resources: { ...common.resources, EDS: own } };
    last.set(profile, { common, compiled });
    return { view, compiled };
  };
}

/** Proxies of all places ask for the same. */
const changesBetween = memoize((before: ResourceMap, after: ResourceMap) => before.changesTo(after));
