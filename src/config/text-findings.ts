import type { Problem } from "../base/decode.ts";
import type { JsonPointer } from "../base/json-pointer.ts";
import type { TextDocument, TextProblem } from "../base/yaml-document.ts";
import type { Finding, FindingCode, Place } from "./finding.ts";

/** A document and the file it stands in. */
export interface Source {
  readonly text: TextDocument;
  readonly file: string;
}

/** Problems of a field as such are at its name, all others at its value. */
const atName: ReadonlySet<Problem["code"]> = new Set(["unknown-field", "unsupported-field", "dropped-field"]);

/** Findings in the order of the text. */
export function findingsOf(problems: readonly Problem[], source: Source): readonly Finding[] {
  return problems
    .map(({ code, pointer, ...rest }): Finding & Required<Place> => ({
      ...rest,
      code: `rule/${code}`,
      ...placeOf(source, pointer, atName.has(code) ? "key" : "value"),
    }))
    .sort((a, b) => a.line - b.line || a.column - b.column);
}

/** The place of a part of a document: of its value, or of its name. */
export function placeOf({ text, file }: Source, pointer: JsonPointer, at?: "value" | "key"): Required<Place> {
  return { pointer, file, ...text.locate(pointer, at) };
}

const textCodes: Readonly<Record<TextProblem["kind"], FindingCode>> = {
  syntax: "text/invalid-yaml",
  "duplicate-key": "text/duplicate-key",
  "too-large": "text/too-large",
};

/** A problem of the text itself. */
export function textFinding({ kind, ...problem }: TextProblem, file: string): Finding {
  return { ...problem, severity: "error", code: textCodes[kind], file };
}
