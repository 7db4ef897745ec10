import type { RegistriesPort } from "../api/ports.ts";
import type { HeldView, RegistryView } from "../api/types/registries.ts";
import { memoize } from "../base/memo.ts";
import { timeText } from "../base/time-text.ts";
import type { Catalog } from "../model/catalog.ts";
import type { GuardedRegistry } from "../registry/guard/guarded.ts";
import type { Withheld } from "../registry/source.ts";

interface KnownRegistry extends GuardedRegistry {
  readonly kind: string;
}

/** Registries as the API speaks of them, in the order in which they count. */
export function createRegistriesPort(registries: readonly KnownRegistry[]): RegistriesPort {
  const decide = (name: string, decision: (registry: KnownRegistry) => void): RegistryView | undefined => {
    const index = registries.findIndex((each) => each.name === name);
    const found = registries[index];
    if (found === undefined) return undefined;
    decision(found);
    return registryView(found, index);
  };
  return {
    list: () => registries.map(registryView),
    hold: (name, by) => decide(name, (registry) => registry.hold(by)),
    release: (name) => decide(name, (registry) => registry.release()),
  };
}

function registryView({ kind, name, catalog, health }: KnownRegistry, index: number): RegistryView {
  const { state, since, problems, asOf, withheld, hold } = health.value;
  return {
    name,
    kind,
    precedence: index + 1,
    state,
    since: timeText(since),
    ...(asOf !== undefined && { asOf: timeText(asOf) }),
    services: catalog.value?.services.size ?? 0,
    instances: catalog.value === undefined ? 0 : instancesIn(catalog.value),
    ...(hold && { hold: { by: hold.by, since: timeText(hold.since) } }),
    ...(withheld && { held: heldView(withheld) }),
    problems: problems.map(({ kind: problemKind = "invalid", ...problem }) => ({
      code: `catalog/${problemKind}`,
      ...problem,
    })),
  };
}

const instancesIn = memoize(({ instances }: Catalog) => instances.values().reduce((sum, list) => sum + list.length, 0));

/** More services than these are counted, not listed. */
const maxHeld = 100;

function heldView({ services, instances, until }: Withheld): HeldView {
  const items = services.values().take(maxHeld);
  return {
    services: services.size,
    instances,
    ...(until !== undefined && { until: timeText(until) }),
    items: [...items].map(({ service, reason, instances: held, list }) => ({
      host: service.hostname,
      namespace: service.namespace,
      reason,
      held: held.length,
      served: list.length,
    })),
  };
}
