import { type Document, isAlias, isMap, isSeq } from "yaml";
import { type JsonPointer, pointerSteps } from "./json-pointer.ts";
import { isMergeKey, keyName, nodeOffset, type YamlTree } from "./yaml-tree.ts";

/** Where the value (or the key) that a pointer names starts; for what is not there, its nearest parent. */
export function placeOf({ document, start }: YamlTree, pointer: JsonPointer, at: "value" | "key"): number {
  let node: unknown = document?.contents;
  let offset = start;
  if (document === undefined) return offset;
  for (const step of pointerSteps(pointer)) {
    const found = stepInto(node, step, document);
    if (found === undefined) return offset;
    node = found.value;
    offset = nodeOffset(at === "key" || node === null ? (found.key ?? node) : node);
  }
  return offset;
}

interface Found {
  readonly key?: unknown;
  readonly value: unknown;
}

function stepInto(node: unknown, step: string, document: Document.Parsed): Found | undefined {
  const target = resolved(node, document);
  if (isSeq(target)) {
    const value = /^\d+$/.test(step) ? target.items[Number(step)] : undefined;
    return value === undefined ? undefined : { value };
  }
  if (!isMap(target)) return undefined;
  const own = target.items.find((pair) => keyName(pair) === step && !isMergeKey(pair));
  if (own !== undefined) return own;
  const merged = target.items.filter(isMergeKey).flatMap(({ value }) => {
    const from = resolved(value, document);
    return isSeq(from) ? from.items : [from];
  });
  return firstOf(merged, (from) => stepInto(from, step, document));
}

const resolved = (node: unknown, document: Document.Parsed): unknown => (isAlias(node) ? node.resolve(document) : node);

function firstOf<T, R>(items: readonly T[], of: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = of(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
