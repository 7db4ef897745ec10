import { isDeepStrictEqual } from "node:util";
import type { Pair, YAMLMap } from "yaml";
import { isMergeKey, keyName } from "./yaml-tree.ts";

export type Data = Readonly<Record<string, unknown>>;

/** What becomes of the fields of an object as it is written. */
export interface FieldChanges {
  /** In the order of the text, each with its value before and after. `merge` brings in fields of other objects. */
  readonly fields: readonly {
    readonly pair: Pair;
    readonly fate: "merge" | "removed" | { readonly before: unknown; readonly after: unknown };
  }[];
  readonly added: readonly string[];
}

/** undefined when nothing of the object stays, or when it must lose a field that it has from another one. */
export function fieldChanges(map: YAMLMap, before: Data, after: Data): FieldChanges | undefined {
  const own = new Set(map.items.filter((pair) => !isMergeKey(pair)).map((pair) => keyName(pair) ?? ""));
  const fields = map.items.map((pair): FieldChanges["fields"][number] => {
    if (isMergeKey(pair)) return { pair, fate: "merge" };
    const name = keyName(pair) ?? "";
    if (!Object.hasOwn(after, name)) return { pair, fate: "removed" };
    return { pair, fate: { before: before[name], after: after[name] } };
  });
  if (fields.every(({ fate }) => fate === "removed") && map.items.length > 0) return undefined;
  if (Object.keys(before).some((name) => !own.has(name) && !Object.hasOwn(after, name))) return undefined;
  const isMergedIn = (name: string) => Object.hasOwn(before, name) && isDeepStrictEqual(before[name], after[name]);
  return { fields, added: Object.keys(after).filter((name) => !own.has(name) && !isMergedIn(name)) };
}
