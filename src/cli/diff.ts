import { isDeepStrictEqual } from "node:util";
import { structuredPatch } from "diff";
import { stringify } from "yaml";
import type { RuleReference } from "../api/types/change-sets.ts";
import { editYaml } from "../base/yaml-edit.ts";
import { authorsDocument } from "../config/authors-document.ts";
import { expectPruneFlags, prunable, pruneFlags, referenceTo } from "./apply.ts";
import { type CliIo, type Command, type CommandInput, type ExitCode, flagValues, isSet } from "./command.ts";
import { wordOf } from "./kinds.ts";
import { ServerRefusal } from "./refusal.ts";
import { ask } from "./request.ts";
import { fileFlag, type LocalRule, readRuleFiles } from "./rule-files.ts";
import { rulePath } from "./rule-paths.ts";
import { namespaceFlag, type Server, serverFlags, serverOf } from "./server.ts";
import { type Style, styleFor, type Tone } from "./style.ts";
import { visibleText } from "./terminal-text.ts";

export const diffCommand: Command = {
  name: "diff",
  summary: "show what `apply` would change, line by line",
  details:
    "Compares texts as they were written, comments included; of JSON what it says. Exit code 1 when something differs, 0 when nothing does.\n" +
    "With --prune, rules that `apply --prune` would delete are shown as deleted.",
  flags: [{ ...fileFlag, required: true }, ...pruneFlags, namespaceFlag, ...serverFlags],
  examples: [
    { line: "fairway diff -f rules/", summary: "the server's rules against a directory" },
    { line: "fairway diff -f rules/ --prune -l team=shop", summary: "also what would be deleted" },
    {
      line: "fairway diff -f rules/ > /dev/null || fairway apply -f rules/",
      summary: "apply only what changes something",
    },
  ],
  run: diff,
};

/** One rule on both sides; absent: there is none. */
interface Sides {
  readonly rule: RuleReference;
  readonly theirs: string | undefined;
  readonly ours: { readonly text: string; readonly place: string } | undefined;
}

async function diff({ flags }: CommandInput, io: CliIo): Promise<ExitCode> {
  expectPruneFlags(flags);
  const server = await serverOf(flags, io);
  const files = await readRuleFiles(flagValues(flags, "file"), server.namespace, io);
  const pruned = isSet(flags, "prune") ? (await prunable(server, files, flags)).rules.map(referenceTo) : [];
  const local = files.flatMap(({ rules }) => rules);
  const style = styleFor(io);
  let different = false;
  for (let start = 0; start < local.length + pruned.length; start += parallel) {
    const sides = [...local, ...pruned].slice(start, start + parallel).map((rule) => sidesOf(server, rule));
    for (const text of (await Promise.all(sides)).map((both) => formatSides(both, style))) {
      different ||= text !== "";
      io.out(text);
    }
  }
  return different ? 1 : 0;
}

/** How many rules are asked for at once. */
const parallel = 8;

async function sidesOf(server: Server, rule: LocalRule | RuleReference): Promise<Sides> {
  const theirs = await serversText(server, rule);
  return {
    rule,
    theirs,
    ours: "text" in rule ? { text: localText(rule, theirs), place: `${rule.file}:${rule.line}` } : undefined,
  };
}

async function serversText(server: Server, rule: RuleReference): Promise<string | undefined> {
  try {
    return bare((await ask(server, { path: rulePath(rule), accept: "application/yaml" })).body);
  } catch (error) {
    if (error instanceof ServerRefusal && error.status === 404) return undefined;
    throw error;
  }
}

/**
 * What the server would make of it: without what is none of its author's. The server gives documents as YAML, whatever they
 * were written in; JSON has no layout to compare, so it is shown in theirs.
 */
function localText({ format, text, value }: LocalRule, theirs: string | undefined): string {
  const own = authorsDocument(value);
  if (format === "json") return bare(theirs === undefined ? stringify(own) : editYaml(theirs, own));
  return bare(isDeepStrictEqual(own, value) ? text : editYaml(text, own));
}

/** Without what stands around a document: its marker, and empty lines at both ends. */
const bare = (text: string): string => `${text.replace(/^---[ \t]*\r?\n/, "").replace(/^\s*\n|\s+$/g, "")}\n`;

/** A unified diff; empty when both sides are the same. */
function formatSides({ rule: { kind, namespace, name }, theirs, ours }: Sides, style: Style): string {
  if (theirs === ours?.text) return "";
  const { hunks } = structuredPatch("", "", theirs ?? "", ours?.text ?? "", undefined, undefined, { context: 3 });
  const key = `${wordOf(kind)}/${namespace}/${name}`;
  const heads = [
    style("strong", `--- ${theirs === undefined ? "not on the server" : visibleText(key)}`),
    style("strong", `+++ ${ours === undefined ? "in no file" : visibleText(`${key} ${ours.place}`)}`),
  ];
  const lines = hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines }) => [
    style("accent", `@@ -${rangeOf(oldStart, oldLines)} +${rangeOf(newStart, newLines)} @@`),
    ...lines.map((line) => style(tones[line.charAt(0)] ?? "plain", line.charAt(0) + shownLine(line.slice(1)))),
  ]);
  return `${[...heads, ...lines].join("\n")}\n`;
}

/** What has no lines begins before the first one. */
const rangeOf = (start: number, lines: number): string => `${lines === 0 ? start - 1 : start},${lines}`;

const tones: Readonly<Record<string, Tone>> = { "+": "good", "-": "bad", "\\": "quiet" };

/** Made visible, with the indentation as it is. */
const shownLine = (line: string): string => (/^ */.exec(line)?.[0] ?? "") + visibleText(line.trim());
