import { MeshError } from "../base/errors.ts";
import { createCompiler } from "../compile/compile.ts";
import { createWorld } from "../compile/world.ts";
import { readRules } from "../config/file-store.ts";
import { emptyRuleSet, type RuleSet } from "../config/rule-set.ts";
import { type Catalog, emptyCatalog } from "../model/catalog.ts";
import type { MeshSettings } from "../model/mesh-settings.ts";
import { readCatalog } from "../registry/file.ts";
import { type CliIo, type Command, type CommandInput, type ExitCode, flagValue, flagValues } from "./command.ts";
import { resourcesJson } from "./compiled-json.ts";
import { count, formatFindings, readSources } from "./findings-text.ts";
import { catalogFlag, expectPaths, meshFlag, meshSettingsIn, problemLine } from "./inputs.ts";
import { readNodeFile } from "./node-file.ts";
import { outputFlag, wantsJson, writeJson } from "./output.ts";
import { styleFor } from "./style.ts";
import { explainField, formatField } from "./why.ts";

export const compileCommand: Command = {
  name: "compile",
  summary: "show what a proxy would get, as proto JSON",
  details:
    "Works without a server. Prints {listeners, clusters, routes, endpoints}, each a list ordered by name.\n" +
    "--why takes a JSON pointer into that and names the rule, file and line behind the field.\n" +
    "Rules with errors are left out, told on standard error, and make the exit code 1.",
  flags: [
    { flags: "--node <file>", summary: "the proxy: an Envoy node, or an Envoy bootstrap with one", required: true },
    { flags: "--rules <path...>", summary: "files or directories of rules" },
    catalogFlag,
    meshFlag,
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
  const mesh = await meshSettingsIn(flagValue(flags, "mesh"));
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
