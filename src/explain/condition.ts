import type { JsonPointer } from "../base/json-pointer.ts";
import type { Facts } from "./request.ts";

/** One thing that a route asks of a request. */
export interface Condition {
  /** In words: `the path begins with "/api"`. */
  readonly text: string;
  /** Where it stands in the route, in proto JSON. */
  readonly pointer: JsonPointer;
  readonly holds: (facts: Facts) => boolean;
  /** What the request has instead, in words: `it is "/home"`. */
  readonly found: (facts: Facts) => string;
}

/** A text as it is said to people. */
export const quoted = (text: string): string => JSON.stringify(text);

/** A configuration that Envoy knows how to carry out and we do not. `what`: the field and its kind. */
export class Unsupported extends Error {
  readonly pointer: JsonPointer;

  constructor(what: string, pointer: JsonPointer) {
    super(`${what} is not understood, at ${pointer}`);
    this.name = "Unsupported";
    this.pointer = pointer;
  }
}
