import { describe, expect, test } from "vitest";
import { workloadIn } from "../../src/compile/dialled.ts";
import type { CatalogEntry } from "../../src/model/catalog.ts";
import type { ProxyNode } from "../../src/model/proxy.ts";
import type { Service } from "../../src/model/service.ts";
import { host, instance, rule, service, sidecar, world } from "../support/mesh.ts";

const changed = (entry: CatalogEntry, part: Partial<Service>): CatalogEntry => ({
  ...entry,
  service: { ...entry.service, ...part },
});

const headless: Partial<Service> = { resolution: "original-destination" };

const services: readonly CatalogEntry[] = [
  changed(service("reviews", [instance("a", { ports: { http: 8080 } })]), { addresses: ["10.96.0.1", "fd00::1"] }),
  changed(service("reviews", [], { namespace: "mall" }), { addresses: ["10.96.0.2"] }),
  changed(service("six"), { addresses: ["fd00::6"] }),
  changed(service("wide"), { addresses: ["10.1.0.0/16"] }),
  changed(service("db", [instance("a", { address: "10.0.0.9" }), instance("b", { address: "10.0.0.8" })]), headless),
  changed(service("empty"), headless),
  service("named"),
  changed(service("books"), { ports: [], aliasOf: host("reviews.mall.svc.cluster.local") }),
  changed(service("novels"), { ports: [], aliasOf: host("books.shop.svc.cluster.local") }),
  changed(service("away"), { ports: [], aliasOf: host("www.example.org") }),
  changed(service("ring"), { ports: [], aliasOf: host("ring.shop.svc.cluster.local") }),
  changed(service("outside"), { hostname: host("api.example.com"), addresses: ["240.0.0.1"] }),
];

const mesh = world({ services });

const lookUp = (name: string, node: Partial<ProxyNode> = {}) => {
  const { address, found } = workloadIn(mesh, sidecar("web", node)).lookUp(name);
  return [address, found];
};

const reviews = "reviews.shop.svc.cluster.local has the address 10.96.0.1";

describe("a name is completed as the workload's resolver completes it", () => {
  test.each([
    ["reviews", reviews],
    ["Reviews", reviews],
    ["reviews.shop", reviews],
    ["reviews.shop.svc", reviews],
    ["reviews.shop.svc.cluster.local", reviews],
    ["reviews.shop.svc.cluster.local.", reviews],
    ["reviews.mall", "reviews.mall.svc.cluster.local has the address 10.96.0.2"],
    ["api.example.com", "api.example.com has the address 240.0.0.1"],
    ["reviews.", "no registry knows reviews."],
    ["nobody", "no registry knows nobody"],
    ["*.example.com", "no registry knows *.example.com"],
  ])("%s", (name, found) => {
    expect(lookUp(name)[1]).toBe(found);
  });

  test.each([
    [
      "books",
      "10.96.0.2",
      "books.shop.svc.cluster.local stands for reviews.mall.svc.cluster.local, reviews.mall.svc.cluster.local has the address 10.96.0.2",
    ],
    [
      "novels",
      "10.96.0.2",
      "novels.shop.svc.cluster.local stands for books.shop.svc.cluster.local, books.shop.svc.cluster.local stands for reviews.mall.svc.cluster.local, reviews.mall.svc.cluster.local has the address 10.96.0.2",
    ],
    [
      "away",
      undefined,
      "away.shop.svc.cluster.local stands for www.example.org, which leads to no service that a registry knows",
    ],
    [
      "ring",
      undefined,
      "ring.shop.svc.cluster.local stands for ring.shop.svc.cluster.local, which leads to no service that a registry knows",
    ],
  ])("the alias %s leads to what it stands for", (name, address, found) => {
    expect(lookUp(name)).toEqual([address, found]);
  });

  test("from another namespace a bare name is another service", () => {
    const mall = { namespace: "mall", dnsDomain: "mall.svc.cluster.local" };
    expect(lookUp("reviews", mall)[0]).toBe("10.96.0.2");
    expect(lookUp("reviews.shop", mall)[0]).toBe("10.96.0.1");
  });
});

describe("the address that is dialled", () => {
  test.each<[string, Partial<ProxyNode>, string | undefined, string]>([
    ["reviews", { addresses: ["fd00::9"] }, "fd00::1", "reviews.shop.svc.cluster.local has the address fd00::1"],
    ["six", {}, undefined, "six.shop.svc.cluster.local has no address of a family that the proxy has"],
    ["wide", {}, "10.1.0.1", "wide.shop.svc.cluster.local has the network 10.1.0.0/16, in which 10.1.0.1 is"],
    ["db", {}, "10.0.0.8", "db.shop.svc.cluster.local has no address of its own; 10.0.0.8 is one of its instances"],
    ["empty", {}, undefined, "empty.shop.svc.cluster.local has neither an address nor instances"],
    ["named", {}, undefined, "named.shop.svc.cluster.local has no address that a registry knows"],
  ])("of %s for %o", (name, node, address, found) => {
    expect(lookUp(name, node)).toEqual([address, found]);
  });
});

test("a ServiceEntry names its hosts, and its endpoints where it has no address", () => {
  const entry = (hosts: readonly string[], addresses: readonly string[]) =>
    rule("ServiceEntry", hosts[0] ?? "", {
      ...{ hosts, addresses, location: "MESH_EXTERNAL" },
      ports: [{ name: "tcp", number: 5432, protocol: "tcp" }],
      ...{ resolution: "STATIC", endpoints: [{ address: "10.0.0.9", ports: {}, labels: {}, locality: "", weight: 1 }] },
    });
  const rules = [entry(["pg.example.com"], ["240.0.0.2"]), entry(["bare.example.com"], [])];
  const { lookUp: found, portFor } = workloadIn(world({ services, rules }), sidecar());
  expect(found("pg.example.com").address).toBe("240.0.0.2");
  expect(found("bare.example.com")).toEqual({ found: "bare.example.com has no address that a registry knows" });
  expect(portFor("bare.example.com", 5432)?.port).toBe(5432);
});

test("a port of a service is one of the workload, where that is an instance", () => {
  const at = (address: string) => workloadIn(mesh, sidecar("web", { addresses: [address] }));
  expect(at("10.0.0.1").portFor("reviews", 9080)).toEqual({
    port: 8080,
    found: "reviews.shop.svc.cluster.local:9080 is port 8080 of the workload",
  });
  expect(at("10.0.0.1").portFor("reviews", 1)).toBeUndefined();
  expect(at("10.0.0.2").portFor("reviews", 9080)).toBeUndefined();
});
