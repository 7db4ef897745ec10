import type { Service } from "../../model/service.ts";

/** What is not believed at once, and for how long. */
export interface GuardPolicy {
  /** For how long each removal is held, in milliseconds; 0: none is, but by an operator. */
  readonly holdMs: number;
  /** The share of its instances that a registry may lose within `holdMs`: 0 to 1. */
  readonly maxShrink: number;
  /** Services whose removals count at once. */
  readonly isTrusted: (service: Service) => boolean;
}
