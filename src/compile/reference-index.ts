import { type Resource, referenceKey } from "../envoy/resource-set.ts";

/**
 * Counts who is there and who is named among the resources of a set, so that a change of some tells whether the set is still whole
 * without a look at the others. Secrets never are in a set: they come by a way of their own.
 */
export class ReferenceIndex {
  readonly #present = new Map<string, number>();
  readonly #named = new Map<string, number>();

  /** Of a whole set, in which each name stands once. */
  constructor(resources: Iterable<Resource>) {
    this.replace([], resources);
  }

  /** False when a name stands twice now, or is named and not there: the index is of no more use then. */
  replace(gone: Iterable<Resource>, come: Iterable<Resource>): boolean {
    const touched = new Set<string>();
    const count = (counts: Map<string, number>, key: string, by: number): void => {
      const sum = (counts.get(key) ?? 0) + by;
      if (sum === 0) counts.delete(key);
      else counts.set(key, sum);
      touched.add(key);
    };
    const countAll = (resources: Iterable<Resource>, by: number): void => {
      for (const resource of resources) {
        count(this.#present, referenceKey(resource), by);
        for (const reference of resource.references) {
          if (reference.type !== "SDS") count(this.#named, referenceKey(reference), by);
        }
      }
    };
    countAll(gone, -1);
    countAll(come, 1);
    return [...touched].every(
      (key) => (this.#present.get(key) ?? 0) === 1 || (!this.#named.has(key) && !this.#present.has(key)),
    );
  }
}
