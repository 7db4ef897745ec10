import type { OrderedMap } from "../base/ordered-map.ts";
import { shareUnchanged } from "../base/share.ts";
import type { Catalog } from "../model/catalog.ts";
import type { Instance } from "../model/instance.ts";

/**
 * A catalog equal to `next` that re-uses every equal service and instance of `previous`; `previous` itself when all is
 * equal. Instances are matched by registry and id, so that one that comes or goes does not touch its neighbours.
 */
export function shareCatalog(previous: Catalog | undefined, next: Catalog): Catalog {
  if (previous === undefined) return next;
  const services = shareMap(previous.services, next.services, shareUnchanged);
  const instances = shareMap(previous.instances, next.instances, shareList);
  return services === previous.services && instances === previous.instances ? previous : { services, instances };
}

function shareMap<K extends string, V extends object>(
  previous: OrderedMap<K, V>,
  next: OrderedMap<K, V>,
  shareValue: (previous: V | undefined, next: V) => V,
): OrderedMap<K, V> {
  return previous.with(
    previous
      .changesTo(next)
      .map(({ key, before, after }) => [key, after === undefined ? undefined : shareValue(before, after)] as const),
  );
}

function shareList(previous: readonly Instance[] | undefined, next: readonly Instance[]): readonly Instance[] {
  if (previous === undefined || previous === next) return next;
  const known = new Map(previous.map((instance) => [idOf(instance), instance]));
  const shared = next.map((instance) => shareUnchanged(known.get(idOf(instance)), instance));
  return shared.length === previous.length && shared.every((instance, i) => instance === previous[i])
    ? previous
    : shared;
}

const idOf = ({ registry, id }: Instance): string => `${registry}/${id}`;
