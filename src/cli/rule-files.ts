import { MeshError } from "../base/errors.ts";
import { readFiles } from "../base/read-files.ts";
import { defaultTextLimits, parseDocuments } from "../base/yaml-document.ts";
import { defaultNamespace } from "../config/decode-rule.ts";
import { addNamespace } from "./add-namespace.ts";
import type { CliIo, Flag } from "./command.ts";
import { type ExpandedText, expandLists } from "./expand-lists.ts";
import type { SourceTexts } from "./findings-text.ts";
import { expectPaths } from "./inputs.ts";
import { allKinds } from "./kinds.ts";
import { readStandardInput } from "./read-text.ts";

/** A text with rules, as it goes to the server. */
export interface RuleFile {
  /** As the user spelled it; `stdin` for standard input. */
  readonly file: string;
  /** As its author wrote it. */
  readonly original: string;
  /** With a namespace in each document, and each item of a list as a document. */
  readonly text: string;
  /** The author's line of a line of `text`. */
  readonly originalLine: (line: number) => number;
  /** The rules in it, as far as they can be told; what is broken is the server's to tell. */
  readonly rules: readonly LocalRule[];
}

/** One document of a file. */
export interface LocalRule {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly file: string;
  /** Where the author's document starts. */
  readonly line: number;
  readonly format: "yaml" | "json";
  readonly text: string;
  readonly value: unknown;
}

export const fileFlag: Flag = {
  flags: "-f, --file <path...>",
  summary: "files, or directories with all that is below them; - is standard input",
};

export const stdin = "stdin";

const limits = { maxFileBytes: defaultTextLimits.maxLength, maxFiles: 10_000 };

/** Reads all of them, or throws `usage/invalid`: half of what was meant is never sent. */
export async function readRuleFiles(
  paths: readonly string[],
  namespace: string | undefined,
  io: Pick<CliIo, "input">,
): Promise<readonly RuleFile[]> {
  const onDisk = paths.filter((path) => path !== "-");
  await expectPaths(onDisk);
  const reads = await readFiles({ paths: onDisk, limits });
  const problem = reads.find((read) => read.kind === "problem");
  if (problem?.kind === "problem") {
    throw new MeshError("usage/invalid", `cannot read ${problem.file}: ${problem.message}`);
  }
  const texts = reads.flatMap((read) => (read.kind === "text" ? [{ file: read.file, text: read.text }] : []));
  if (onDisk.length < paths.length) texts.push({ file: stdin, text: await readStandardInput(io, limits.maxFileBytes) });
  if (texts.length === 1 && texts[0]?.file === stdin && texts[0].text.trim() === "") throw nothingCameIn();
  const files = texts.map(({ file, text }) => ruleFile(file, text, namespace)).filter(({ text }) => !isEmpty(text));
  if (files.length > 0) return files;
  throw new MeshError("usage/invalid", `there are no rules in ${paths.join(", ")}`, {
    hint: "Files end in .yaml, .yml or .json.",
  });
}

const nothingCameIn = (): MeshError =>
  new MeshError("usage/invalid", "nothing came in on standard input", {
    hint: "Did the command before it say why? `-f FILE` reads a file.",
  });

const isEmpty = (text: string): boolean => parseDocuments(text).length === 0;

function ruleFile(file: string, original: string, namespace: string | undefined): RuleFile {
  const expanded = expandLists(original);
  const { text, originalLine } = namespace === undefined ? expanded : namespaced(expanded, namespace, file);
  const rules = parseDocuments(text).flatMap(({ value, start, slice, problems }): readonly LocalRule[] => {
    const identity = problems.length > 0 ? undefined : identityOf(value);
    if (identity === undefined) return [];
    const part = text.slice(slice.start, slice.end);
    const format = /^(---)?\s*\{/.test(part) ? "json" : "yaml";
    return [{ ...identity, file, line: originalLine(start.line), format, text: part, value }];
  });
  return { file, original, text, originalLine, rules };
}

function namespaced(expanded: ExpandedText, namespace: string, file: string): ExpandedText {
  const { text, originalLine } = addNamespace(expanded.text, namespace, file);
  return { text, originalLine: (line) => expanded.originalLine(originalLine(line)) };
}

function identityOf(value: unknown): Pick<LocalRule, "kind" | "namespace" | "name"> | undefined {
  const { kind, metadata } = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
  const { name, namespace = defaultNamespace } = (
    typeof metadata === "object" && metadata !== null ? metadata : {}
  ) as Record<string, unknown>;
  const isRule = allKinds.some((known) => known === kind);
  if (!isRule || typeof kind !== "string" || typeof name !== "string" || typeof namespace !== "string")
    return undefined;
  return { kind, namespace, name };
}

/** The authors' texts, for the lines that problems point at. */
export const textsOf = (files: readonly RuleFile[]): SourceTexts =>
  new Map(files.map(({ file, original }) => [file, original]));

/** The author's line of a place that the server names. */
export function lineIn(files: readonly RuleFile[], file: string | undefined, line: number): number {
  return files.find((one) => one.file === file)?.originalLine(line) ?? line;
}
