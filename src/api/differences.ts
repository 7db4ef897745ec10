import { type JsonPointer, pointerTo } from "../base/json-pointer.ts";
import { parseDocuments } from "../base/yaml-document.ts";
import type { StoredDocument } from "../config/store.ts";
import type { ProblemDetailView } from "./types/server.ts";

const maxDifferences = 10;

/** Of a document that is longer nobody is told where it differs. */
const maxLength = 256 * 1024;

/** Where the document that was sent says something else than the one that is there; the first ten. */
export function differences(sentText: string, current: StoredDocument): readonly ProblemDetailView[] {
  if (sentText.length + current.json.length > maxLength) return [];
  const [document] = parseDocuments(sentText, { maxLength, maxDocuments: 1 });
  if (document === undefined || document.problems.length > 0) return [];
  const sent = partsOf(document.value);
  const found = partsOf(JSON.parse(current.json));
  return [...pointersWhereDifferent(sent, found, "")].map(({ pointer, message }) => ({
    rule: current.key,
    pointer,
    message,
  }));
}

/** What the author decides on. */
function partsOf(value: unknown): object {
  const { metadata, spec } = (isObject(value) ? value : {}) as { readonly metadata?: unknown; readonly spec?: unknown };
  const { labels, annotations } = (isObject(metadata) ? metadata : {}) as Readonly<Record<string, unknown>>;
  return { metadata: { labels, annotations }, spec };
}

interface Difference {
  readonly pointer: JsonPointer;
  readonly message: string;
}

function pointersWhereDifferent(sent: unknown, found: unknown, pointer: JsonPointer): readonly Difference[] {
  if (sent === found) return [];
  if (sent === undefined || found === undefined) {
    return [{ pointer, message: found === undefined ? "Only what was sent has it." : "Only what is there has it." }];
  }
  if (!isObject(sent) || !isObject(found) || Array.isArray(sent) !== Array.isArray(found)) {
    return [{ pointer, message: `What is there says ${shown(found)}.` }];
  }
  const all: Difference[] = [];
  for (const step of new Set([...Object.keys(sent), ...Object.keys(found)])) {
    all.push(...pointersWhereDifferent(own(sent, step), own(found, step), pointerTo(pointer, step)));
    if (all.length >= maxDifferences) return all.slice(0, maxDifferences);
  }
  return all;
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

const own = (value: object, step: string): unknown =>
  Object.hasOwn(value, step) ? (value as Readonly<Record<string, unknown>>)[step] : undefined;

const shown = (value: unknown): string => {
  const text = JSON.stringify(value);
  return text.length > 80 ? "something else" : text;
};
