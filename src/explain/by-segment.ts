import type { RouteMatch } from "../envoy/route-messages.ts";
import { asBytes } from "../envoy/string-matcher.ts";

/**
 * Finds the few routes of a large virtual host that a path can be for: by the first segment of the path, as most routes say which one
 * they want. `matchOf` gives what a route matches; the order stays.
 */
export function bySegment<T>(all: readonly T[], matchOf: (one: T) => RouteMatch): (barePath: string) => readonly T[] {
  const placed = all.map((one, index) => ({ one, index, segment: wantedSegment(matchOf(one)) }));
  const groups = Map.groupBy(placed, ({ segment }) => segment);
  const rest = groups.get(undefined) ?? [];
  const forRest = rest.map(({ one }) => one);
  /** Made when a path asks for it: at most as many as there are segments. */
  const lists = new Map<string, readonly T[]>();
  return (barePath) => {
    const segment = firstSegment(barePath);
    const own = groups.get(segment);
    if (own === undefined) return forRest;
    const list = lists.get(segment) ?? [...rest, ...own].sort((a, b) => a.index - b.index).map(({ one }) => one);
    lists.set(segment, list);
    return list;
  };
}

/** undefined: any may do. */
function wantedSegment({ pathSpecifier: wanted, caseSensitive = true }: RouteMatch): string | undefined {
  if (
    !caseSensitive ||
    !(wanted.case === "prefix" || wanted.case === "path" || wanted.case === "pathSeparatedPrefix")
  ) {
    return undefined;
  }
  const literal = asBytes(wanted.value);
  const first = firstSegment(literal);
  // What a prefix ends with may go on.
  return wanted.case === "prefix" && first.length === literal.length ? undefined : first;
}

/** With its slash: `/a` of `/a/b`. */
function firstSegment(path: string): string {
  const end = path.indexOf("/", 1);
  return end < 0 ? path : path.slice(0, end);
}
