import { MeshError } from "../base/errors.ts";
import { readFiles } from "../base/read-files.ts";
import { createCompiler } from "../compile/compile.ts";
import { createWorld } from "../compile/world.ts";
import { readRules } from "../config/file-store.ts";
import { readMeshSettings } from "../config/mesh-settings.ts";
import { emptyRuleSet, type RuleSet } from "../config/rule-set.ts";
import { type Catalog, emptyCatalog } from "../model/catalog.ts";
import { defaultMeshSettings, type MeshSettings } from "../model/mesh-settings.ts";
import { readCatalog } from "../registry/file.ts";
import { expectPaths } from "./check.ts";
import { type CliIo, type Command, type CommandInput, type ExitCode, flagValue, flagValues } from "./command.ts";
import { resourcesJson } from "./compiled-json.ts";
import { count, formatFindings, readSources } from "./findings-text.ts";
import { readNodeFile } from "./node-file.ts";
import { outputFlag, wantsJson, writeJson } from "./output.ts";
import { styleFor } from "./style.ts";
import { explainField, formatField } from "./why.ts";

export const compileCommand: Command = {
  name: "compile",
  summary: "show what a proxy would get, as proto JSON",
  details:
    "Works without a server. Prints {listeners, clusters, routes, endpoints}: lists in the order of their names.\n" +
    "--why takes a JSON pointer into that and names the rule, file and line behind the field.\n" +
    "Rules with errors are left out, told on standard error, and make the exit code 1.",
  flags: [
    { flags: "--node <file>", summary: "the proxy: an Envoy node, or an Envoy bootstrap with one", required: true },
    { flags: "--rules <path...>", summary: "files or directories of rules" },
    { flags: "--catalog <file...>", summary: "files or directories of services and instances" },
    { flags: "--mesh <file>", summary: "settings of the whole mesh" },
    { flags: "--why <pointer>", summary: "who is behind this field" },
    { ...outputFlag, summary: "how to print the answer to --why" },
  ],
  examples: [
    {
      line: "fairway compile --rules rules/ --catalog catalog.yaml --node reviews.json",
      summary: "all that the proxy would get",
    },
    {
      line: "fairway compile --rules rules/ --catalog catalog.yaml --node envoy.yaml --why /routes/0/virtualHosts/0/routes/0/route/weightedClusters/clusters/1/weight",
      summary: "the rule and line behind a weight",
    },
  ],
  run: compile,
};

async function compile({ flags }: CommandInput, io: CliIo): Promise<ExitCode> {
  const rulePaths = flagValues(flags, "rules");
  const catalogPaths = flagValues(flags, "catalog");
  await expectPaths([...rulePaths, ...catalogPaths]);
  const node = await readNodeFile(flagValue(flags, "node") ?? "");
  const mesh = await meshOf(flagValue(flags, "mesh"));
  const catalog = await catalogOf(catalogPaths, mesh);
  const ruleSet = rulePaths.length === 0 ? emptyRuleSet : await readRules(rulePaths);
  const resources = createCompiler().compileFor(createWorld(catalog, ruleSet, [], mesh), node);

  const refused = await reportRefused(ruleSet, io);
  const pointer = flagValue(flags, "why");
  if (pointer === undefined) {
    writeJson(io, resourcesJson(resources));
    return refused ? 1 : 0;
  }
  const field = explainField(resources, ruleSet, pointer);
  if (wantsJson(flags)) writeJson(io, field);
  else io.out(await formatField(field, styleFor(io)));
  return refused || field.origins.length === 0 ? 1 : 0;
}

/** Findings of rules that are left out go where they do not disturb the JSON. */
async function reportRefused({ documents }: RuleSet, io: CliIo): Promise<boolean> {
  const refused = documents.filter(({ verdict }) => verdict === "refused");
  if (refused.length === 0) return false;
  io.err(formatFindings(refused, await readSources(refused), styleFor({ env: io.env })));
  io.err(`fairway: ${count(refused.length, "document")} with errors left out\n`);
  return true;
}

async function catalogOf(paths: readonly string[], { domain }: MeshSettings): Promise<Catalog> {
  if (paths.length === 0) return emptyCatalog;
  const result = await readCatalog(paths, { domain });
  if (result.ok) return result.catalog;
  throw new MeshError("input/invalid", `the catalog has problems\n${result.problems.map(problemLine).join("\n")}`, {
    hint: "Without a whole catalog nothing can be compiled.",
  });
}

async function meshOf(file: string | undefined): Promise<MeshSettings> {
  if (file === undefined) return defaultMeshSettings;
  await expectPaths([file]);
  const [read] = await readFiles({ paths: [file] });
  if (read?.kind !== "text") throw new MeshError("usage/invalid", `cannot read the mesh settings ${file}`);
  const result = readMeshSettings(file, read.text);
  if (result.ok) return result.settings;
  throw new MeshError(
    "input/invalid",
    `the mesh settings have problems\n${result.findings.map(problemLine).join("\n")}`,
  );
}

interface ProblemLine {
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly message: string;
  readonly hint?: string;
}

function problemLine({ file, line, column, message, hint }: ProblemLine): string {
  const place = [file, line, column].filter((part) => part !== undefined).join(":");
  return `  ${place}: ${message}${hint === undefined ? "" : ` ${hint}`}`;
}
