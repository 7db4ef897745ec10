import { type Decoder, fail, failed, isObject, type Problem, type Site } from "../../base/decode.ts";
import { type JsonPointer, pointerTo } from "../../base/json-pointer.ts";

/**
 * A place in an object of the API server. What is read there and cannot be is told and missing, and all else of the object lives on:
 * one port gone wrong takes no other one with it.
 */
export class Place implements Site {
  readonly report: (problem: Problem) => void;
  readonly #value: unknown;
  readonly #above: Place | undefined;
  readonly #step: string | number;

  constructor(value: unknown, report: (problem: Problem) => void, above?: Place, step: string | number = "") {
    this.report = report;
    this.#value = value;
    this.#above = above;
    this.#step = step;
  }

  /** Made when it is asked for, because hardly any is. */
  get pointer(): JsonPointer {
    return this.#above === undefined ? "" : pointerTo(this.#above.pointer, this.#step);
  }

  /** Is nothing said here? */
  get isAbsent(): boolean {
    return this.#value === undefined || this.#value === null;
  }

  at(...steps: readonly string[]): Place {
    return steps.reduce<Place>((place, step) => place.#below(step), this);
  }

  /** undefined for what is absent, and for what is told to be wrong. */
  read<T>(decoder: Decoder<T>): T | undefined {
    if (this.isAbsent) return undefined;
    const value = decoder(this.#value, this);
    return value === failed ? undefined : value;
  }

  /** The items of a list; those beyond `max` are told and left out. */
  items(max: number): readonly Place[] {
    if (this.isAbsent) return [];
    const items: unknown = this.#value;
    if (!Array.isArray(items)) {
      fail(this, "invalid-type", "Expected a list.");
      return [];
    }
    if (items.length > max) fail(this, "invalid-value", `Expected at most ${max} items, found ${items.length}.`);
    return items.slice(0, max).map((item: unknown, index) => new Place(item, this.report, this, index));
  }

  #below(step: string): Place {
    const value: unknown =
      isObject(this.#value) && Object.hasOwn(this.#value, step)
        ? (this.#value as Record<string, unknown>)[step]
        : undefined;
    return new Place(value, this.report, this, step);
  }
}
