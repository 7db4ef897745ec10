import { isDeepStrictEqual } from "node:util";
import {
  defaultTextLimits,
  readDocuments,
  type TextDocument,
  type TextLimits,
  type TextPosition,
} from "../base/yaml-document.ts";
import { editYaml } from "../base/yaml-edit.ts";
import { authorsDocument, withNamespace } from "./authors-document.ts";
import type { ProposedText } from "./change.ts";
import { type DecodedDocument, decodeRule } from "./decode-rule.ts";

import type { Finding, Place } from "./finding.ts";
import { jsonProblem, jsonText } from "./json-text.ts";
import type { AnyRule, RuleKey } from "./rule.ts";
import type { RuleDocument } from "./rule-set.ts";
import type { DocumentPut } from "./store.ts";

/** One document of a proposed text. */
export interface ChangeDocument {
  /** `Kind/namespace/name` as far as it can be told. */
  readonly label: string;
  readonly key?: RuleKey;
  /** Nobody can say what it means. */
  readonly isBroken: boolean;
  /** Places are those of the proposed text, counted on from where its source says that it stands. */
  readonly findings: readonly Finding[];
  readonly locate: DecodedDocument["locate"];
  /** Only when there are no errors. */
  readonly accepted?: { readonly put: DocumentPut; readonly rule: AnyRule };
}

/** The documents of a text, each decoded when it is asked for. A text that must be a certain rule is to have one document. */
export function* readChangeText(proposed: ProposedText): Generator<ChangeDocument, undefined> {
  const { text, source, mustBe } = proposed;
  const documents = documentsOf(proposed);
  let next = documents.next();
  if (next.done && mustBe !== undefined) yield emptyText(source?.file);
  let line = source?.line ?? 1;
  for (let isFirst = true; !next.done; isFirst = false) {
    const document = next.value;
    next = documents.next();
    const isOnly = isFirst && next.done === true;
    const { own, skipped } = ownText(text.slice(document.slice.start, document.slice.end), isOnly);
    const read = readDocument(document, { text: own, line: line + skipped }, proposed, isFirst ? mustBe : undefined);
    line += skipped + linesIn(own);
    yield mustBe === undefined || isFirst ? read : refused(read, secondDocument(read.locate("")));
  }
}

/** Some thousand routes: as much as one parse may keep everybody else waiting. */
const limits: TextLimits = { ...defaultTextLimits, maxWords: 300_000 };

function* documentsOf({ text, format, source }: ProposedText): Generator<TextDocument, undefined> {
  const shift = (source?.line ?? 1) - 1;
  const problem = format === "json" ? jsonProblem(text) : undefined;
  for (const document of readDocuments(text, limits)) {
    const read = shifted(document, shift);
    yield problem === undefined ? read : { ...read, problems: [{ ...problem, line: problem.line + shift }] };
    if (problem !== undefined) return;
  }
}

function shifted(document: TextDocument, shift: number): TextDocument {
  const move = <P extends TextPosition>(place: P): P => ({ ...place, line: place.line + shift });
  return {
    ...document,
    start: move(document.start),
    problems: document.problems.map(move),
    locate: (pointer, at) => move(document.locate(pointer, at)),
  };
}

/** The marker between two documents belongs to neither; the only document of a text is kept to the last byte. */
function ownText(slice: string, isOnly: boolean): { readonly own: string; readonly skipped: number } {
  const own = isOnly ? slice : slice.replace(/^---[ \t]*\r?\n/, "");
  return { own, skipped: own === slice ? 0 : 1 };
}

const linesIn = (text: string): number => text.split("\n").length - 1;

function readDocument(
  document: TextDocument,
  own: { readonly text: string; readonly line: number },
  proposed: ProposedText,
  mustBe: ProposedText["mustBe"],
): ChangeDocument {
  const { source, expect, format } = proposed;
  const named = withNamespace(document.value, mustBe?.namespace);
  const data = authorsDocument(named);
  const decoded = decodeRule({ ...document, value: data }, source?.file ?? "");
  const locate = (pointer: string) => knownPlace(decoded.locate(pointer), proposed);
  const read: ChangeDocument = {
    label: labelOf(decoded.document),
    ...(decoded.identity.kind === "rule" && { key: decoded.identity.key }),
    isBroken: document.problems.some(({ kind }) => kind === "syntax"),
    findings: decoded.document.findings.map((finding) => knownPlace(finding, proposed)),
    locate,
  };
  const misplaced = misplacements(decoded.document, mustBe ?? {}, locate);
  if (decoded.rule === undefined || misplaced.length > 0) return refused(read, ...misplaced);
  const { kind, namespace, name, labels } = decoded.rule;
  const put: DocumentPut = {
    kind,
    namespace,
    name,
    labels,
    format,
    text:
      format === "json"
        ? jsonText(data)
        : isDeepStrictEqual(document.value, data)
          ? own.text
          : editYaml(own.text, data),
    json: JSON.stringify(data),
    ...(source !== undefined && { source: { file: source.file, line: own.line } }),
    expect,
  };
  return { ...read, accepted: { put, rule: decoded.rule } };
}

/** What the author can find of a place. */
function knownPlace<P extends Place>(place: P, { source, asData = false }: ProposedText) {
  const { file, line, column, ...rest } = place;
  return {
    ...rest,
    ...(source !== undefined && file !== undefined && { file }),
    ...(!asData && line !== undefined && { line }),
    ...(!asData && column !== undefined && { column }),
  };
}

const labelOf = ({ kind, namespace, name }: RuleDocument): string =>
  [kind, namespace, name].filter((part) => part !== "").join("/");

function refused({ accepted: _accepted, ...read }: ChangeDocument, ...findings: readonly Finding[]): ChangeDocument {
  return { ...read, findings: [...read.findings, ...findings] };
}

const identityPointers = { kind: "/kind", namespace: "/metadata/namespace", name: "/metadata/name" } as const;

/** Where the document says that it is another rule than it must be. What it does not say at all is told by its decoder. */
function misplacements(
  document: RuleDocument,
  mustBe: NonNullable<ProposedText["mustBe"]>,
  locate: DecodedDocument["locate"],
): readonly Finding[] {
  return (["kind", "namespace", "name"] as const).flatMap((field): readonly Finding[] => {
    const [expected, found] = [mustBe[field], document[field]];
    if (expected === undefined || found === "" || found === expected) return [];
    return [
      {
        severity: "error",
        code: "rule/wrong-place",
        message: `Expected the ${field} ${expected}, found ${found}.`,
        hint: `Write ${expected}, or send the document to the address of the rule that it is.`,
        ...locate(identityPointers[field]),
      },
    ];
  });
}

const secondDocument = (place: Place): Finding => ({
  severity: "error",
  code: "rule/wrong-place",
  message: "One document is expected here, and this is another one.",
  hint: "Send several documents as one change set.",
  ...place,
});

function emptyText(file: string | undefined): ChangeDocument {
  const place: Place = { pointer: "", ...(file !== undefined && { file }), line: 1, column: 1 };
  const finding: Finding = {
    severity: "error",
    code: "rule/wrong-place",
    message: "One document is expected here, and the text has none.",
    hint: "Send the whole rule, with apiVersion, kind, metadata and spec.",
    ...place,
  };
  return { label: "", isBroken: false, findings: [finding], locate: () => place };
}
