import type { Selector } from "./labels.ts";
import type { ProxyKind } from "./proxy.ts";

/** The proxies that a hold speaks of; what is not given does not restrict. */
export interface Cohort {
  readonly kind?: ProxyKind;
  readonly labels?: Selector;
  /** Client name and version prefix, for example `envoy` and `1.36.`. */
  readonly client?: { readonly name: string; readonly version: string };
}

/**
 * "For this cohort, this rule stays as it was at that revision." Quarantine, staged rollout and halts are nothing but
 * holds: a plain input of the world, never a path around the compiler.
 */
export interface Hold {
  readonly id: string;
  readonly cohort: Cohort;
  /** The key of the rule, `Kind/namespace/name`. */
  readonly rule: string;
  /** The revision at which the rule is held. */
  readonly revision: number;
}
