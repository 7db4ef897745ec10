import type { JsonPointer } from "../base/json-pointer.ts";
import { parseDocuments, type TextDocument, type TextPosition } from "../base/yaml-document.ts";
import { decodeRule } from "./decode-rule.ts";
import type { Place } from "./finding.ts";
import type { AnyRule } from "./rule.ts";
import type { RuleDocument } from "./rule-set.ts";
import type { DocumentSource, StoredDocument } from "./store.ts";

/** A stored document as a rule, or with what stands in the way of it. */
export interface StoredRule {
  readonly document: RuleDocument;
  /** Only when the document has no errors. Its age is that of the stored document where it does not say one itself. */
  readonly rule?: AnyRule;
  /** The document as plain data. */
  readonly data?: unknown;
  /** In its author's file, where that is known; else only line and column in the stored text. */
  readonly locate: (pointer: JsonPointer) => Place;
}

/** Decodes a stored document; never throws. Its text is parsed only when a place in it is asked for. */
export function decodeStored(stored: StoredDocument): StoredRule {
  const { source, created } = stored;
  const { document, rule, data, locate } = decodeRule(textDocumentOf(stored), source?.file ?? "");
  const { kind, namespace, name } = stored;
  return {
    document: { ...placed(document, source), kind, namespace, name },
    ...(rule !== undefined && { rule: rule.createdAt === 0 ? { ...rule, createdAt: created.atMs } : rule, data }),
    locate: (pointer) => withoutFile(locate(pointer), source),
  };
}

function textDocumentOf({ text, json, source }: StoredDocument): TextDocument {
  const offset = (source?.line ?? 1) - 1;
  const shifted = ({ line, column }: TextPosition): TextPosition => ({ line: line + offset, column });
  const start = shifted({ line: firstContentLine(text), column: 1 });
  let parsed: TextDocument | undefined;
  return {
    start,
    slice: { start: 0, end: text.length },
    value: dataOf(json),
    problems: [],
    locate: (pointer, at) => {
      parsed ??= parseDocuments(text)[0];
      return parsed === undefined ? start : shifted(parsed.locate(pointer, at));
    },
  };
}

/** Nothing, for what is no JSON: then it decodes to findings. */
function dataOf(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** The line of a text, counted from 1, that is the first one with more than a comment, a directive or a marker. */
function firstContentLine(text: string): number {
  const [head = ""] = /^(?:[ \t]*(?:#[^\n]*)?\r?\n|%[^\n]*\n|---[ \t]*(?:#[^\n]*)?\r?\n)*/.exec(text) ?? [];
  return head.split("\n").length;
}

function placed(document: RuleDocument, source: DocumentSource | undefined): RuleDocument {
  if (source !== undefined) return document;
  const { file: _file, line: _line, ...rest } = document;
  return { ...rest, findings: document.findings.map((finding) => withoutFile(finding, source)) };
}

function withoutFile<P extends Place>(place: P, source: DocumentSource | undefined): P | Omit<P, "file"> {
  if (source !== undefined) return place;
  const { file: _file, ...rest } = place;
  return rest;
}
