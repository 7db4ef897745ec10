import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { createCompiler } from "../../../src/compile/compile.ts";
import { createWorld } from "../../../src/compile/world.ts";
import { bytesJson } from "../../../src/envoy/pack.ts";
import { resourceType, type TypeName } from "../../../src/envoy/resource-types.ts";
import { type Catalog, emptyCatalog } from "../../../src/model/catalog.ts";
import { defaultMeshSettings } from "../../../src/model/mesh-settings.ts";
import type { ProxyNode } from "../../../src/model/proxy.ts";
import { readCatalog } from "../../../src/registry/file.ts";
import { findings, rulesOf } from "../../config/support.ts";
import { gateway, sidecar } from "../../support/mesh.ts";
import { createFakeCluster } from "./fake-cluster.ts";
import type { Manifest } from "./manifests.ts";

/*
 * One mesh written three times: as objects of Kubernetes, as a catalog's file and as ServiceEntries. The names of the hosts are the
 * same in all of them, so what proxies get must be the same bytes.
 */

const folder = join(import.meta.dirname, "equal-models");
const read = (name: string): string => readFileSync(join(folder, name), "utf8");

function catalogOfKubernetes(): Catalog {
  const cluster = createFakeCluster();
  cluster.apply(...parseAllDocuments(read("kubernetes.yaml")).map((document) => document.toJS() as Manifest));
  expect(cluster.problems()).toEqual([]);
  return cluster.registry.catalog.value ?? expect.fail("no catalog");
}

async function catalogOfFile(): Promise<Catalog> {
  const result = await readCatalog([join(folder, "catalog.yaml")], { domain: "cluster.local" });
  return result.ok ? result.catalog : expect.fail(JSON.stringify(result.problems));
}

interface Written {
  readonly catalog: Catalog;
  readonly rules: string;
}

const compiled = ({ catalog, rules }: Written, node: ProxyNode) => {
  const ruleSet = rulesOf(rules);
  expect(findings(ruleSet)).toEqual([]);
  return createCompiler().compileFor(createWorld(catalog, ruleSet, [], defaultMeshSettings), node);
};

const captured = { interceptionMode: "redirect" } as const;

const proxies: readonly (readonly [string, ProxyNode])[] = [
  ["a captured sidecar beside no service", sidecar("web-1", captured)],
  ["a captured sidecar of one of the pods", sidecar("reviews-2", { ...captured, addresses: ["10.0.1.2"] })],
  ["a sidecar that is not captured", sidecar("web-1")],
  ["a gateway", gateway("edge-1", { labels: { app: "edge" } })],
  ["a gRPC client", sidecar("web-1", { kind: "proxyless", client: { name: "gRPC Go", version: "1.80.0" } })],
];

test.each(proxies)("%s gets the same bytes however the mesh is written", async (_, node) => {
  const rules = read("rules.yaml");
  const ways = {
    kubernetes: { catalog: catalogOfKubernetes(), rules },
    file: { catalog: await catalogOfFile(), rules },
    entries: { catalog: emptyCatalog, rules: `${rules}---\n${read("service-entries.yaml")}` },
  };
  const [kubernetes, file, entries] = Object.values(ways).map((way) => compiled(way, node));
  if (!kubernetes || !file || !entries) expect.fail("three ways expected");
  expect([...kubernetes.resources.EDS.keys()].join()).toContain("reviews.shop.svc.cluster.local");
  for (const [type, table] of Object.entries(kubernetes.resources)) {
    const { url } = resourceType(type as TypeName);
    for (const other of [file, entries]) {
      expect([...other.resources[type as TypeName].keys()]).toEqual([...table.keys()]);
      for (const [name, { bytes }] of table) {
        const found = other.resources[type as TypeName].get(name)?.bytes;
        // The JSON tells people what differs; the bytes are what counts.
        if (found && !Buffer.from(found).equals(bytes)) expect(bytesJson(url, found)).toEqual(bytesJson(url, bytes));
        expect(found).toEqual(bytes);
      }
    }
  }
});
