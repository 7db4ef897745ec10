import { OrderedMap } from "../../src/base/ordered-map.ts";
import { createWorld, type HeldRule, type World } from "../../src/compile/world.ts";
import { type AnyRule, type Rule, type RuleKind, type RuleSpecs, ruleKey } from "../../src/config/rule.ts";
import { type Catalog, type CatalogEntry, createCatalog } from "../../src/model/catalog.ts";
import { type Hostname, parseHostname } from "../../src/model/hostname.ts";
import type { Instance } from "../../src/model/instance.ts";
import { parseLocality } from "../../src/model/locality.ts";
import { defaultMeshSettings, type MeshSettings } from "../../src/model/mesh-settings.ts";
import type { ProxyNode } from "../../src/model/proxy.ts";
import { serviceKey } from "../../src/model/service.ts";

/** Builders of small meshes for tests: name what matters, the rest is ordinary. */

export function host(text: string): Hostname {
  const parsed = parseHostname(text);
  if (parsed === undefined) throw new Error(`not a host name: ${text}`);
  return parsed;
}

export function instance(
  id: string,
  options: Partial<Omit<Instance, "locality">> & { locality?: string } = {},
): Instance {
  const { locality = "r1/z1", ...rest } = options;
  return {
    id,
    address: "10.0.0.1",
    ports: {},
    labels: {},
    weight: 1,
    health: "healthy",
    registry: "test",
    ...rest,
    locality: parseLocality(locality),
  };
}

/** A service `name.namespace` with one HTTP port and the given instances. */
export function service(
  name: string,
  instances: readonly Instance[] = [],
  { namespace = "shop", port = 9080, createdAt = 0 }: { namespace?: string; port?: number; createdAt?: number } = {},
): CatalogEntry {
  const hostname = host(`${name}.${namespace}.svc.cluster.local`);
  return {
    service: {
      key: serviceKey(namespace, hostname),
      hostname,
      namespace,
      ports: [{ name: "http", number: port, protocol: "http" }],
      addresses: [],
      resolution: "instances",
      external: false,
      createdAt,
      origin: { kind: "registry", registry: "test" },
    },
    instances,
  };
}

export function rule<K extends RuleKind>(
  kind: K,
  name: string,
  spec: RuleSpecs[K],
  { namespace = "shop", createdAt = 0 }: { namespace?: string; createdAt?: number } = {},
): Rule<K> {
  return { key: ruleKey(kind, namespace, name), kind, namespace, name, labels: {}, createdAt, spec };
}

export interface WorldParts {
  readonly services?: readonly CatalogEntry[];
  readonly catalog?: Catalog;
  readonly rules?: readonly Rule[];
  readonly holds?: readonly HeldRule[];
  readonly mesh?: Partial<MeshSettings>;
  readonly revision?: number;
}

export function world({ services = [], catalog, rules = [], holds = [], mesh, revision = 1 }: WorldParts): World {
  return createWorld(
    catalog ?? createCatalog(services),
    { rules: OrderedMap.of((rules as readonly AnyRule[]).map((one) => [one.key, one])), revision },
    holds,
    mesh === undefined ? defaultMeshSettings : { ...defaultMeshSettings, ...mesh },
  );
}

/** A sidecar in `shop`; pods of one workload differ in name and address only. */
export function sidecar(name = "web-1", options: Partial<ProxyNode> = {}): ProxyNode {
  const address = options.addresses?.[0] ?? "10.0.0.9";
  return {
    id: `sidecar~${address}~${name}.shop~shop.svc.cluster.local`,
    kind: "sidecar",
    name,
    namespace: "shop",
    dnsDomain: "shop.svc.cluster.local",
    addresses: [address],
    labels: { app: "web" },
    serviceAccount: "",
    clusterId: "",
    network: "",
    locality: parseLocality("r1/z1"),
    nodeName: "",
    interceptionMode: "none",
    client: { name: "envoy", version: "1.40.0" },
    ...options,
  };
}

export function gateway(name = "gw-1", options: Partial<ProxyNode> = {}): ProxyNode {
  return {
    ...sidecar(name),
    id: `router~10.0.0.8~${name}.shop~shop.svc.cluster.local`,
    kind: "gateway",
    labels: { app: "gw" },
    ...options,
  };
}

/** A Sidecar rule that opens one egress listener on `port` for everything. */
export function egressEverywhere(port = 9080): Rule<"Sidecar"> {
  return rule("Sidecar", "default", {
    ingress: [],
    egress: [{ port: { number: port, protocol: "http", name: "http" }, captureMode: "NONE", hosts: ["*/*"] }],
  });
}

/** A canary: `host` split between subsets v1 and v2. */
export function canary(name: string, v1: number, v2: number): readonly Rule[] {
  return [
    rule("VirtualService", name, {
      hosts: [name],
      gateways: ["mesh"],
      http: [
        {
          match: [],
          route: [
            { host: name, subset: "v1", weight: v1 },
            { host: name, subset: "v2", weight: v2 },
          ],
        },
      ],
    }),
    rule("DestinationRule", name, {
      host: name,
      subsets: ["v1", "v2"].map((version) => ({ name: version, labels: { version } })),
    }),
  ];
}
