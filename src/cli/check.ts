import { stat } from "node:fs/promises";
import { MeshError } from "../base/errors.ts";
import type { Finding } from "../config/finding.ts";
import type { RuleDocument } from "../config/rule-set.ts";
import { checkedDocuments } from "./checked-documents.ts";
import { type CliIo, type Command, type CommandInput, type ExitCode, flagValues } from "./command.ts";
import { formatFindings, readSources } from "./findings-text.ts";
import { outputFlag, wantsJson, writeJson } from "./output.ts";
import { styleFor } from "./style.ts";

export const checkCommand: Command = {
  name: "check",
  summary: "read rules as the server would, and say what is wrong with them",
  details:
    "Works without a server. Directories are read with all that is below them.\nWith --catalog, references to hosts, subsets and gateways are checked too.\nExit code 1 when there are errors; warnings alone are 0.",
  arguments: "<path...>",
  flags: [
    { flags: "--catalog <file...>", summary: "files or directories of services and instances; after the paths" },
    outputFlag,
  ],
  examples: [
    { line: "fairway check rules/", summary: "every rule of a directory" },
    {
      line: "fairway check rules/ --catalog catalog.yaml",
      summary: "also look for hosts and subsets that do not exist",
    },
    {
      line: "fairway check rules/ -o json | jq '.documents[] | select(.verdict == \"refused\")'",
      summary: "for scripts",
    },
  ],
  run: check,
};

async function check({ arguments: paths, flags }: CommandInput, io: CliIo): Promise<ExitCode> {
  const catalogPaths = flagValues(flags, "catalog");
  await expectPaths([...paths, ...catalogPaths]);
  const documents = await checkedDocuments(paths, catalogPaths);
  if (wantsJson(flags)) writeJson(io, { documents: documents.map(documentJson) });
  else io.out(formatFindings(documents, await readSources(documents), styleFor(io)));
  return documents.some(({ verdict }) => verdict === "refused") ? 1 : 0;
}

/** A path that is not there is a slip of the pen, not a finding. */
export async function expectPaths(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const found = await stat(path).catch(() => undefined);
    if (found === undefined) {
      throw new MeshError("usage/invalid", `there is no file or directory ${path}`, {
        hint: "Paths are relative to the current directory.",
      });
    }
  }
}

function documentJson({ kind, namespace, name, file, line, verdict, findings }: RuleDocument): object {
  return { kind, namespace, name, file, line, verdict, findings: findings.map(findingJson) };
}

function findingJson({ code, severity, pointer, line, column, message, hint }: Finding): object {
  return { code, severity, pointer, line, column, message, hint };
}
