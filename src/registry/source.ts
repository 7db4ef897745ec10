import type { Signal } from "../base/signal.ts";
import type { Catalog } from "../model/catalog.ts";

/** A problem in what a registry was given, with its place where it came from text. */
export interface RegistryProblem {
  readonly message: string;
  readonly hint?: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

/**
 * INITIAL: nothing complete yet. LIVE: as reported. SUSPECT: it shrank in a way that is not believed yet; the last good
 * catalog is served. OUTAGE: no contact, or nothing readable; the last good catalog is served.
 */
export type RegistryState = "INITIAL" | "LIVE" | "SUSPECT" | "OUTAGE";

export interface RegistryHealth {
  readonly state: RegistryState;
  /** Since when, milliseconds since the epoch. */
  readonly since: number;
  readonly problems: readonly RegistryProblem[];
}

/** Where services and instances come from. Everything else about a registry is a decorator around this. */
export interface RegistrySource {
  readonly name: string;
  /** undefined until the first complete catalog. */
  readonly catalog: Signal<Catalog | undefined>;
  readonly health: Signal<RegistryHealth>;
  readonly close: () => Promise<void>;
}
