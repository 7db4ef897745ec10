import type { JsonPointer } from "../base/json-pointer.ts";
import { pointerSteps, pointerTo } from "../base/json-pointer.ts";
import type { Provenance } from "../envoy/provenance.ts";

/** A place in a rule. */
export interface RulePlace {
  /** `Kind/namespace/name`. */
  readonly rule: string;
  readonly pointer: JsonPointer;
}

/** The rules behind a resource, each with the narrowest part of it that holds all it gave to the resource. */
export function rulePlaces(provenance: Provenance): readonly RulePlace[] {
  const places = new Map<string, JsonPointer>();
  for (const { origins } of provenance) {
    for (const origin of origins) {
      if (origin.kind !== "rule") continue;
      const before = places.get(origin.rule);
      places.set(origin.rule, before === undefined ? origin.pointer : commonPart(before, origin.pointer));
    }
  }
  return [...places].map(([rule, pointer]) => ({ rule, pointer }));
}

function commonPart(a: JsonPointer, b: JsonPointer): JsonPointer {
  const other = pointerSteps(b);
  const steps = pointerSteps(a);
  const end = steps.findIndex((step, index) => step !== other[index]);
  return (end < 0 ? steps : steps.slice(0, end)).reduce(pointerTo, "");
}
