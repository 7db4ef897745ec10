import { readFiles } from "../base/read-files.ts";
import type { Place, Severity } from "../config/finding.ts";
import type { RuleDocument } from "../config/rule-set.ts";
import { formatExcerpt } from "./source-excerpt.ts";
import type { Style, Tone } from "./style.ts";
import { displayWidth, padEnd, visibleText } from "./terminal-text.ts";

/** File names to their texts, for the lines that findings point at. */
export type SourceTexts = ReadonlyMap<string, string>;

/** Reads the files that findings point at once more; what cannot be read is missing. */
export async function readSources(documents: readonly RuleDocument[]): Promise<SourceTexts> {
  const files = documents.flatMap(({ findings }) => findings.flatMap(({ file }) => (file === undefined ? [] : [file])));
  const reads = await readFiles({ paths: [...new Set(files)] });
  return new Map(reads.flatMap((read) => (read.kind === "text" ? [[read.file, read.text] as const] : [])));
}

/** A finding of ours, or of a server of another version: its codes may be new to us. */
export interface ShownFinding extends Place {
  readonly severity: Severity;
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  /** `Kind/namespace/name`, for those that come from no file. */
  readonly about?: string;
}

const tones: Readonly<Record<Severity, Tone>> = { error: "bad", warning: "caution" };

/** All findings, each with its line of source, and a summary at the end. */
export function formatFindings(documents: readonly RuleDocument[], sources: SourceTexts, style: Style): string {
  const findings = documents.flatMap((document) => document.findings);
  const list = findings.length === 0 ? "" : `${formatFindingList(findings, sources, style)}\n`;
  return list + formatSummary(documents, style);
}

/** Findings, each with its line of source, separated by empty lines. */
export function formatFindingList(findings: readonly ShownFinding[], sources: SourceTexts, style: Style): string {
  const widths = {
    place: Math.min(48, Math.max(0, ...findings.map((finding) => displayWidth(placeOf(finding))))),
    code: Math.max(0, ...findings.map(({ code }) => displayWidth(visibleText(code)))),
  };
  return findings.map((finding) => formatFinding(finding, sources, style, widths)).join("\n");
}

interface Widths {
  readonly place: number;
  readonly code: number;
}

function formatFinding(finding: ShownFinding, sources: SourceTexts, style: Style, widths: Widths): string {
  const { severity, code, message, hint, file = "", line, column } = finding;
  const tone = tones[severity];
  const head = [
    style("strong", padEnd(placeOf(finding), widths.place)),
    style(tone, padEnd(severity, "warning".length)),
    style("quiet", padEnd(visibleText(code), widths.code)),
    visibleText(message),
  ].join("  ");
  const text = sources.get(file);
  const excerpt =
    text !== undefined && line !== undefined && column !== undefined
      ? formatExcerpt({ text, line, column, tone, style })
      : undefined;
  const hintLine = hint === undefined ? "" : `  ${style("quiet", "hint:")} ${visibleText(hint)}\n`;
  return `${head}\n${excerpt ?? ""}${hintLine}`;
}

/** `file:line:column`, as editors and terminals make a link of it. */
function placeOf({ file, line, column, pointer, about }: ShownFinding): string {
  if (file === undefined && about !== undefined) return visibleText(`${about} ${pointer}`.trim());
  const place = [file ?? (pointer || "?"), line, column].filter((part) => part !== undefined).join(":");
  return visibleText(place);
}

function formatSummary(documents: readonly RuleDocument[], style: Style): string {
  const files = new Set(documents.map(({ file }) => file)).size;
  const total = `${count(documents.length, "document")} in ${count(files, "file")}`;
  if (documents.length === 0) return `${style("caution", "!")} There are no documents here.\n`;
  const findings = documents.flatMap((document) => document.findings);
  const errors = findings.filter(({ severity }) => severity === "error").length;
  const warnings = findings.length - errors;
  if (findings.length === 0) return `${style("good", "✓")} ${total}: no problems\n`;
  const mark = errors > 0 ? style("bad", "✗") : style("caution", "!");
  const told = [...(errors > 0 ? [count(errors, "error")] : []), ...(warnings > 0 ? [count(warnings, "warning")] : [])];
  return `${mark} ${total}: ${told.join(", ")}\n`;
}

export const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? "" : "s"}`;
