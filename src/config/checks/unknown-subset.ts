import { nearest } from "../../base/nearest.ts";
import type { Known } from "./known.ts";
import type { TargetOf } from "./references.ts";

/** Subsets of known hosts that no DestinationRule defines: requests to them are answered with 503. */
export const isMissingSubset = ({ host, subset }: TargetOf<"subset">, known: Known): boolean =>
  known.hasHost(host) && !known.subsetsOf(host).includes(subset);

export function hintForSubset({ host, subset }: TargetOf<"subset">, known: Known): string {
  const defined = known.subsetsOf(host);
  const near = nearest(subset, defined);
  if (near !== undefined) return `Did you mean ${near}?`;
  return defined.length > 0
    ? `Defined are ${defined.join(", ")}.`
    : `Write a DestinationRule for ${host} with this subset.`;
}
