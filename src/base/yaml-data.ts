import { isAlias, isMap, isScalar, isSeq, type YAMLMap } from "yaml";
import { type JsonPointer, pointerTo } from "./json-pointer.ts";
import type { YamlProblem } from "./yaml-problem.ts";
import { isMergeKey, keyName, maxDepth, nodeOffset, type YamlTree } from "./yaml-tree.ts";

/** Aliases may stand for this many values in one document, counting what they stand for inside each other. */
const maxAliasedNodes = 10_000;

/** Plain data with its size, which an alias multiplies. */
interface Built {
  readonly data: unknown;
  readonly nodes: number;
  readonly depth: number;
}

interface Building {
  readonly anchors: Map<string, Built>;
  readonly problems: YamlProblem[];
  aliasedNodes: number;
}

const nothing: Built = { data: null, nodes: 1, depth: 1 };

/** The plain data of a tree, and what stands in the way of it: keys used twice or that are no texts, aliases that explode. */
export function dataOf({ document }: YamlTree): { readonly data: unknown; readonly problems: readonly YamlProblem[] } {
  const building: Building = { anchors: new Map(), problems: [], aliasedNodes: 0 };
  const { data } = build(document?.contents ?? null, "", building);
  return { data, problems: building.problems };
}

function build(node: unknown, pointer: JsonPointer, building: Building): Built {
  if (isAlias(node)) return buildAlias(node.source, nodeOffset(node), pointer, building);
  const built = isMap(node)
    ? buildMap(node, pointer, building)
    : isSeq(node)
      ? buildList(node.items, pointer, building)
      : leaf(node);
  const anchor = isMap(node) || isSeq(node) || isScalar(node) ? node.anchor : undefined;
  if (anchor !== undefined) building.anchors.set(anchor, built);
  return built;
}

const leaf = (node: unknown): Built => (isScalar(node) ? { data: node.value ?? null, nodes: 1, depth: 1 } : nothing);

function buildAlias(name: string, offset: number, pointer: JsonPointer, building: Building): Built {
  const target = building.anchors.get(name);
  if (target === undefined) {
    const message = `The alias *${name} refers to no anchor &${name} that is complete before it.`;
    const hint = "Put a text that starts with * in quotes.";
    building.problems.push({ kind: "syntax", pointer, offset, message, hint });
    return nothing;
  }
  building.aliasedNodes += target.nodes;
  if (building.aliasedNodes > maxAliasedNodes || target.depth > maxDepth) {
    const message = `The aliases stand for more than ${maxAliasedNodes} values, or for values nested more than ${maxDepth} levels deep.`;
    if (!building.problems.some(({ kind }) => kind === "too-large")) {
      building.problems.push({ kind: "too-large", pointer, offset, message, hint: "Write the values out." });
    }
    return nothing;
  }
  return target;
}

function buildList(items: readonly unknown[], pointer: JsonPointer, building: Building): Built {
  return join(
    items.map((item, index) => build(item, pointerTo(pointer, index), building)),
    (data) => data,
  );
}

function buildMap(map: YAMLMap, pointer: JsonPointer, building: Building): Built {
  const own = new Map<string, Built>();
  const merged: Built[] = [];
  const refuse = (problem: Omit<YamlProblem, "offset">, node: unknown) =>
    building.problems.push({ ...problem, offset: nodeOffset(node) });

  for (const pair of map.items) {
    const key = keyName(pair);
    if (key === undefined) {
      const hint = "Put a name that starts with `{`, `[` or `*` in quotes.";
      refuse({ kind: "syntax", pointer, message: "The name of a field must be a plain text.", hint }, pair.key);
      continue;
    }
    const at = pointerTo(pointer, key);
    const value = build(pair.value, at, building);
    if (isMergeKey(pair)) {
      merged.push(value);
      const message = "`<<` takes an object, or a list of objects.";
      const hint = "Refer to one with an alias.";
      if (sourcesOf(value) === undefined) refuse({ kind: "syntax", pointer: at, message, hint }, pair.value);
    } else if (own.has(key)) {
      const message = `The field ${JSON.stringify(key)} is there twice.`;
      refuse({ kind: "duplicate-key", pointer: at, message, hint: "Keep one of the two." }, pair.key);
    } else {
      own.set(key, value);
    }
  }
  const built = join([...own.values()], (data) => Object.fromEntries([...own.keys()].map((key, i) => [key, data[i]])));
  return merged.length === 0 ? built : merge(merged, built);
}

/** What a map has itself goes before what it merges in; of several, the first wins. */
function merge(merged: readonly Built[], own: Built): Built {
  const sources = [...merged.flatMap((from) => sourcesOf(from) ?? []).reverse(), own.data as object];
  return {
    // Not Object.assign: a key named `__proto__` is a key like any other.
    data: Object.fromEntries(sources.flatMap((source) => Object.entries(source))),
    nodes: merged.reduce((sum, { nodes }) => sum + nodes, own.nodes),
    depth: merged.reduce((deepest, { depth }) => Math.max(deepest, depth), own.depth),
  };
}

function sourcesOf({ data }: Built): readonly object[] | undefined {
  const sources: readonly unknown[] = Array.isArray(data) ? data : [data];
  const isMapping = (source: unknown): source is object =>
    typeof source === "object" && source !== null && !Array.isArray(source);
  return sources.every(isMapping) ? sources : undefined;
}

function join(parts: readonly Built[], make: (data: readonly unknown[]) => unknown): Built {
  return {
    data: make(parts.map(({ data }) => data)),
    nodes: parts.reduce((sum, { nodes }) => sum + nodes, 1),
    depth: parts.reduce((deepest, { depth }) => Math.max(deepest, depth), 0) + 1,
  };
}
