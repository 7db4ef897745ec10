import { memoize } from "../base/memo.ts";
import { isVisibleIn, type Service } from "../model/service.ts";
import type { ServiceTable } from "./service-table.ts";

type ByHost = readonly (readonly Service[])[];

/** The services of each host name in the order in which they win; the same list for all namespaces that see them alike. */
const servicesByPrecedence = memoize(({ byHost }: ServiceTable): ByHost => [...byHost.values()]);

/** Those that some namespaces do not see are few. */
const restricted = memoize((table: ServiceTable) =>
  servicesByPrecedence(table).flatMap((services) => services.filter(({ visibleIn }) => visibleIn !== undefined)),
);

/** All but some, which are given by their places among the restricted. */
const without = memoize((table: ServiceTable, hiddenPlaces: string): ByHost => {
  const all = servicesByPrecedence(table);
  if (hiddenPlaces === "") return all;
  const hidden = new Set(hiddenPlaces.split(",").map((place) => restricted(table)[Number(place)]));
  return all.flatMap((services) => {
    const seen = services.filter((service) => !hidden.has(service));
    if (seen.length === 0) return [];
    return [seen.length === services.length ? services : seen];
  });
});

/** Hosts that several namespaces have are few. */
const contested = memoize((all: ByHost) => all.filter(({ length }) => length > 1));

/** The services of each host name as a client in `namespace` prefers those that it may see: its own namespace's first. */
export function servicesByHost(table: ServiceTable, namespace: string): ByHost {
  const hidden = restricted(table).flatMap((service, place) => (isVisibleIn(service, namespace) ? [] : place));
  const all = without(table, hidden.join());
  const isOwn = (service: Service): boolean => service.namespace === namespace;
  if (!contested(all).some((services) => services.findIndex(isOwn) > 0)) return all;
  return all.map((services) => services.toSorted((a, b) => Number(isOwn(b)) - Number(isOwn(a))));
}
