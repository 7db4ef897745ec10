import type { JsonPointer } from "../base/json-pointer.ts";
import { memoize } from "../base/memo.ts";
import type { Resource, ResourceSet } from "../envoy/resource-set.ts";
import { type RulePlace, rulePlaces } from "./rule-places.ts";

/** A resource that a rule gave something to. */
export interface RulePart {
  readonly resource: Resource;
  /** The narrowest part of the rule that holds all it gave to the resource. */
  readonly pointer: JsonPointer;
}

/** The rules behind a resource; remembered with it. */
export const rulesBehind: (resource: Resource) => readonly RulePlace[] = memoize((resource: Resource) =>
  rulePlaces(resource.provenance()),
);

/** What each rule (`Kind/namespace/name`) gave to a resource set, in the order of types and names; remembered with the set. */
export const rulePartsOf: (set: ResourceSet) => ReadonlyMap<string, readonly RulePart[]> = memoize(
  ({ resources }: ResourceSet) => {
    const parts = new Map<string, RulePart[]>();
    for (const table of Object.values(resources)) {
      for (const resource of table.values()) {
        for (const { rule, pointer } of rulesBehind(resource)) {
          const list = parts.get(rule) ?? [];
          parts.set(rule, list);
          list.push({ resource, pointer });
        }
      }
    }
    return parts;
  },
);
