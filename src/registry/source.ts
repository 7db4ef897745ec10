import type { Signal } from "../base/signal.ts";
import type { Catalog } from "../model/catalog.ts";
import type { Held } from "./guard/held.ts";

/** A problem in what a registry was given, with its place where it came from text. */
export interface RegistryProblem {
  readonly message: string;
  readonly hint?: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  /** Default: it is invalid, an error. `held` and `outdated` warn of what is served in the place of what is reported. */
  readonly kind?: "held" | "outdated";
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
  /** Of when its catalog is, milliseconds since the epoch; absent: of now, or there is none. */
  readonly asOf?: number;
  /** What is served as before, whatever is reported of it now; absent: nothing. */
  readonly withheld?: Withheld;
  /** Nothing goes until it is released. */
  readonly hold?: OperatorHold;
}

export interface Withheld {
  readonly services: Held;
  /** How many, of all services. */
  readonly instances: number;
  /** When the last of it goes, milliseconds since the epoch; absent: not by itself. */
  readonly until?: number;
}

/** An operator's decision. */
export interface OperatorHold {
  readonly by: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/** Where services and instances come from. Everything else about a registry is a decorator around this. */
export interface RegistrySource {
  readonly name: string;
  /** undefined until the first complete catalog. */
  readonly catalog: Signal<Catalog | undefined>;
  readonly health: Signal<RegistryHealth>;
  readonly close: () => Promise<void>;
}
