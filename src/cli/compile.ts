import { MeshError } from "../base/errors.ts";
import { createCompiler } from "../compile/compile.ts";
import { createWorld } from "../compile/world.ts";
import { readRules } from "../config/file-store.ts";
import { emptyRuleSet, type RuleSet } from "../config/rule-set.ts";
import type { ResourceSet } from "../envoy/resource-set.ts";
import { type Catalog, emptyCatalog } from "../model/catalog.ts";
import type { MeshSettings } from "../model/mesh-settings.ts";
import { readCatalog } from "../registry/file.ts";
import { type CliIo, type CommandInput, type ExitCode, flagValue, flagValues } from "./command.ts";
import { resourcesJson } from "./compiled-json.ts";
import { count, formatFindings, readSources } from "./findings-text.ts";
import { expectPaths, meshSettingsIn, problemLine } from "./inputs.ts";
import { readNodeFile } from "./node-file.ts";
import { wantsJson, writeJson } from "./output.ts";
import { styleFor } from "./style.ts";
import { explainField, formatField } from "./why.ts";

/** Compiles for one proxy, and prints what it gets or why. */
export async function compile({ flags }: CommandInput, io: CliIo): Promise<ExitCode> {
  const rulePaths = flagValues(flags, "rules");
  const catalogPaths = flagValues(flags, "catalog");
  await expectPaths([...rulePaths, ...catalogPaths]);
  const node = await readNodeFile(flagValue(flags, "node") ?? "");
  const mesh = await meshSettingsIn(flagValue(flags, "mesh"));
  const catalog = await catalogOf(catalogPaths, mesh);
  const ruleSet = rulePaths.length === 0 ? emptyRuleSet : await readRules(rulePaths);
  const resources = createCompiler().compileFor(createWorld(catalog, ruleSet, [], mesh), node);
  expectWhole(resources);

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

/** Throws where a part could not be compiled: offline there is nothing older to stay with. */
export function expectWhole({ repairs }: ResourceSet): void {
  const broken = repairs.filter(({ kind }) => kind === "broken");
  if (broken.length === 0) return;
  const lines = broken.map(({ type, name, reason }) => `${type} ${name}: ${reason}`);
  throw new MeshError("internal/failed", `a part could not be compiled\n${lines.join("\n")}`, {
    hint: "This is a fault of Fairway. Please report it with this message.",
  });
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
