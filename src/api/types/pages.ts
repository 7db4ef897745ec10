/* Lists in pages. Types of the API's JSON: times are RFC 3339 in UTC; a field that is not known is absent, never null. */

/** One page of a list, in the order of the list's key. */
export interface Page<T> {
  readonly items: readonly T[];
  /** How many items the filters let through, on all pages. */
  readonly total: number;
  /** Give it back as `continue` for the next page; absent on the last one. */
  readonly continue?: string;
}
