import { compareText } from "../../base/compare-text.ts";
import { memoize } from "../../base/memo.ts";
import { isSameList } from "../../base/memo-of-items.ts";
import { shareUnchanged } from "../../base/share.ts";
import { type Catalog, emptyCatalog } from "../../model/catalog.ts";
import type { Instance } from "../../model/instance.ts";
import type { Service, ServiceKey } from "../../model/service.ts";
import { instancesOf } from "./instances.ts";
import { type KubeObjects, noObjects } from "./objects.ts";
import { type NamedSlice, offersOf } from "./offers.ts";
import { distributed, type KubeService } from "./service.ts";
import { createConcern, namespaceOf } from "./touched-services.ts";
import type { TrafficDistribution } from "./traffic-distribution.ts";

export interface FollowOptions {
  /** A service is there only once its namespace is known, because the namespace decides whether we look at it. */
  readonly waitsForNamespaces: boolean;
}

/**
 * Makes the catalog of each state of all objects. It follows from the one before by what changed, and what did not change is the same
 * object: services, instances, whole lists, and the catalog.
 */
export function followObjects({ waitsForNamespaces }: FollowOptions): (objects: KubeObjects) => Catalog {
  const concern = createConcern();
  let last = noObjects;
  let catalog = emptyCatalog;

  return (objects) => {
    const services: [ServiceKey, Service | undefined][] = [];
    const instances: [ServiceKey, readonly Instance[] | undefined][] = [];
    for (const name of concern.touched(last, objects)) {
      const found = objects.services.get(name)?.kept;
      const key = (found ?? last.services.get(name)?.kept)?.service.key;
      // Slices of a service that is not there, and was not.
      if (key === undefined) continue;
      const seen = found && isSeen(namespaceOf(name), objects) ? found : undefined;
      const list = seen ? sharedList(catalog.instances.get(key), listOf(name, seen, objects)) : [];
      services.push([key, seen && shareUnchanged(catalog.services.get(key), serviceOf(seen, name, objects))]);
      instances.push([key, list.length > 0 ? list : undefined]);
    }
    last = objects;
    const next = { services: catalog.services.with(services), instances: catalog.instances.with(instances) };
    if (next.services !== catalog.services || next.instances !== catalog.instances) catalog = next;
    return catalog;
  };

  function isSeen(namespace: string, { namespaces }: KubeObjects): boolean {
    return namespaces.get(namespace)?.kept?.isSelected ?? !waitsForNamespaces;
  }

  function listOf(name: string, service: KubeService, { slices, pods, nodes }: KubeObjects): readonly Instance[] {
    // An alias has none of its own.
    if (service.service.aliasOf !== undefined) return [];
    const own = [...concern.slicesOf(name)].sort(compareText).flatMap((key): NamedSlice[] => {
      const slice = slices.get(key)?.kept;
      return slice === undefined ? [] : [[key, slice]];
    });
    const offers = offersOf(own, (key) => pods.get(key)?.kept);
    return instancesOf(service, offers, (node) => nodes.get(node)?.kept?.locality);
  }
}

const serviceOf = ({ service, takesDistribution }: KubeService, name: string, { namespaces }: KubeObjects): Service =>
  takesDistribution ? withDistribution(service, namespaces.get(namespaceOf(name))?.kept?.distribution) : service;

const withDistribution = memoize(
  (service: Service, distribution: TrafficDistribution | undefined): Service =>
    distribution === undefined ? service : { ...service, ...distributed(distribution) },
);

/** Instances are matched by their ids, so that one that comes or goes does not touch its neighbours. */
function sharedList(before: readonly Instance[] | undefined, next: readonly Instance[]): readonly Instance[] {
  if (before === undefined) return next;
  const known = new Map(before.map((instance) => [instance.id, instance]));
  const shared = next.map((instance) => shareUnchanged(known.get(instance.id), instance));
  return isSameList(before, shared) ? before : shared;
}
