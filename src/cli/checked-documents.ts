import { checkReferences, type RuleFinding } from "../config/checks.ts";
import { readRules } from "../config/file-store.ts";
import type { Finding } from "../config/finding.ts";
import type { RuleDocument } from "../config/rule-set.ts";
import type { MeshSettings } from "../model/mesh-settings.ts";
import { readCatalog } from "../registry/file.ts";
import type { RegistryProblem } from "../registry/source.ts";

/**
 * Every document of `paths` with its findings, as the server would judge it. With catalogs, references between rules and
 * services are looked at too, and the catalogs' own problems are listed as documents of the kind `Catalog`.
 */
export async function checkedDocuments(
  paths: readonly string[],
  catalogPaths: readonly string[],
  mesh: MeshSettings,
): Promise<readonly RuleDocument[]> {
  const ruleSet = await readRules(paths);
  if (catalogPaths.length === 0) return ruleSet.documents;
  const catalog = await readCatalog(catalogPaths, mesh);
  if (!catalog.ok) return [...ruleSet.documents, ...catalogDocuments(catalog.problems)];
  const dangling = checkReferences(ruleSet, catalog.catalog, mesh);
  return withFindings(ruleSet.documents, dangling);
}

/** Findings about rules in force join the documents that the rules came from. */
function withFindings(documents: readonly RuleDocument[], findings: readonly RuleFinding[]): readonly RuleDocument[] {
  const byRule = Map.groupBy<string, RuleFinding>(findings, ({ rule }) => rule);
  return documents.map((document) => {
    const { kind, namespace, name, verdict } = document;
    const added = verdict === "refused" ? undefined : byRule.get(`${kind}/${namespace}/${name}`);
    if (added === undefined) return document;
    const all = [...document.findings, ...added.map(({ rule: _rule, ...finding }) => finding)];
    return { ...document, verdict: "warned", findings: all.sort(byPlace) };
  });
}

const byPlace = (a: Finding, b: Finding): number => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);

function catalogDocuments(problems: readonly RegistryProblem[]): readonly RuleDocument[] {
  return [...Map.groupBy(problems, ({ file }) => file ?? "")].map(([file, list]) => ({
    kind: "Catalog",
    namespace: "",
    name: "",
    file,
    line: 1,
    verdict: "refused",
    findings: list.map((problem): Finding => ({ ...problem, severity: "error", code: "catalog/invalid", pointer: "" })),
  }));
}
