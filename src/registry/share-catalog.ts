import { shareEntries } from "../base/ordered-map.ts";
import { shareUnchanged } from "../base/share.ts";
import type { Catalog } from "../model/catalog.ts";
import type { Instance } from "../model/instance.ts";

/**
 * A catalog equal to `next` that re-uses every equal service and instance of `previous`; `previous` itself when all is
 * equal. Instances are matched by registry and id, so that one that comes or goes does not touch its neighbours.
 */
export function shareCatalog(previous: Catalog | undefined, next: Catalog): Catalog {
  if (previous === undefined) return next;
  const services = shareEntries(previous.services, next.services, shareUnchanged);
  const instances = shareEntries(previous.instances, next.instances, shareList);
  return services === previous.services && instances === previous.instances ? previous : { services, instances };
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
