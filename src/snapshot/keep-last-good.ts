import type { Compiled } from "../compile/assembly.ts";
import { createResourceSet, type ResourceSet, referenceKey } from "../envoy/resource-set.ts";

/**
 * Completes a compiled set: what is broken in it stays as it was in the last good set, together with what it names and the new
 * set does not have; everything else is new. A set without broken resources stays as it is.
 *
 * Throws when a listener is broken and there was no set before: leaving it out would close it at proxies that have it from an
 * earlier run of the control plane.
 */
export function keepLastGood(compiled: Compiled, lastGood: ResourceSet | undefined): ResourceSet {
  const { broken, repairs, repair } = compiled;
  if (broken.length === 0) return compiled;
  if (lastGood === undefined) {
    const listener = broken.find(({ type, standIn }) => type === "LDS" && standIn === undefined);
    if (listener === undefined) return compiled;
    throw new Error(`listener ${listener.name} could not be compiled: ${listener.error.message}`, {
      cause: listener.error,
    });
  }
  const placeholders = new Set(repairs.filter(({ kind }) => kind === "missing").map(referenceKey));
  const resources = new Map(
    Object.values(compiled.resources)
      .flatMap((table) => [...table.values()])
      .map((resource) => [referenceKey(resource), resource] as const)
      .filter(([key]) => !placeholders.has(key)),
  );
  const kept = broken.flatMap(({ rescue }) => rescue(lastGood));
  for (const resource of kept) resources.set(referenceKey(resource), resource);
  for (const { references } of kept) {
    for (const reference of references) {
      const named = lastGood.resources[reference.type].get(reference.name);
      if (named === undefined || resources.has(referenceKey(named))) continue;
      resources.set(referenceKey(named), named);
      kept.push(named);
    }
  }
  const whole = repair([...resources.values()]);
  const others = whole.repairs.filter((one) => !brokenIn(repairs, one));
  return createResourceSet(whole.resources, [...repairs.filter(({ kind }) => kind !== "missing"), ...others]);
}

const brokenIn = (repairs: Compiled["repairs"], { type, name }: Compiled["repairs"][number]): boolean =>
  repairs.some((repair) => repair.kind === "broken" && repair.type === type && repair.name === name);
