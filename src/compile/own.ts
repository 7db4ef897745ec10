import type { Repair, Resource } from "../envoy/resource-set.ts";

/** What a set has besides the parts of services. */
export interface Own {
  readonly resources: readonly Resource[];
  /** Who had to give way to others; mostly nobody. */
  readonly conflicts: readonly Repair[];
}

const noConflicts: Own["conflicts"] = [];

export const withoutConflicts = (resources: readonly Resource[]): Own => ({ resources, conflicts: noConflicts });
