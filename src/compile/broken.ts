import type { Repair, Resource, ResourceSet } from "../envoy/resource-set.ts";
import type { TypeName } from "../envoy/resource-types.ts";

/** A resource that could not be compiled as it should be. */
export interface Broken {
  readonly type: TypeName;
  readonly name: string;
  readonly error: Error;
  /** What stands there as long as nothing better is known: it names nothing that is not there, and lets nothing through. */
  readonly standIn: Resource | undefined;
  /** What can be saved out of the last good set: the resource, and what has to go with it. Empty: nothing. */
  readonly rescue: (lastGood: ResourceSet) => readonly Resource[];
}

export type Report = (broken: Broken) => void;

/** `make`'s result, or that of `otherwise` when it throws. */
export function attempt<T, U>(make: () => T, otherwise: (error: Error) => U): T | U {
  try {
    return make();
  } catch (error) {
    return otherwise(error instanceof Error ? error : new Error(String(error)));
  }
}

/** Saves the very resource of the last good set, and nothing else. */
export const keep =
  ({ type, name }: Pick<Broken, "type" | "name">): Broken["rescue"] =>
  ({ resources }) => {
    const last = resources[type].get(name);
    return last === undefined ? [] : [last];
  };

/** A listener has nothing that could stand in for it. */
export function brokenListener(name: string, error: Error): Broken {
  const listener = { type: "LDS", name } as const;
  return { ...listener, error, standIn: undefined, rescue: keep(listener) };
}

export const repairOf = ({ type, name, error }: Broken): Repair => ({
  type,
  name,
  kind: "broken",
  reason: error.message,
});
