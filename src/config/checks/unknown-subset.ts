import { nearest } from "../../base/nearest.ts";
import { destinationsOf } from "./destinations.ts";
import type { Check } from "./references.ts";

/** Subsets of known hosts that no DestinationRule defines: requests to them are answered with 503. */
export const checkUnknownSubsets: Check = (references) =>
  references.virtualServices.flatMap((rule) =>
    destinationsOf(rule, references).flatMap(({ pointer, destination: { subset }, host }) => {
      if (subset === undefined || host === undefined || !references.hosts.has(host)) return [];
      const defined = references.destinationRulesOf(host).flatMap(({ spec }) => spec.subsets.map(({ name }) => name));
      if (defined.includes(subset)) return [];
      const near = nearest(subset, defined);
      return [
        {
          rule: rule.key,
          pointer: `${pointer}/subset`,
          code: "rule/unknown-subset",
          message: `No DestinationRule defines the subset ${subset} of ${host}.`,
          hint:
            near !== undefined
              ? `Did you mean ${near}?`
              : defined.length > 0
                ? `Defined are ${defined.join(", ")}.`
                : `Write a DestinationRule for ${host} with this subset.`,
        },
      ];
    }),
  );
