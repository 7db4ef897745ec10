import { memoize } from "../base/memo.ts";
import type { Catalog } from "../model/catalog.ts";
import { portOf } from "./endpoints.ts";

/** The ports that the instances at some addresses listen on, in order, by what the registries say. */
export function portsListenedOn(catalog: Catalog, addresses: readonly string[]): readonly number[] {
  const index = portsByAddress(catalog);
  const ports = new Set(addresses.flatMap((address) => [...(index.get(address) ?? [])]));
  return [...ports].sort((a, b) => a - b);
}

/** Made once for each catalog, and only where somebody asks. */
const portsByAddress = memoize(({ services, instances }: Catalog): ReadonlyMap<string, ReadonlySet<number>> => {
  const index = new Map<string, Set<number>>();
  for (const [key, list] of instances) {
    const ports = services.get(key)?.ports ?? [];
    for (const instance of list) {
      const known = index.get(instance.address) ?? new Set();
      for (const port of ports) known.add(portOf(instance, port));
      index.set(instance.address, known);
    }
  }
  return index;
});
