import { ruleObjectView } from "../api/shapes/rules.ts";
import type { RuleReference } from "../api/types/change-sets.ts";
import type { RuleObjectView } from "../api/types/rules.ts";
import { MeshError } from "../base/errors.ts";
import type { RuleKind } from "../config/rule.ts";
import { parseLabelSelector } from "../model/label-selector.ts";
import { baseRevisionFlag, baseRevisionOf, type Change, changeFlags, sendChange, writeChange } from "./change-set.ts";
import {
  type CliIo,
  type Command,
  type CommandInput,
  type ExitCode,
  type Flag,
  type FlagValues,
  flagValue,
  flagValues,
  isSet,
} from "./command.ts";
import { allKinds } from "./kinds.ts";
import { listAll } from "./list-all.ts";
import { outputFlag } from "./output.ts";
import { fileFlag, type RuleFile, readRuleFiles } from "./rule-files.ts";
import { rulesPath } from "./rule-paths.ts";
import { allNamespacesFlag, namespaceFlag, type Server, serverFlags, serverOf } from "./server.ts";

export const pruneFlags: readonly Flag[] = [
  { flags: "--prune", summary: "also delete rules that match --selector and are not in the files" },
  { flags: "-l, --selector <selector>", summary: "labels, as in app=web,tier!=test" },
  { ...allNamespacesFlag, summary: "with --prune: in all namespaces, of all kinds" },
];

export const applyCommand: Command = {
  name: "apply",
  summary: "make the server's rules what files say",
  details:
    "All documents are one change: all are stored, or none. A rule that is there is replaced, " +
    "one that is not is created; comments and layout of YAML are kept.\n" +
    "--prune deletes rules of the same namespaces and kinds that carry the labels and are in no file.",
  flags: [
    { ...fileFlag, required: true },
    ...changeFlags,
    ...pruneFlags,
    baseRevisionFlag,
    { ...namespaceFlag, summary: "of documents that name none (default: the context's, else default)" },
    outputFlag,
    ...serverFlags,
  ],
  examples: [
    { line: "fairway apply -f rules/", summary: "all rules of a directory, as one change" },
    { line: "fairway apply -f reviews.yaml --dry-run", summary: "would it be taken?" },
    { line: "fairway apply -f rules/ --prune -l team=shop", summary: "delete what is gone from the files" },
    { line: "sed 's/weight: 10/weight: 50/' canary.yaml | fairway apply -f -", summary: "from standard input" },
  ],
  run: apply,
};

async function apply({ flags }: CommandInput, io: CliIo): Promise<ExitCode> {
  expectPruneFlags(flags);
  const given = baseRevisionOf(flags);
  const server = await serverOf(flags, io);
  const files = await readRuleFiles(flagValues(flags, "file"), server.namespace, io);
  const pruned = isSet(flags, "prune") ? await prunable(server, files, flags) : { rules: [] };
  // What is deleted because of its labels must still have them.
  const baseRevision = given ?? (pruned.rules.length > 0 ? pruned.revision : undefined);
  const change: Change = {
    files,
    documents: files.map(({ file, text }) => ({ text, file, line: 1 })),
    ...(pruned.rules.length > 0 && { deletes: pruned.rules.map(referenceTo) }),
    ...(baseRevision !== undefined && { baseRevision }),
  };
  writeChange(await sendChange(server, change, flags), files, flags, io);
  return 0;
}

export function expectPruneFlags(flags: FlagValues): void {
  const selector = flagValue(flags, "selector");
  if (selector !== undefined && parseLabelSelector(selector)?.length === 0) {
    throw new MeshError("usage/invalid", "--selector: an empty one selects every rule", {
      hint: "Name a label, for example --prune -l team=shop.",
    });
  }
  if (isSet(flags, "prune") === (selector !== undefined)) return;
  throw new MeshError(
    "usage/invalid",
    selector === undefined ? "--prune needs --selector" : "--selector needs --prune",
    {
      hint: "For example --prune -l team=shop: rules with this label that are in no file are deleted.",
    },
  );
}

export interface Prunable {
  readonly rules: readonly RuleObjectView[];
  /** That shows them all. */
  readonly revision?: number;
}

/** Rules that the store owns, that match the selector and are in no file; in the files' namespaces and of their kinds unless -A. */
export async function prunable(server: Server, files: readonly RuleFile[], flags: FlagValues): Promise<Prunable> {
  const local = files.flatMap(({ rules }) => rules);
  const kept = new Set(local.map(({ kind, namespace, name }) => `${kind}/${namespace}/${name}`));
  const everywhere = isSet(flags, "allNamespaces");
  const places = everywhere
    ? allKinds.map((kind) => [kind, undefined] as const)
    : [...Map.groupBy(local, ({ kind, namespace }) => `${kind}/${namespace}`).values()].flatMap(([first]) =>
        first === undefined ? [] : [[first.kind as RuleKind, first.namespace] as const],
      );
  const lists = await Promise.all(
    places.map(([kind, namespace]) =>
      listAll(server, rulesPath(kind, namespace), { labelSelector: flagValue(flags, "selector") }, ruleObjectView),
    ),
  );
  const rules = lists
    .flatMap(({ items }) => items.map(({ item }) => item))
    .filter((rule) => {
      const { metadata } = rule;
      return metadata.managedBy === undefined && !kept.has(`${rule.kind}/${metadata.namespace}/${metadata.name}`);
    });
  const revisions = lists.flatMap(({ revision }) => (revision === undefined ? [] : [revision]));
  return { rules, ...(revisions.length > 0 && { revision: Math.min(...revisions) }) };
}

export const referenceTo = ({ kind, metadata: { namespace, name } }: RuleObjectView): RuleReference => ({
  kind,
  namespace,
  name,
});
