import { ruleObjectView } from "../api/shapes/rules.ts";
import type { ChangeResultView, RuleReference } from "../api/types/change-sets.ts";
import { MeshError } from "../base/errors.ts";
import { defaultNamespace } from "../config/decode-rule.ts";
import { baseRevisionFlag, baseRevisionOf, type Change, changeFlags, sendChange, writeChange } from "./change-set.ts";
import { type CliIo, type Command, type CommandInput, type ExitCode, flagValues, isSet } from "./command.ts";
import { count } from "./findings-text.ts";
import { kindNamed, kindsHelp, wordOf } from "./kinds.ts";
import { outputFlag } from "./output.ts";
import { askJson } from "./request.ts";
import { fileFlag, readRuleFiles } from "./rule-files.ts";
import { rulePath } from "./rule-paths.ts";
import { namespaceFlag, type Server, serverFlags, serverOf } from "./server.ts";
import { visibleText } from "./terminal-text.ts";

export const deleteCommand: Command = {
  name: "delete",
  summary: "delete rules from the server",
  details: `By kind and name, or those that files name. All are deleted, or none.\n${kindsHelp}`,
  arguments: "[kind] [name...]",
  argumentWords: ["kinds"],
  flags: [
    fileFlag,
    ...changeFlags,
    baseRevisionFlag,
    { flags: "--ignore-not-found", summary: "what is not there is as good as deleted" },
    namespaceFlag,
    outputFlag,
    ...serverFlags,
  ],
  examples: [
    { line: "fairway delete virtualservice reviews -n shop", summary: "one rule" },
    { line: "fairway delete vs reviews ratings -n shop", summary: "two of them, in one change" },
    { line: "fairway delete -f rules/ --ignore-not-found", summary: "all that a directory names" },
  ],
  run: deleteRules,
};

async function deleteRules({ arguments: words, flags }: CommandInput, io: CliIo): Promise<ExitCode> {
  const paths = flagValues(flags, "file");
  const [kind, ...names] = words;
  if (paths.length > 0 === (kind !== undefined) || (kind !== undefined && names.length === 0)) {
    throw new MeshError("usage/invalid", "say which rules: a kind and names, or --file", {
      hint: "For example `fairway delete virtualservice reviews -n shop`.",
    });
  }
  const baseRevision = baseRevisionOf(flags);
  const server = await serverOf(flags, io);
  const deletes =
    kind === undefined ? await inFiles(server, paths, io) : names.map((name) => reference(server, kind, name));
  const change: Change = { files: [], deletes, ...(baseRevision !== undefined && { baseRevision }) };
  if (!isSet(flags, "ignoreNotFound")) await expectPresent(server, change, flags);
  const answer = await sendChange(server, change, flags);
  writeChange(answer, [], flags, io, true);
  io.err(await remainders(server, answer.value.results));
  return 0;
}

/** How many rules are asked for at once. */
const parallel = 8;

/** Whoever deletes a rule that a file has, too, would wonder why it is still there. */
async function remainders(server: Server, results: readonly ChangeResultView[]): Promise<string> {
  const deleted = results.filter(({ action }) => action === "deleted");
  let told = "";
  for (let start = 0; start < deleted.length; start += parallel) {
    const lines = deleted.slice(start, start + parallel).map((rule) => remainder(server, rule));
    told += (await Promise.all(lines)).join("");
  }
  return told;
}

async function remainder(server: Server, rule: RuleReference): Promise<string> {
  // The deletion is done, whatever becomes of this question.
  const found = await askJson(server, { path: rulePath(rule) }, ruleObjectView).catch(() => undefined);
  const manager = found?.value.metadata.managedBy;
  if (manager === undefined) return "";
  const { kind, namespace, name } = rule;
  const where = manager.file === undefined ? "a rule directory" : `the file ${manager.file}`;
  return `fairway: ${visibleText(`${wordOf(kind)}/${namespace}/${name} is still there: ${where} still has it`)}\n`;
}

const reference = (server: Server, kind: string, name: string): RuleReference => ({
  kind: kindNamed(kind),
  namespace: server.namespace ?? defaultNamespace,
  name,
});

async function inFiles(server: Server, paths: readonly string[], io: CliIo): Promise<readonly RuleReference[]> {
  const files = await readRuleFiles(paths, server.namespace, io);
  return files.flatMap(({ rules }) => rules.map(({ kind, namespace, name }) => ({ kind, namespace, name })));
}

/** Deleting what is not there changes nothing, and is likely a slip of the pen. Throws `input/invalid`. */
async function expectPresent(server: Server, change: Change, flags: CommandInput["flags"]): Promise<void> {
  const { value } = await sendChange(server, change, flags, true);
  const missing = value.results.filter(({ action }) => action === "unchanged");
  if (missing.length === 0) return;
  const names = missing.map(({ kind, namespace, name }) => `${wordOf(kind)}/${namespace}/${name}`);
  throw new MeshError("input/invalid", `${count(missing.length, "rule")} not found: ${names.join(", ")}`, {
    hint: "Nothing was deleted. --ignore-not-found passes over what is not there.",
  });
}
