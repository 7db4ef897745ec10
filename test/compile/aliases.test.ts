import { fromBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { createCompiler } from "../../src/compile/compile.ts";
import { profileOf } from "../../src/compile/profile.ts";
import type { World } from "../../src/compile/world.ts";
import { RouteConfigurationSchema } from "../../src/gen/envoy/config/route/v3/route_pb.ts";
import type { CatalogEntry } from "../../src/model/catalog.ts";
import type { ProxyNode } from "../../src/model/proxy.ts";
import type { Service } from "../../src/model/service.ts";
import { host, instance, rule, service, sidecar, type WorldParts, world } from "../support/mesh.ts";

/* Names that stand for a service: it answers to them, and they have nothing of their own. */

const named = (name: string, namespace = "shop") => host(`${name}.${namespace}.svc.cluster.local`);

const changed = (entry: CatalogEntry, part: Partial<Service>): CatalogEntry => ({
  ...entry,
  service: { ...entry.service, ...part },
});
const alias = (name: string, of: string, { namespace = "shop", ...part }: Partial<Service> = {}): CatalogEntry =>
  changed(service(name, [], { namespace }), { ports: [], aliasOf: host(of), ...part });

const reviews = changed(service("reviews", [instance("1")], { namespace: "prod" }), { addresses: ["10.96.0.1"] });
const books = alias("books", reviews.service.hostname);
const redirect = (options: Partial<ProxyNode> = {}) => sidecar("web-1", { interceptionMode: "redirect", ...options });

/** The host names of each virtual host on the port of reviews. */
function hostsFor(parts: WorldParts, node = redirect()) {
  const table = createCompiler().compileFor(world(parts), node).resources.RDS.get("9080");
  const { virtualHosts } = fromBinary(RouteConfigurationSchema, table?.bytes ?? new Uint8Array());
  return Object.fromEntries(virtualHosts.map(({ name, domains }) => [name, domains]));
}

const own = [
  ...["reviews.prod.svc.cluster.local", "reviews.prod.svc.cluster.local.", "reviews.prod", "reviews.prod.svc"],
];
const full = ["books.shop.svc.cluster.local", "books.shop.svc.cluster.local."];

describe("the service of an alias answers to it", () => {
  test("in the forms that the client's resolver completes", () => {
    const near = [...own, ...full, "books", "books.shop", "books.shop.svc", "10.96.0.1"];
    expect(hostsFor({ services: [reviews, books] })["reviews.prod.svc.cluster.local:9080"]).toEqual(near);
    const mall = redirect({ namespace: "mall", dnsDomain: "mall.svc.cluster.local" });
    const far = [...own, ...full, "books.shop", "books.shop.svc", "10.96.0.1"];
    expect(hostsFor({ services: [reviews, books] }, mall)["reviews.prod.svc.cluster.local:9080"]).toEqual(far);
  });

  test.each<{ what: string; services: readonly CatalogEntry[] }>([
    { what: "an alias of an alias", services: [reviews, alias("a", named("b")), alias("b", named("c"))] },
    { what: "a cycle", services: [reviews, alias("a", named("b")), alias("b", named("a"))] },
    { what: "an alias of itself", services: [reviews, alias("a", named("a"))] },
    { what: "an alias of nobody", services: [reviews, alias("a", "api.example.com")] },
    { what: "one that its client may not see", services: [reviews, changed(books, { visibleIn: ["mall"] })] },
  ])("$what is nobody's name, and has nothing of its own", ({ services }) => {
    const names = ({ resources }: ReturnType<ReturnType<typeof createCompiler>["compileFor"]>) =>
      [resources.CDS, resources.EDS, resources.LDS, resources.RDS].flatMap((table) => [...table.keys()]);
    const set = createCompiler().compileFor(world({ services }), redirect());
    expect(names(set)).toEqual(names(createCompiler().compileFor(world({ services: [reviews] }), redirect())));
    expect(hostsFor({ services })["reviews.prod.svc.cluster.local:9080"]).toEqual([...own, "10.96.0.1"]);
  });

  test("where its Sidecar rule imports both", () => {
    const importing = (...hosts: readonly string[]) =>
      rule("Sidecar", "narrow", { ingress: [], egress: [{ captureMode: "DEFAULT", hosts }] });
    const services = [reviews, books];
    const target = "reviews.prod.svc.cluster.local:9080";
    expect(hostsFor({ services, rules: [importing("*/*")] })[target]).toContain("books");
    expect(hostsFor({ services, rules: [importing("prod/*")] })[target]).not.toContain("books");
    expect(hostsFor({ services, rules: [importing("shop/*")] })[target]).toBeUndefined();
  });

  test("a ServiceEntry of its own namespace that has the name keeps it", () => {
    const entry = rule(
      "ServiceEntry",
      "books",
      {
        ...{ hosts: [books.service.hostname], addresses: [], location: "MESH_INTERNAL", resolution: "STATIC" },
        ports: [{ name: "http", number: 9080, protocol: "http" }],
        endpoints: [],
      },
      { namespace: "mall" },
    );
    const mall = redirect({ namespace: "mall", dnsDomain: "mall.svc.cluster.local" });
    const hosts = hostsFor({ services: [reviews, books], rules: [entry] }, mall);
    expect(hosts["books.shop.svc.cluster.local:9080"]).toContain("books.shop.svc.cluster.local");
    expect(hosts["reviews.prod.svc.cluster.local:9080"]).toEqual([...own, "10.96.0.1"]);
  });
});

test("a route to an alias follows what becomes of its service, also where that is not imported", () => {
  const rules = [
    rule("Sidecar", "narrow", { ingress: [], egress: [{ captureMode: "DEFAULT", hosts: ["shop/*"] }] }),
    rule("VirtualService", "shelf", {
      hosts: ["shelf"],
      gateways: ["mesh"],
      http: [{ match: [], route: [{ host: "books", weight: 1 }] }],
    }),
  ];
  const shelf = service("shelf");
  const worldOf = (port: number) => {
    const target = service("reviews", [instance("1")], { namespace: "prod", port });
    return world({ services: [shelf, books, target], rules });
  };
  const compiler = createCompiler();
  const [before, after] = [worldOf(9080), worldOf(9090)];
  const profile = profileOf(before, redirect());
  const clusters = (one: World) =>
    [...compiler.compile(one, profile).resources.CDS.keys()].filter((name) => name.includes("reviews"));
  expect(clusters(before)).toEqual(["outbound|9080||reviews.prod.svc.cluster.local"]);
  expect(clusters({ ...after, rules: before.rules, holds: before.holds })).toEqual([
    "outbound|9090||reviews.prod.svc.cluster.local",
  ]);
});
