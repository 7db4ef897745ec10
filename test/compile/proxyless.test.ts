import { expect, test } from "vitest";
import { createCompiler } from "../../src/compile/compile.ts";
import { profileKey, profileOf } from "../../src/compile/profile.ts";
import type { ResourceSet } from "../../src/envoy/resource-set.ts";
import type { TypeName } from "../../src/envoy/resource-types.ts";
import { createCatalog } from "../../src/model/catalog.ts";
import { parseLocality } from "../../src/model/locality.ts";
import type { ProxyNode } from "../../src/model/proxy.ts";
import { parseProxyNode } from "../../src/model/proxy.ts";
import { canary, egressEverywhere, host, instance, rule, service, sidecar, world } from "../support/mesh.ts";

const proxyless = (name = "web-1", options: Partial<ProxyNode> = {}): ProxyNode =>
  sidecar(name, { kind: "proxyless", client: { name: "gRPC Go", version: "1.80.0" }, ...options });

const names = ({ resources }: ResourceSet, type: TypeName): readonly string[] => [...resources[type].keys()];

const reviews = service("reviews", [
  instance("v1", { address: "10.0.0.2", labels: { version: "v1" } }),
  instance("v2", { address: "10.0.0.3", labels: { version: "v2" } }),
]);
const hostname = "reviews.shop.svc.cluster.local";

test.each([
  ["gRPC Node Pure JS", {}, "proxyless"],
  ["gRPC C-core linux", {}, "proxyless"],
  ["", { GENERATOR: "grpc" }, "proxyless"],
  ["envoy", {}, "sidecar"],
  ["grpcish", {}, "sidecar"],
])("a node of %j with the metadata %j is %s", (client, metadata, kind) => {
  const node = parseProxyNode({
    id: "sidecar~10.0.0.9~web-1.shop~shop.svc.cluster.local",
    metadata,
    locality: parseLocality(""),
    client: { name: client, version: "" },
  });
  expect(node.kind).toBe(kind);
});

test("a gateway stays one whatever speaks for it", () => {
  const node = parseProxyNode({
    id: "router~10.0.0.9~gw-1.shop~shop.svc.cluster.local",
    metadata: { GENERATOR: "grpc" },
    locality: parseLocality(""),
    client: { name: "envoy", version: "" },
  });
  expect(node.kind).toBe("gateway");
});

test("endpoints are the very resources that sidecars get", () => {
  const here = world({ services: [reviews], rules: [...canary("reviews", 90, 10), egressEverywhere()] });
  const compiler = createCompiler();
  const [forGrpc, forEnvoy] = [proxyless(), sidecar()].map((node) => compiler.compileFor(here, node).resources.EDS);
  expect([...(forGrpc?.keys() ?? [])]).toHaveLength(3);
  for (const [name, resource] of forGrpc ?? []) expect(forEnvoy?.get(name)).toBe(resource);
});

test("a service of two ports has no listener without a port, and each port has its own table", () => {
  const { service: one, instances } = reviews;
  const ports = [...one.ports, { name: "admin", number: 8080, protocol: "http" as const }];
  const set = createCompiler().compileFor(
    world({ services: [{ service: { ...one, ports }, instances }] }),
    proxyless(),
  );
  expect(names(set, "LDS").filter((name) => !name.includes(":"))).toEqual([]);
  expect(names(set, "RDS")).toEqual([`outbound|8080||${hostname}`, `outbound|9080||${hostname}`]);
});

test("short names are those of the client's namespace", () => {
  const here = world({ services: [reviews] });
  const compiler = createCompiler();
  const elsewhere = proxyless("pay-1", { namespace: "billing", dnsDomain: "billing.svc.cluster.local" });
  expect(names(compiler.compileFor(here, proxyless()), "LDS")).toContain("reviews:9080");
  const far = names(compiler.compileFor(here, elsewhere), "LDS");
  expect(far).not.toContain("reviews:9080");
  expect(far).toContain("reviews.shop:9080");
});

test("a service's own name goes before the short form of another's", () => {
  const namesake = { ...service("x"), service: { ...service("x").service, hostname: host("reviews.shop") } };
  const here = world({ services: [reviews, namesake] });
  const listener = createCompiler().compileFor(here, proxyless()).resources.LDS.get("reviews.shop:9080");
  expect(listener?.references).toEqual([{ type: "RDS", name: "outbound|9080||reviews.shop" }]);
});

test("what is found by DNS, or is not routed call by call, is not there", () => {
  const { service: one } = reviews;
  const dns = { service: { ...one, resolution: "dns" as const }, instances: [] };
  const tcp = { service: { ...one, ports: [{ name: "tcp", number: 1, protocol: "tcp" as const }] }, instances: [] };
  for (const entry of [dns, tcp]) {
    const set = createCompiler().compileFor(world({ services: [entry] }), proxyless());
    expect([...names(set, "LDS"), ...names(set, "RDS"), ...names(set, "CDS")]).toEqual([]);
  }
});

test("a route to nowhere gets a cluster that gRPC takes, with its endpoints", () => {
  const rules = [
    rule("VirtualService", "reviews", {
      hosts: ["reviews"],
      gateways: ["mesh"],
      http: [{ match: [], route: [{ host: "nobody", weight: 1 }] }],
    }),
  ];
  const { resources } = createCompiler().compileFor(world({ services: [reviews], rules }), proxyless());
  const name = "outbound|9080||nobody.shop.svc.cluster.local";
  expect(resources.CDS.get(name)?.references).toEqual([{ type: "EDS", name }]);
  expect(resources.EDS.has(name)).toBe(true);
});

test("the oldest rule of a host governs it, by its name or by a wildcard", () => {
  const to = (name: string, hosts: readonly string[], createdAt: number) =>
    rule(
      "VirtualService",
      name,
      { hosts, gateways: ["mesh"], http: [{ match: [], route: [{ host: name, weight: 1 }] }] },
      { createdAt },
    );
  const rules = [to("late", ["reviews"], 2), to("early", ["*.shop.svc.cluster.local"], 1)];
  const set = createCompiler().compileFor(world({ services: [reviews], rules }), proxyless());
  expect(set.resources.RDS.get(`outbound|9080||${hostname}`)?.references).toEqual([
    { type: "CDS", name: "outbound|9080||early.shop.svc.cluster.local" },
  ]);
});

test("a server's listeners follow the ports of its own instances", () => {
  const compiler = createCompiler();
  const server = proxyless("reviews-1", { addresses: ["10.0.0.2"] });
  const before = world({ services: [reviews] });
  const inbound = (set: ResourceSet) => names(set, "LDS").filter((name) => name.startsWith("xds.istio.io/"));
  expect(inbound(compiler.compileFor(before, server))).toEqual(
    ["0.0.0.0", "127.0.0.1", "[::1]", "[::]"].map((bind) => `xds.istio.io/grpc/lds/inbound/${bind}:9080`),
  );
  const moved = { ...before, catalog: createCatalog([service("reviews", [instance("v1", { address: "10.0.9.9" })])]) };
  expect(inbound(compiler.compileFor(moved, server))).toEqual([]);
});

test("copies of a workload are one profile, whatever their addresses", () => {
  const addresses = Array.from({ length: 1_000 }, (_, i) => `10.1.${i >> 8}.${i & 255}`);
  const here = world({
    services: [
      service(
        "reviews",
        addresses.map((address, i) => instance(`i${i}`, { address })),
      ),
    ],
  });
  const keys = addresses.map((address, i) =>
    profileKey(profileOf(here, proxyless(`r-${i}`, { addresses: [address] }))),
  );
  expect(new Set(keys).size).toBe(1);
});
