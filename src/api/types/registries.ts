/* Where services come from. Types of the API's JSON: times are RFC 3339 in UTC; a field that is not known is absent, never null. */

export interface RegistryView {
  readonly name: string;
  /** `kubernetes`, `file`, `rest`, … */
  readonly kind: string;
  /** From 1: whose services count where several know one. */
  readonly precedence: number;
  /**
   * `INITIAL`: it has not reported yet. `LIVE`: what it reports is served. `SUSPECT`: it lost more than is believed at once, which is served as before.
   * `OUTAGE`: there is no contact with it, or nothing readable from it; what it had is served.
   */
  readonly state: "INITIAL" | "LIVE" | "SUSPECT" | "OUTAGE";
  readonly since: string;
  /** Of when its catalog is; absent: of now, or there is none. */
  readonly asOf?: string;
  /** What is served of it. */
  readonly services: number;
  readonly instances: number;
  /** Somebody's decision that nothing of it goes. */
  readonly hold?: RegistryHoldView;
  readonly held?: HeldView;
  readonly problems: readonly RegistryProblemView[];
}

export interface RegistryHoldView {
  /** The name of a token. */
  readonly by: string;
  readonly since: string;
}

/** What is served as before, though the registry does not report it any more. */
export interface HeldView {
  readonly services: number;
  readonly instances: number;
  /** When the last of it goes; absent: not by itself. */
  readonly until?: string;
  /** The first of the services. */
  readonly items: readonly HeldServiceView[];
}

export interface HeldServiceView {
  readonly host: string;
  readonly namespace: string;
  /** `emptied`: no instance is left that could serve. `gone`: it is not reported. `shrunk`: the registry lost too many at once. `operator`: a hold. */
  readonly reason: "emptied" | "gone" | "shrunk" | "operator";
  /** How many of its instances are held, and how many are served. */
  readonly held: number;
  readonly served: number;
}

export interface RegistryProblemView {
  /** As that of the finding: `catalog/invalid`, … */
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}
