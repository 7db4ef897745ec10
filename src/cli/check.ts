import type { Finding } from "../config/finding.ts";
import type { RuleDocument } from "../config/rule-set.ts";
import { checkedDocuments } from "./checked-documents.ts";
import { type CliIo, type Command, type CommandInput, type ExitCode, flagValue, flagValues } from "./command.ts";
import { formatFindings, readSources } from "./findings-text.ts";
import { catalogFlag, expectPaths, meshFlag, meshSettingsIn } from "./inputs.ts";
import { outputFlag, wantsJson, writeJson } from "./output.ts";
import { styleFor } from "./style.ts";

export const checkCommand: Command = {
  name: "check",
  summary: "read rules as the server would, and say what is wrong with them",
  details:
    "Works without a server. Directories are read with all that is below them.\nWith --catalog, references to hosts, subsets and gateways are checked too.\nExit code 1 when there are errors; warnings alone are 0.",
  arguments: "<path...>",
  flags: [{ ...catalogFlag, summary: `${catalogFlag.summary}; after the paths` }, meshFlag, outputFlag],
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
  const documents = await checkedDocuments(paths, catalogPaths, await meshSettingsIn(flagValue(flags, "mesh")));
  if (wantsJson(flags)) writeJson(io, { documents: documents.map(documentJson) });
  else io.out(formatFindings(documents, await readSources(documents), styleFor(io)));
  return documents.some(({ verdict }) => verdict === "refused") ? 1 : 0;
}

function documentJson({ kind, namespace, name, file, line, verdict, findings }: RuleDocument): object {
  return { kind, namespace, name, file, line, verdict, findings: findings.map(findingJson) };
}

function findingJson({ code, severity, pointer, line, column, message, hint }: Finding): object {
  return { code, severity, pointer, line, column, message, hint };
}
