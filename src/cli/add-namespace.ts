import { isMap, isNode, parseDocument } from "yaml";
import { MeshError } from "../base/errors.ts";
import { parseDocuments, type TextDocument } from "../base/yaml-document.ts";

/** A text whose documents all name their namespace. */
export interface NamespacedText {
  readonly text: string;
  /** The line of the text as its author wrote it. */
  readonly originalLine: (line: number) => number;
}

/**
 * Writes the namespace into those rules of a text that name none, as the first field of their metadata; nothing else
 * changes, comments and layout included. Throws `usage/invalid` where there is no place for it.
 */
export function addNamespace(text: string, namespace: string, file: string): NamespacedText {
  let result = "";
  let copied = 0;
  const added: number[] = [];
  for (const document of parseDocuments(text)) {
    if (!lacksNamespace(document.value)) continue;
    const { offset, insert } = insertion(text, document, namespace, file);
    result += text.slice(copied, offset);
    copied = offset;
    if (insert.includes("\n")) added.push(result.split("\n").length);
    result += insert;
  }
  return {
    text: result + text.slice(copied),
    originalLine: (line) => line - added.filter((one) => one < line).length,
  };
}

function lacksNamespace(value: unknown): boolean {
  const metadata = typeof value === "object" && value !== null && "metadata" in value ? value.metadata : undefined;
  if (typeof metadata !== "object" || metadata === null || Array.isArray(metadata)) return false;
  return !("namespace" in metadata) || metadata.namespace === null;
}

function insertion(text: string, { slice, start }: TextDocument, namespace: string, file: string) {
  const metadata = parseDocument(text.slice(slice.start, slice.end)).get("metadata", true);
  const range = isMap(metadata) ? metadata.range : undefined;
  if (isMap(metadata) && range && !metadata.has("namespace")) {
    const pair = `"namespace": ${JSON.stringify(namespace)}`;
    if (metadata.flow)
      return { offset: slice.start + range[0] + 1, insert: metadata.items.length > 0 ? `${pair}, ` : pair };
    const first = metadata.items[0]?.key;
    const keyAt = isNode(first) && first.range ? slice.start + first.range[0] : undefined;
    const indent = keyAt === undefined ? undefined : text.slice(text.lastIndexOf("\n", keyAt - 1) + 1, keyAt);
    if (keyAt !== undefined && indent !== undefined && /^ *$/.test(indent)) {
      return { offset: keyAt, insert: `namespace: ${JSON.stringify(namespace)}\n${indent}` };
    }
  }
  throw new MeshError("usage/invalid", `${file}:${start.line}: there is no place for the namespace in this document`, {
    hint: "Write metadata.namespace into it.",
  });
}
