import type { JsonPointer } from "../base/json-pointer.ts";
import { asCharacters } from "../envoy/string-matcher.ts";
import type { Change, ChangedBy } from "./explanation.ts";
import type { Stage } from "./forward.ts";
import { type Around, originsOf, within } from "./places.ts";

/** What was done between two moments: to path and authority, then to headers by name. `place`: of what did it, where it is said. */
export function changesBetween(
  before: Stage,
  after: Stage,
  by: ChangedBy,
  place?: { readonly around: Around; readonly pointer: JsonPointer },
): readonly Change[] {
  const origins = place === undefined ? [] : originsOf(within(place.around, place.pointer));
  const change = (what: string, old: string | undefined, now: string | undefined): readonly Change[] =>
    old === now
      ? []
      : [
          {
            ...{ what, by, origins },
            ...(old !== undefined && { before: asCharacters(old) }),
            ...(now !== undefined && { after: asCharacters(now) }),
          },
        ];
  const names =
    before.headers === after.headers ? [] : [...new Set([...before.headers.keys(), ...after.headers.keys()])];
  return [
    ...change("path", before.path, after.path),
    ...change("authority", before.authority, after.authority),
    ...names.sort().flatMap((name) => change(name, valuesIn(before, name), valuesIn(after, name))),
  ];
}

const valuesIn = ({ headers }: Stage, name: string): string | undefined => headers.get(name)?.join(",");
