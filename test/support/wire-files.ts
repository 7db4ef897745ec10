import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { readRules } from "../../src/config/file-store.ts";
import type { AnyRule, Rule } from "../../src/config/rule.ts";
import type { WireMesh } from "./wire-mesh.ts";

/** The mesh as files, for a control plane in a process of its own. */
export interface WireFiles {
  readonly rules: string;
  readonly catalog: string;
}

/** Writes the catalog and these rules into `dir`; rejects when a rule is not valid as written. */
export async function writeWireFiles(dir: string, mesh: WireMesh, list: readonly Rule[]): Promise<WireFiles> {
  const [rules, catalog] = [join(dir, "rules.yaml"), join(dir, "catalog.yaml")];
  writeFileSync(rules, (list as readonly AnyRule[]).map((rule) => stringify(documentOf(rule))).join("---\n"));
  writeFileSync(catalog, stringify(catalogOf(mesh)));
  const { documents } = await readRules([rules]);
  const refused = documents.filter(({ verdict }) => verdict !== "valid");
  if (refused.length > 0) throw new Error(`${rules}: ${JSON.stringify(refused.map(({ findings }) => findings))}`);
  return { rules, catalog };
}

const documentOf = (rule: AnyRule): object => ({
  apiVersion: "networking.istio.io/v1",
  kind: rule.kind,
  metadata: { name: rule.name, namespace: rule.namespace },
  spec: specOf(rule),
});

/** As people write it: what is read differs where it leaves out what needs no saying. */
function specOf(rule: AnyRule): object {
  if (rule.kind === "Sidecar") {
    const { workloadSelector: labels, egress } = rule.spec;
    return { workloadSelector: { labels }, egress: egress.map((one) => ({ ...one, captureMode: "NONE" })) };
  }
  if (rule.kind === "VirtualService") {
    const http = rule.spec.http.map(({ route }) => ({
      route: route.map(({ host, subset }) => ({ destination: { host, subset } })),
    }));
    return { ...rule.spec, http };
  }
  return rule.spec;
}

const catalogOf = ({ services }: WireMesh): object => ({
  services: services.map(({ service: { hostname, namespace, ports }, instances }) => ({
    name: hostname.split(".")[0],
    namespace,
    ports: ports.map((port) => ({ ...port, protocol: "HTTP" })),
    instances: instances.map(({ id, address, ports: numbers, labels }) => ({ id, address, ports: numbers, labels })),
  })),
});
