import { memoize } from "../base/memo.ts";
import type { Service } from "../model/service.ts";

/** A service with the names that stand for it: it answers to them as to its own. */
export interface NamedService extends Service {
  readonly aliases?: readonly Service[];
}

type ByHost = readonly (readonly NamedService[])[];

/**
 * The services of each host name with their aliases. Names that stand for no service, or for one that is an alias itself, are nobody's. The
 * same list where nothing is an alias.
 */
export const withAliases = memoize((all: ByHost): ByHost => {
  const aliases = all.flatMap(([first]) => (first?.aliasOf === undefined ? [] : [first]));
  if (aliases.length === 0) return all;
  const byTarget = Map.groupBy(aliases, ({ aliasOf }) => aliasOf);
  return all.map((services) => {
    const names = byTarget.get(services[0]?.hostname);
    return names === undefined ? services : services.map((one) => (isAlias(one) ? one : named(one, ...names)));
  });
});

export const isAlias = ({ aliasOf }: Service): boolean => aliasOf !== undefined;

/** Without those of its aliases that somebody does not know. */
export function withKnownAliases(service: NamedService, isKnown: (alias: Service) => boolean): NamedService {
  const { aliases = [] } = service;
  const known = aliases.filter(isKnown);
  return known.length === aliases.length ? service : named(service, ...known);
}

/** The same object for the same aliases. */
const named = memoize(
  (service: NamedService, ...aliases: readonly Service[]): NamedService => ({
    ...service,
    aliases,
  }),
);
