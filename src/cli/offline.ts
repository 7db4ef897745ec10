import { MeshError } from "../base/errors.ts";
import { createCompiler } from "../compile/compile.ts";
import { type Workload, workloadIn } from "../compile/dialled.ts";
import { createWorld } from "../compile/world.ts";
import { readRules } from "../config/file-store.ts";
import { emptyRuleSet, type RuleSet } from "../config/rule-set.ts";
import type { ResourceSet } from "../envoy/resource-set.ts";
import { type Catalog, emptyCatalog } from "../model/catalog.ts";
import type { MeshSettings } from "../model/mesh-settings.ts";
import type { ProxyNode } from "../model/proxy.ts";
import { readCatalog } from "../registry/file.ts";
import { type CliIo, type FlagValues, flagValue, flagValues } from "./command.ts";
import { count, formatFindings, readSources } from "./findings-text.ts";
import { expectPaths, meshSettingsIn, problemLine } from "./inputs.ts";
import { styleFor } from "./style.ts";

/** What a server would serve that reads these files. */
export interface OfflineMesh {
  readonly ruleSet: RuleSet;
  /** Rules were left out as they have errors. */
  readonly hasRefused: boolean;
  /** Throws where a part could not be compiled. */
  readonly resourcesFor: (node: ProxyNode) => ResourceSet;
  readonly workloadOf: (node: ProxyNode) => Workload;
}

/** Findings of rules that are left out go where they do not disturb what is printed. */
export async function offlineMesh(flags: FlagValues, io: CliIo): Promise<OfflineMesh> {
  const rulePaths = flagValues(flags, "rules");
  const catalogPaths = flagValues(flags, "catalog");
  await expectPaths([...rulePaths, ...catalogPaths]);
  const mesh = await meshSettingsIn(flagValue(flags, "mesh"));
  const catalog = await catalogOf(catalogPaths, mesh);
  const ruleSet = rulePaths.length === 0 ? emptyRuleSet : await readRules(rulePaths);
  const world = createWorld(catalog, ruleSet, [], mesh);
  const compiler = createCompiler();
  return {
    ruleSet,
    hasRefused: await reportRefused(ruleSet, io),
    resourcesFor(node) {
      const resources = compiler.compileFor(world, node);
      expectWhole(resources);
      return resources;
    },
    workloadOf: (node) => workloadIn(world, node),
  };
}

/** Offline there is nothing older to stay with. */
export function expectWhole({ repairs }: ResourceSet): void {
  const broken = repairs.filter(({ kind }) => kind === "broken");
  if (broken.length === 0) return;
  const lines = broken.map(({ type, name, reason }) => `${type} ${name}: ${reason}`);
  throw new MeshError("internal/failed", `a part could not be compiled\n${lines.join("\n")}`, {
    hint: "This is a fault of Fairway. Please report it with this message.",
  });
}

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
