import { isDeepStrictEqual } from "node:util";
import { isMap, isSeq } from "yaml";
import type { Splice } from "./splices.ts";
import { blockListSplices, blockMapSplices } from "./yaml-block-splices.ts";
import type { Data } from "./yaml-fields.ts";
import { flowListSplices, flowMapSplices } from "./yaml-flow-splices.ts";
import { type Editing, styleOf } from "./yaml-layout.ts";

/**
 * What to change in a text so that the node means `after` instead of `before`; undefined when the node has to be written anew.
 * It knows the usual ways to write YAML; the caller checks that the result means what it should.
 */
export function splicesOf(text: string, node: unknown, before: unknown, after: unknown): readonly Splice[] | undefined {
  return changesOf(node, before, after, { text, style: styleOf(text), changesOf });
}

function changesOf(node: unknown, before: unknown, after: unknown, editing: Editing): readonly Splice[] | undefined {
  if (isDeepStrictEqual(before, after)) return [];
  if (isMap(node) && isData(before) && isData(after)) {
    return (node.flow ? flowMapSplices : blockMapSplices)(node, before, after, editing);
  }
  if (isSeq(node) && Array.isArray(before) && Array.isArray(after)) {
    return (node.flow ? flowListSplices : blockListSplices)(node, before, after, editing);
  }
  return undefined;
}

const isData = (value: unknown): value is Data => typeof value === "object" && value !== null && !Array.isArray(value);
