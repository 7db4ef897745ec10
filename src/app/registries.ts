import type { RegistriesPort } from "../api/ports.ts";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import { type Hostname, isWithin } from "../model/hostname.ts";
import type { Service } from "../model/service.ts";
import { type Aggregate, aggregateRegistries } from "../registry/aggregate.ts";
import { type GuardedRegistry, guardRegistry } from "../registry/guard/guarded.ts";
import type { RegistrySource } from "../registry/source.ts";
import { createRegistryMeter, holdLastGood } from "../registry/wrap.ts";
import { createRegistriesPort } from "./registries-port.ts";

export type RegistryKind = "kubernetes" | "file" | "rest";

/** What may be told of registries; the rest is as `defaultRegistryOptions` says. */
export interface RegistryOptions {
  /** Whose services count where several know one: the first. */
  readonly registryOrder: readonly RegistryKind[];
  /** Hosts that are the same service in every registry; wildcards too. */
  readonly joinHosts: readonly Hostname[];
  /** How long removals are held that are not believed at once, in milliseconds; 0: none is. */
  readonly removalHold: number;
  /** The share of its instances, 0 to 1, that a registry may lose in that time without being suspected. */
  readonly maxShrink: number;
  /** Hosts whose removals are believed at once; wildcards too. */
  readonly trustRemovals: readonly Hostname[];
}

export const defaultRegistryOptions: RegistryOptions = {
  registryOrder: ["kubernetes", "file", "rest"],
  joinHosts: [],
  removalHold: 60_000,
  maxShrink: 0.3,
  trustRemovals: [],
};

/** A registry of one kind, as its adapter makes it. */
export interface RegistryEntry {
  readonly kind: RegistryKind;
  readonly source: RegistrySource;
  /** Its removals are somebody's own word: who was told to go, or did not say any more that he is there. */
  readonly isItsWord?: true;
}

/** A registry whose losses are held, counted. */
export interface Guarded extends GuardedRegistry {
  readonly kind: RegistryKind;
}

export interface RegistryParts {
  readonly options: RegistryOptions;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** What every registry is wrapped in. Made once a process, as the metrics are. */
export function createRegistryGuard({
  options,
  clock,
  log,
  metrics,
}: RegistryParts): (entry: RegistryEntry) => Guarded {
  const { removalHold, maxShrink, trustRemovals } = options;
  const meter = createRegistryMeter(metrics);
  const isTrusted = ({ hostname }: Pick<Service, "hostname">) => trustRemovals.some((host) => isWithin(hostname, host));
  return ({ kind, source, isItsWord }) => {
    const policy = { holdMs: isItsWord ? 0 : removalHold, maxShrink, isTrusted };
    return { ...meter(guardRegistry(holdLastGood(source), { policy, clock, log })), kind };
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
