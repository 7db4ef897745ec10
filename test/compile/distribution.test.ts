import { describe, expect, test } from "vitest";
import { type Compiler, createCompiler } from "../../src/compile/compile.ts";
import { asksAlike, byNearness } from "../../src/compile/distribution.ts";
import { type Profile, profileKey, profileOf } from "../../src/compile/profile.ts";
import type { World } from "../../src/compile/world.ts";
import type { ResourceSet } from "../../src/envoy/resource-set.ts";
import { resourceTypes } from "../../src/envoy/resource-types.ts";
import { type CatalogEntry, createCatalog } from "../../src/model/catalog.ts";
import type { Instance } from "../../src/model/instance.ts";
import { parseLocality } from "../../src/model/locality.ts";
import type { ProxyNode } from "../../src/model/proxy.ts";
import type { Distribution, Service } from "../../src/model/service.ts";
import { shareCatalog } from "../../src/registry/share-catalog.ts";
import { gateway, instance, service, sidecar, world } from "../support/mesh.ts";

/* Clients that use instances near to them. */

const copy = (id: string, locality: string, more: Partial<Omit<Instance, "locality">> = {}): Instance =>
  instance(id, { locality, ...more });

const withDistribution = (entry: CatalogEntry, distribution: Distribution, more: Partial<Service> = {}) => ({
  ...entry,
  service: { ...entry.service, distribution, ...more },
});

describe("how near an instance is", () => {
  const copies = [
    copy("same", "r/z/s", { node: "n" }),
    copy("beside", "r/z/s", { node: "m" }),
    copy("subzone", "r/z/t", { node: "n" }),
    copy("zone", "r/y", {}),
    copy("region", "q/z", {}),
    copy("away", "r/z/s", { network: "far", node: "n" }),
    copy("unknown", ""),
  ];
  test.each<{ to: Distribution; place: readonly string[]; want: string }>([
    { to: "prefer-same-zone", place: ["", "r", "z"], want: "same beside subzone | zone | region unknown | away" },
    { to: "prefer-same-zone", place: ["far", "r", "z"], want: "same beside subzone away | zone | region unknown" },
    { to: "prefer-same-zone", place: ["", "p", "z"], want: "same beside subzone zone region unknown | away" },
    { to: "prefer-same-zone", place: ["", "", ""], want: "same beside subzone zone region away unknown" },
    { to: "prefer-same-zone", place: ["", "r", ""], want: "same beside subzone zone | region unknown | away" },
    {
      to: "prefer-same-node",
      place: ["", "r", "z", "s", "n"],
      want: "same | beside | subzone | zone | region unknown | away",
    },
    {
      to: "prefer-same-node",
      place: ["", "r", "z", "", ""],
      want: "same beside subzone | zone | region unknown | away",
    },
    { to: "same-node", place: ["n"], want: "same subzone away" },
    { to: "same-node", place: ["o"], want: "" },
    { to: "same-node", place: [""], want: "" },
  ])("$to of $place", ({ to, place, want }) => {
    const groups = byNearness(to, copies, place);
    expect(groups.map((group) => group.map(({ id }) => id).join(" ")).join(" | ")).toBe(want);
  });

  test("a zone without a region counts, where the others have none either", () => {
    const groups = byNearness("prefer-same-zone", [copy("a", "/z1"), copy("b", "/z2")], ["", "", "z1"]);
    expect(groups.map((group) => group.map(({ id }) => id))).toEqual([["a"], ["b"]]);
  });
});

const at = (locality: string, nodeName: string, more: Partial<ProxyNode> = {}): ProxyNode =>
  sidecar("web", { locality: parseLocality(locality), nodeName, ...more });

describe("the place in a profile", () => {
  const placeIn = (services: readonly CatalogEntry[], node: ProxyNode) => profileOf(world({ services }), node).place;
  const zone = withDistribution(service("a"), "prefer-same-zone");
  const near = withDistribution(service("b"), "prefer-same-node");
  const bound = withDistribution(service("c"), "same-node");
  const node = at("r/z/s", "n", { network: "net" });

  test("is what the services ask for", () => {
    expect(placeIn([service("x")], node)).toBeUndefined();
    expect(placeIn([zone], node)).toEqual({ network: "net", region: "r", zone: "z" });
    expect(placeIn([bound], node)).toEqual({ node: "n" });
    expect(placeIn([zone, bound], node)).toEqual({ network: "net", region: "r", zone: "z", node: "n" });
    expect(placeIn([near], node)).toEqual({ network: "net", region: "r", zone: "z", subzone: "s", node: "n" });
    expect(placeIn([bound], gateway("gw", { nodeName: "n" }))).toEqual({ node: "n" });
    expect(placeIn([bound], { ...node, kind: "proxyless" })).toEqual({ node: "n" });
  });

  test("is of no interest to whom the services are not visible", () => {
    expect(placeIn([withDistribution(service("a"), "same-node", { visibleIn: ["mall"] })], node)).toBeUndefined();
  });

  test("is what the registries say of the workload where the proxy does not say it", () => {
    const web = service("web", [
      copy("w", "r/z", { address: "10.7.7.7", otherAddresses: ["10.0.0.9"], node: "n", network: "net" }),
    ]);
    const want = { network: "net", region: "r", zone: "z", node: "n" };
    expect(placeIn([zone, bound, web], at("", ""))).toEqual(want);
    expect(placeIn([zone, bound, web], at("q", "m"))).toEqual({ network: "net", region: "q", zone: "", node: "m" });
    expect(placeIn([zone, bound], at("", ""))).toEqual({ network: "", region: "", zone: "", node: "" });
  });

  test("is the same whichever service of the workload was known first", () => {
    const [a, b] = ["a", "b"].map((name) => service(name, [copy(name, "r/z", { address: "10.0.0.9", node: name })]));
    const known = [a, b].flatMap((one) => one ?? []);
    const before = world({ services: [bound, ...known.slice(1)] });
    const after = world({ catalog: shareCatalog(before.catalog, createCatalog([bound, ...known])) });
    expect(profileOf(before, at("", "")).place).toEqual({ node: "b" });
    expect(profileOf(after, at("", "")).place).toEqual({ node: "a" });
  });

  test("makes as many profiles as there are places, and no more", () => {
    const profiles = (services: readonly CatalogEntry[]) => {
      const here = world({ services });
      const pods = Array.from({ length: 300 }, (_, i) =>
        at(`r/z${i % 3}`, `n${i % 10}`, { addresses: [`10.9.0.${i}`] }),
      );
      return new Set(pods.map((pod) => profileKey(profileOf(here, pod)))).size;
    };
    expect(profiles([service("x")])).toBe(1);
    expect(profiles([zone])).toBe(3);
    expect(profiles([bound])).toBe(10);
  });

  test("moves with what is asked for alone", () => {
    const services = (...entries: readonly CatalogEntry[]) => createCatalog(entries).services;
    const more = withDistribution(service("more"), "same-node");
    expect(asksAlike(services(bound), services(bound, more, service("x")))).toBe(true);
    expect(asksAlike(services(bound), services(bound, zone))).toBe(false);
    expect(asksAlike(services(bound), services(service("c")))).toBe(false);
    const hidden = withDistribution(service("c"), "same-node", { visibleIn: [] });
    expect(asksAlike(services(bound), services(hidden))).toBe(false);
  });
});

describe("proxies of several places", () => {
  const reviews = (last = "10.0.0.3") =>
    withDistribution(
      service("reviews", [
        copy("1", "r/z1", { address: "10.0.0.1", node: "n1" }),
        copy("2", "r/z2", { address: "10.0.0.2", node: "n2" }),
        copy("3", "r/z2", { address: last, node: "n3" }),
      ]),
      "prefer-same-zone",
    );
  const plain = (last = "10.0.1.1") => service("plain", [copy("1", "r/z1", { address: last })], { port: 81 });
  const next = (before: World, ...entries: readonly CatalogEntry[]): World => ({
    ...before,
    catalog: shareCatalog(before.catalog, createCatalog(entries)),
  });
  const differing = (one: ResourceSet, other: ResourceSet) =>
    resourceTypes.flatMap(({ short }) =>
      [...one.resources[short].values()]
        .filter((resource) => other.resources[short].get(resource.name) !== resource)
        .map(({ name }) => `${short} ${name}`),
    );
  /** A server's way to go on: the same profile object from world to world. */
  const follow = (compiler: Compiler, profile: Profile) => (now: World) => compiler.compile(now, profile);

  test("share all but the endpoints of services that ask for them", () => {
    const here = world({ services: [reviews(), plain()] });
    const compiler = createCompiler();
    const [one, two, three] = [at("r/z1", ""), at("r/z2", ""), at("r/z2", "x")].map((node) =>
      compiler.compileFor(here, node),
    ) as [ResourceSet, ResourceSet, ResourceSet];
    expect(differing(one, two)).toEqual(["EDS outbound|9080||reviews.shop.svc.cluster.local"]);
    expect(differing(two, three)).toEqual([]);
  });

  test("are given what changed for them, and nothing is made for what did not", () => {
    const made: string[] = [];
    const compiler = createCompiler({ onResource: ({ type, name }) => void made.push(`${type} ${name}`) });
    const before = world({ services: [reviews(), plain()] });
    const [one, two] = [
      follow(compiler, profileOf(before, at("r/z1", ""))),
      follow(compiler, profileOf(before, at("r/z2", ""))),
    ];
    const [was] = [one(before), two(before)];
    made.length = 0;
    const moved = next(before, reviews(), plain("10.0.1.2"));
    const is = one(moved);
    two(moved);
    expect(made).toEqual(["EDS outbound|81||plain.shop.svc.cluster.local"]);
    expect(differing(is, was)).toEqual(["EDS outbound|81||plain.shop.svc.cluster.local"]);
    made.length = 0;
    const again = next(moved, reviews("10.0.0.4"), plain("10.0.1.2"));
    one(again);
    two(again);
    // For all, and for each of the two places.
    expect(made).toEqual(Array.from({ length: 3 }, () => "EDS outbound|9080||reviews.shop.svc.cluster.local"));
  });
});
