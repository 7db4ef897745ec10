import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { createCompiler } from "../../src/compile/compile.ts";
import { createWorld } from "../../src/compile/world.ts";
import { readRules } from "../../src/config/file-store.ts";
import { readMeshSettings } from "../../src/config/mesh-settings.ts";
import type { RuleSet } from "../../src/config/rule-set.ts";
import type { BootstrapNode } from "../../src/envoy/bootstrap.ts";
import { bytesJson } from "../../src/envoy/pack.ts";
import type { ResourceSet } from "../../src/envoy/resource-set.ts";
import { resourceType, type TypeName } from "../../src/envoy/resource-types.ts";
import { type Catalog, createCatalog } from "../../src/model/catalog.ts";
import type { Instance } from "../../src/model/instance.ts";
import { parseLocality } from "../../src/model/locality.ts";
import { defaultMeshSettings, type MeshSettings } from "../../src/model/mesh-settings.ts";
import { type NodeIdentity, parseProxyNode } from "../../src/model/proxy.ts";
import type { Service } from "../../src/model/service.ts";
import { readCatalog } from "../../src/registry/file.ts";

export const goldenFolder = join(import.meta.dirname, "../golden");

export interface Golden {
  readonly ruleSet: RuleSet;
  readonly resources: ResourceSet;
  /** The node, as a bootstrap has it. */
  readonly node: BootstrapNode;
  /** Proto JSON by type, each resource in its place by name; and the conflicts among services, where there are any. */
  readonly json: unknown;
}

const titles = {
  CDS: "clusters",
  EDS: "endpoints",
  LDS: "listeners",
  RDS: "routes",
} as const satisfies Partial<Record<TypeName, string>>;

export async function compileGolden(name: string): Promise<Golden> {
  const folder = join(goldenFolder, name);
  const ruleSet = await readRules([join(folder, "rules.yaml")]);
  const mesh = readMesh(join(folder, "mesh.yaml"));
  const catalog = await readCatalog([join(folder, "catalog.yaml")], { domain: mesh.domain });
  if (!catalog.ok) throw new Error(`${name}/catalog.yaml: ${catalog.problems.map(({ message }) => message).join(" ")}`);
  const node = parse(readFileSync(join(folder, "proxy.yaml"), "utf8"));
  const proxy = parseProxyNode({
    ...node,
    locality: { ...parseLocality(""), ...node.locality },
    client: { name: "envoy", version: "" },
  } satisfies NodeIdentity);
  const world = createWorld(withModel(catalog.catalog, join(folder, "model.yaml")), ruleSet, [], mesh);
  const resources = createCompiler().compileFor(world, proxy);
  const tables = Object.fromEntries(
    Object.entries(titles).map(([type, title]) => {
      const { short, url } = resourceType(type as TypeName);
      return [title, [...resources.resources[short].values()].map(({ bytes }) => bytesJson(url, bytes))];
    }),
  );
  const conflicts = resources.repairs.filter(({ kind }) => kind === "conflict");
  const told = conflicts.map(({ type, name: resource, reason }) => ({ type, name: resource, reason }));
  return { ruleSet, resources, node, json: told.length === 0 ? tables : { ...tables, conflicts: told } };
}

/** What a catalog's text has no words for: fields of the model, by the host of a service and the id of an instance. */
interface ModelFields {
  readonly services?: Readonly<Record<string, Partial<Service>>>;
  readonly instances?: Readonly<Record<string, Partial<Instance>>>;
}

function withModel(catalog: Catalog, file: string): Catalog {
  if (!existsSync(file)) return catalog;
  const { services = {}, instances = {} }: ModelFields = parse(readFileSync(file, "utf8"));
  const entries = [...catalog.services.values()].map((service) => ({
    service: { ...service, ...services[service.hostname] },
    instances: (catalog.instances.get(service.key) ?? []).map((one) => ({ ...one, ...instances[one.id] })),
  }));
  return createCatalog(entries);
}

function readMesh(file: string): MeshSettings {
  if (!existsSync(file)) return defaultMeshSettings;
  const read = readMeshSettings(file, readFileSync(file, "utf8"));
  if (!read.ok) throw new Error(`${file}: ${read.findings.map(({ message }) => message).join(" ")}`);
  return read.settings;
}
