import { memoize } from "../base/memo.ts";
import type { RuleFinding } from "../config/checks.ts";
import type { RuleDocument, RuleSet } from "../config/rule-set.ts";
import type { Catalog } from "../model/catalog.ts";
import type { Instance } from "../model/instance.ts";
import { formatLocality } from "../model/locality.ts";
import type { Service } from "../model/service.ts";
import type { FindingView } from "./types/findings.ts";
import type { RuleView } from "./types/rules.ts";
import type { InstanceView, ServiceView } from "./types/services.ts";

/** The services of a catalog, in the order of their keys. */
export const serviceViews: (catalog: Catalog) => readonly ServiceView[] = memoize((catalog: Catalog) =>
  [...catalog.services.values()].map((service) =>
    serviceView(service, catalog.instances.get(service.key) ?? noInstances),
  ),
);

const noInstances: readonly Instance[] = [];

const serviceView = memoize(
  ({ key: _, hostname, createdAt: __, ...rest }: Service, instances: readonly Instance[]): ServiceView => ({
    host: hostname,
    ...rest,
    instances: instances.map(instanceView),
  }),
);

const instanceView = (instance: Instance): InstanceView => ({
  ...instance,
  locality: formatLocality(instance.locality),
});

/** Every document read, and the rules in force whose document cannot be read any more. */
export const ruleViews: (ruleSet: RuleSet) => readonly RuleView[] = memoize((ruleSet: RuleSet) => {
  const accepted = new Set(ruleSet.documents.filter(({ verdict }) => verdict !== "refused").map(keyOf));
  const known: ReadonlySet<string> = new Set(ruleSet.rules.keys());
  const inForce = (document: RuleDocument): RuleView["inForce"] => {
    if (document.verdict !== "refused") return "current";
    const key = keyOf(document);
    return known.has(key) && !accepted.has(key) ? "previous" : "none";
  };
  const documents = ruleSet.documents.map((document): RuleView => ({ ...document, inForce: inForce(document) }));
  const documented = new Set(ruleSet.documents.map(keyOf));
  const orphans = [...ruleSet.rules.values()]
    .filter((rule) => !documented.has(rule.key))
    .map(({ key, kind, namespace, name }): RuleView => {
      const { file, line } = ruleSet.locate(key, "");
      const place = { ...(file !== undefined && { file }), ...(line !== undefined && { line }) };
      return { kind, namespace, name, ...place, verdict: "valid", inForce: "previous", findings: [] };
    });
  return [...documents, ...orphans];
});

const keyOf = ({ kind, namespace, name }: Pick<RuleDocument, "kind" | "namespace" | "name">): string =>
  `${kind}/${namespace}/${name}`;

/** All findings of all documents, in their order. */
export const ruleFindingViews: (ruleSet: RuleSet) => readonly FindingView[] = memoize((ruleSet: RuleSet) =>
  ruleSet.documents.flatMap(({ kind, namespace, name, findings }) =>
    findings.map((finding) => ({ about: { kind, namespace, name }, ...finding })),
  ),
);

/** Findings about rules in force that were made by looking across rules and services. */
export function referenceFindingViews(findings: readonly RuleFinding[]): readonly FindingView[] {
  return findings.map(({ rule, ...finding }) => {
    const [kind = "", namespace = "", name = ""] = rule.split("/");
    return { about: { kind, namespace, name }, ...finding };
  });
}

/** What is wrong with what a registry was given, as findings about that registry. */
export function registryFindingViews(
  registry: string,
  problems: readonly RegistryProblemLike[],
): readonly FindingView[] {
  const about = { kind: "Registry", namespace: "", name: registry };
  return problems.map(({ kind, ...problem }) => ({
    about,
    code: `catalog/${kind ?? "invalid"}`,
    severity: kind === undefined ? "error" : "warning",
    pointer: "",
    ...problem,
  }));
}

/** What could not be made for proxies of one kind and namespace: their whole configuration, or one resource of it. */
export function compileFindingViews(failures: readonly CompileFailureLike[]): readonly FindingView[] {
  return failures.map(({ profile: { kind, namespace }, message, resource }) => ({
    about: { kind: "Proxy", namespace, name: kind },
    code: "compile/failed",
    severity: "error",
    pointer: "",
    message: resource === undefined ? message : `${resource.type} ${resource.name}: ${message}`,
    hint:
      resource === undefined
        ? "These proxies keep their last good configuration. Taking back the last change ends it."
        : "It stays as it was, and everything else moves on. Taking back the last change ends it.",
  }));
}

interface CompileFailureLike {
  readonly profile: { readonly kind: string; readonly namespace: string };
  readonly message: string;
  readonly resource?: { readonly type: string; readonly name: string };
}

/** The part of a registry's problem that is shown. */
interface RegistryProblemLike {
  readonly kind?: "held" | "outdated";
  readonly message: string;
  readonly hint?: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}
