import { memoize } from "../base/memo.ts";
import type { Service } from "../model/service.ts";
import type { ServiceTable } from "./service-table.ts";

/** The services of each host name in the order in which they win; the same list for all namespaces that see them alike. */
const servicesByPrecedence = memoize(({ byHost }: ServiceTable): readonly (readonly Service[])[] => [
  ...byHost.values(),
]);

/** Hosts that several namespaces have are few. */
const contested = memoize((table: ServiceTable) => servicesByPrecedence(table).filter(({ length }) => length > 1));

/** The services of each host name as a client in `namespace` prefers them: its own namespace's first. */
export function servicesByHost(table: ServiceTable, namespace: string): readonly (readonly Service[])[] {
  const isOwn = (service: Service): boolean => service.namespace === namespace;
  const all = servicesByPrecedence(table);
  if (!contested(table).some((services) => services.findIndex(isOwn) > 0)) return all;
  return all.map((services) => services.toSorted((a, b) => Number(isOwn(b)) - Number(isOwn(a))));
}
