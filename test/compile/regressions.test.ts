import { describe, expect, test } from "vitest";
import { createCompiler } from "../../src/compile/compile.ts";
import { bytesJson } from "../../src/envoy/pack.ts";
import type { Resource } from "../../src/envoy/resource-set.ts";
import { resourceType } from "../../src/envoy/resource-types.ts";
import type { CatalogEntry } from "../../src/model/catalog.ts";
import { canary, egressEverywhere, gateway, host, instance, rule, service, sidecar, world } from "../support/mesh.ts";

/* Faults that were found once. */

const json = (resource: Resource | undefined): string =>
  resource === undefined ? "" : JSON.stringify(bytesJson(resourceType(resource.type).url, resource.bytes));

const withPort = (
  { service: one, instances }: CatalogEntry,
  port: Partial<(typeof one.ports)[number]>,
): CatalogEntry => ({
  service: { ...one, ports: one.ports.map((before) => ({ ...before, ...port })) },
  instances,
});

test.each(["constructor", "toString", "valueOf", "__proto__"])("a port may be named %s", (name) => {
  const odd = withPort(service("odd", [instance("a", { address: "10.0.0.7" })]), { name });
  const { resources } = createCompiler().compileFor(world({ services: [odd] }), sidecar());
  expect(json(resources.EDS.get("outbound|9080||odd.shop.svc.cluster.local"))).toContain('"portValue":9080');
});

test("a proxy in the root namespace follows a service's own rules before the mesh's", () => {
  const [, subsets] = canary("reviews", 1, 1);
  const all = rule("DestinationRule", "all", { host: "*.local", subsets: [] }, { namespace: "istio-system" });
  const rules = [subsets, all].filter((one) => one !== undefined);
  const here = world({ services: [service("reviews")], rules });
  const { resources } = createCompiler().compileFor(here, gateway("gw", { namespace: "istio-system" }));
  expect(resources.CDS.has("outbound|9080|v1|reviews.shop.svc.cluster.local")).toBe(true);
});

test("a host name in two namespaces: the imported one is served", () => {
  const shared = host("api.example.com");
  const of = (namespace: string, address: string): CatalogEntry => {
    const { service: one, instances } = service("api", [instance(namespace, { address })], { namespace });
    return { service: { ...one, hostname: shared, key: `${namespace}/${shared}` as never }, instances };
  };
  const importsB = rule("Sidecar", "s", {
    ingress: [],
    egress: [{ port: { number: 9080, protocol: "http", name: "http" }, captureMode: "NONE", hosts: ["b/*"] }],
  });
  const here = world({ services: [of("a", "10.0.0.1"), of("b", "10.0.0.2")], rules: [importsB] });
  const { resources } = createCompiler().compileFor(here, sidecar());
  expect(json(resources.EDS.get("outbound|9080||api.example.com"))).toContain("10.0.0.2");
  expect(json(resources.RDS.get("9080"))).toContain("api.example.com:9080");
});

describe("what is not HTTP has no virtual host", () => {
  test.each([
    ["udp", false],
    ["tcp", true],
  ] as const)("%s", (protocol, hasCluster) => {
    const other = withPort(service("dns"), { protocol });
    const { resources } = createCompiler().compileFor(
      world({ services: [other], rules: [egressEverywhere()] }),
      sidecar(),
    );
    expect(json(resources.RDS.get("9080"))).not.toContain("dns.shop");
    expect(resources.CDS.has("outbound|9080||dns.shop.svc.cluster.local")).toBe(hasCluster);
  });
});

test("a name resolved to one address at a time, with a subset that nobody is in, is an empty cluster", () => {
  const entry = rule("ServiceEntry", "one", {
    hosts: ["one.example.com"],
    ports: [{ number: 9080, protocol: "http", name: "http" }],
    location: "MESH_EXTERNAL",
    addresses: [],
    resolution: "DNS_ROUND_ROBIN",
    endpoints: [],
  });
  const subset = rule("DestinationRule", "one", {
    host: "one.example.com",
    subsets: [{ name: "v1", labels: { version: "v1" } }],
  });
  const { resources } = createCompiler().compileFor(world({ rules: [entry, subset] }), sidecar());
  expect(json(resources.CDS.get("outbound|9080|v1|one.example.com"))).not.toContain("envoy.cluster.dns");
  expect(json(resources.CDS.get("outbound|9080||one.example.com"))).toContain("envoy.cluster.dns");
});

test("a captured sidecar of one family gets the instances that it has a way to", () => {
  const both = service("both", [instance("a", { address: "10.0.0.7" }), instance("b", { address: "fd00::7" })]);
  const seenBy = (...addresses: readonly string[]): readonly boolean[] => {
    const node = sidecar("web-1", { addresses, interceptionMode: "redirect" });
    const { resources } = createCompiler().compileFor(world({ services: [both] }), node);
    const text = json(resources.EDS.get("outbound|9080||both.shop.svc.cluster.local"));
    return ["10.0.0.7", "fd00::7"].map((address) => text.includes(address));
  };
  expect([seenBy("10.0.0.9"), seenBy("fd00::9"), seenBy("10.0.0.9", "fd00::9")]).toEqual([
    [true, false],
    [false, true],
    [true, true],
  ]);
});
