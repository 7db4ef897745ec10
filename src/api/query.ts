import { nearest } from "../base/nearest.ts";
import { defaultPageLimit, maxPageLimit, type PagePosition, parsePageLimit, parsePageToken } from "./paging.ts";
import type { ProblemDetailView } from "./types.ts";

/** A filter of a list: the parameter's name, and the text of an item that must be equal to its value. */
export type Filters<T> = Readonly<Record<string, (item: T) => string>>;

export interface ListQuery<T> {
  readonly limit: number;
  readonly after?: PagePosition;
  readonly matches: (item: T) => boolean;
}

const paging = ["limit", "continue"];

/** Decodes the query of a list; every problem at once. */
export function decodeListQuery<T>(
  query: Readonly<Record<string, unknown>>,
  filters: Filters<T>,
): { readonly query: ListQuery<T> } | { readonly errors: readonly ProblemDetailView[] } {
  const errors: ProblemDetailView[] = [];
  const wanted: (readonly [(item: T) => string, string])[] = [];
  let limit: number | undefined;
  let after: PagePosition | undefined;

  for (const [parameter, value] of Object.entries(query)) {
    const filter = Object.hasOwn(filters, parameter) ? filters[parameter] : undefined;
    if (typeof value !== "string") {
      errors.push({ parameter, message: "It is given more than once." });
    } else if (filter !== undefined) {
      wanted.push([filter, value]);
    } else if (parameter === "limit") {
      limit = parsePageLimit(value);
      if (limit === undefined) errors.push({ parameter, message: `It must be a number from 1 to ${maxPageLimit}.` });
    } else if (parameter === "continue") {
      after = parsePageToken(value);
      if (after === undefined) errors.push({ parameter, message: "It is not what a page before gave." });
    } else {
      errors.push(unknownParameter(parameter, [...Object.keys(filters), ...paging]));
    }
  }
  if (errors.length > 0) return { errors };
  const matches = (item: T) => wanted.every(([textOf, text]) => textOf(item) === text);
  return { query: { limit: limit ?? defaultPageLimit, ...(after !== undefined && { after }), matches } };
}

function unknownParameter(parameter: string, known: readonly string[]): ProblemDetailView {
  const meant = nearest(parameter.slice(0, 64), known);
  return {
    parameter: parameter.slice(0, 64),
    message: "There is no such parameter here.",
    hint: meant === undefined ? `Known are ${known.join(", ")}.` : `Did you mean ${meant}?`,
  };
}
