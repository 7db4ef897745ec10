import type { RegistriesPort } from "../api/ports.ts";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import { isWithin } from "../model/hostname.ts";
import type { Service } from "../model/service.ts";
import { type Aggregate, aggregateRegistries } from "../registry/aggregate.ts";
import { type GuardedRegistry, guardRegistry } from "../registry/guard/guarded.ts";
import { openSavedCatalog } from "../registry/saved/saved-catalog.ts";
import type { RegistrySource } from "../registry/source.ts";
import { createRegistryMeter, holdLastGood } from "../registry/wrap.ts";
import { createRegistriesPort } from "./registries-port.ts";
import type { RegistryKind, RegistryOptions } from "./registry-options.ts";

/** A registry of one kind, as its adapter makes it. */
export interface RegistryEntry {
  readonly kind: RegistryKind;
  readonly source: RegistrySource;
  /** Where it reads: what was saved of another place is not its own. */
  readonly place: string;
  /** Its removals are somebody's own word: who was told to go, or did not say any more that he is there. */
  readonly isItsWord?: true;
}

/** A registry whose losses are held, counted. */
export interface Guarded extends GuardedRegistry {
  readonly kind: RegistryKind;
}

export interface RegistryParts {
  readonly options: RegistryOptions;
  /** Where last good catalogs are kept; absent: nowhere. */
  readonly folder?: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** What every registry is wrapped in. Made once a process, as the metrics are. */
export function createRegistryGuard(parts: RegistryParts): (entry: RegistryEntry) => Promise<Guarded> {
  const { options, folder, clock, log, metrics } = parts;
  const { removalHold, maxShrink, trustRemovals } = options;
  const meter = createRegistryMeter(metrics);
  const isTrusted = ({ hostname }: Pick<Service, "hostname">) => trustRemovals.some((host) => isWithin(hostname, host));
  return async ({ kind, source, place, isItsWord }) => {
    const owner = { registry: source.name, place };
    const saved = folder === undefined ? undefined : await openSavedCatalog({ folder, owner, clock, log });
    const lastGood = saved?.lastGood;
    const policy = { holdMs: isItsWord ? 0 : removalHold, maxShrink, isTrusted };
    const guarded = guardRegistry(holdLastGood(source), { policy, clock, log, ...(lastGood && { lastGood }) });
    return { ...meter(saved?.keep(guarded) ?? guarded), kind };
  };
}

/** All registries as one. */
export interface Registries extends Aggregate {
  /** In their order. */
  readonly sources: readonly RegistrySource[];
  readonly port: RegistriesPort;
}

/** Joins registries to one catalog in their order. They stay open when it is closed. */
export function joinRegistries(
  registries: readonly Guarded[],
  { registryOrder, joinHosts }: RegistryOptions,
): Registries {
  const sources = registries.toSorted((a, b) => registryOrder.indexOf(a.kind) - registryOrder.indexOf(b.kind));
  return { ...aggregateRegistries(sources, joinHosts), sources, port: createRegistriesPort(sources) };
}
