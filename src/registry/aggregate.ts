import { createSignal, type Signal } from "../base/signal.ts";
import type { Catalog } from "../model/catalog.ts";
import type { Hostname } from "../model/hostname.ts";
import { type CatalogConflict, type CombinedCatalog, combineCatalogs } from "./combine.ts";
import type { RegistrySource } from "./source.ts";

/** All registries as one catalog. */
export interface Aggregate {
  /** undefined until every registry has reported a complete catalog once. */
  readonly catalog: Signal<Catalog | undefined>;
  readonly conflicts: Signal<readonly CatalogConflict[]>;
  readonly close: () => void;
}

/** Joins the registries, given in the order of precedence; `joinHosts` are the same service in all of them. */
export function aggregateRegistries(
  sources: readonly RegistrySource[],
  joinHosts: readonly Hostname[] = [],
): Aggregate {
  const catalog = createSignal<Catalog | undefined>(undefined);
  const conflicts = createSignal<readonly CatalogConflict[]>([]);
  let previous: CombinedCatalog | undefined;
  const refresh = (): void => {
    const inputs = sources.flatMap(({ name, catalog: { value } }) =>
      value ? [{ registry: name, catalog: value }] : [],
    );
    if (inputs.length < sources.length) return;
    previous = combineCatalogs(inputs, { joinHosts, ...(previous && { previous }) });
    conflicts.set(previous.conflicts);
    catalog.set(previous.catalog);
  };
  const subscriptions = sources.map((source) => source.catalog.subscribe(refresh));
  refresh();
  return {
    catalog,
    conflicts,
    close: () => {
      for (const unsubscribe of subscriptions) unsubscribe();
    },
  };
}
