import { describe, expect, test } from "vitest";
import { createCompiler } from "../../src/compile/compile.ts";
import { profileKey, profileOf } from "../../src/compile/profile.ts";
import { bytesJson } from "../../src/envoy/pack.ts";
import type { ResourceSet } from "../../src/envoy/resource-set.ts";
import { resourceType, resourceTypes } from "../../src/envoy/resource-types.ts";
import type { Hold } from "../../src/model/hold.ts";
import type { ProxyNode } from "../../src/model/proxy.ts";
import { canary, egressEverywhere, gateway, instance, rule, service, sidecar, world } from "../support/mesh.ts";

const ingress = (defaultAddress: string, bind?: string) =>
  rule("Sidecar", "in", {
    ingress: [
      {
        port: { number: 9080, protocol: "http", name: "http" },
        captureMode: "NONE",
        defaultEndpoint: { address: defaultAddress, port: 8080 },
        ...(bind === undefined ? {} : { bind }),
      },
    ],
    egress: [],
  });

describe("a profile holds what matters and no more", () => {
  test("labels only as selectors in force that match", () => {
    const selecting = rule("Sidecar", "web", { workloadSelector: { app: "web" }, ingress: [], egress: [] });
    const elsewhere = rule(
      "Sidecar",
      "web",
      { workloadSelector: { team: "a" }, ingress: [], egress: [] },
      { namespace: "other" },
    );
    const node = sidecar("web-1", { labels: { app: "web", team: "a", build: "77" } });
    expect(profileOf(world({ rules: [selecting, elsewhere] }), node).selectors).toEqual(["app=web"]);
    expect(profileOf(world({}), node).selectors).toEqual([]);
  });

  test("gateways are told apart by Gateway rules of any namespace, sidecars are not", () => {
    const edge = rule("Gateway", "edge", { selector: { app: "gw" }, servers: [] }, { namespace: "other" });
    expect(profileOf(world({ rules: [edge] }), gateway()).selectors).toEqual(["app=gw"]);
    expect(profileOf(world({ rules: [edge] }), sidecar("x", { labels: { app: "gw" } })).selectors).toEqual([]);
  });

  test.each([
    ["no Sidecar rule", [], undefined],
    ["a fixed address on both sides", [ingress("127.0.0.1", "127.0.0.9")], undefined],
    ["listens on its own address", [ingress("127.0.0.1")], "10.0.0.9"],
    ["the application listens on its own address", [ingress("0.0.0.0", "127.0.0.9")], "10.0.0.9"],
  ])("the address: %s", (_, rules, want) => {
    expect(profileOf(world({ rules }), sidecar()).address).toBe(want);
  });
});

describe("a captured sidecar's profile", () => {
  const redirect = (addresses: readonly string[], options: Partial<ProxyNode> = {}) =>
    sidecar("web-1", { interceptionMode: "redirect", addresses, ...options });
  const addressOf = (index: number) => `10.1.${index >> 8}.${index & 255}`;
  const pods = Array.from({ length: 1000 }, (_, index) => instance(`w${index}`, { address: addressOf(index) }));
  const web = service("web", pods, { port: 8080 });
  const api = service("api", [instance("a", { address: "10.2.0.1", ports: { http: 8081 } })]);
  const here = world({ services: [web, api] });
  const keyOf = (node: ProxyNode, at = here) => profileKey(profileOf(at, node));

  test("is one for a thousand pods of one Deployment", () => {
    expect(new Set(pods.map(({ address }) => keyOf(redirect([address])))).size).toBe(1);
  });

  test("holds what the workload implements, as ports and not as addresses", () => {
    expect(profileOf(here, redirect(["10.2.0.1"])).implemented).toEqual([
      { service: api.service.key, port: 9080, target: 8081 },
    ]);
    expect(JSON.stringify(profileOf(here, redirect(["10.2.0.1"])))).not.toContain("10.2.0.1");
  });

  test("of another service's workload is another one, and they share all but what leads to them", () => {
    const compiler = createCompiler();
    const [a, b] = [addressOf(0), "10.2.0.1"].map((address) => compiler.compileFor(here, redirect([address])));
    const unshared = (one: ResourceSet | undefined, other: ResourceSet | undefined) =>
      resourceTypes.flatMap(({ short }) =>
        [...(one?.resources[short].values() ?? [])].filter(
          (resource) => other?.resources[short].get(resource.name) !== resource,
        ),
      );
    const names = (list: readonly { readonly name: string }[]) => list.map(({ name }) => name);
    expect(names(unshared(a, b))).toEqual(["inbound|8080||", "virtualInbound"]);
    expect(names(unshared(b, a))).toEqual(["inbound|8081||", "virtualInbound"]);
  });

  test.each<[string, ProxyNode]>([
    ["the other way to capture", redirect([addressOf(0)], { interceptionMode: "tproxy" })],
    ["no capture", redirect([addressOf(0)], { interceptionMode: "none" })],
    ["an IPv6 address besides", redirect([addressOf(0), "fd00::1"])],
    ["another namespace", redirect([addressOf(0)], { namespace: "other" })],
  ])("is another one with %s", (_, node) => {
    expect(keyOf(node)).not.toBe(keyOf(redirect([addressOf(0)])));
  });

  test("is one for both orders of addresses, and whatever they are", () => {
    const dual = service("web", [
      instance("a", { address: "10.1.0.0" }),
      instance("b", { address: "fd00::1" }),
      instance("c", { address: "10.1.0.1" }),
    ]);
    const at = world({ services: [dual] });
    const keys = [
      ["10.1.0.0", "fd00::1"],
      ["fd00::1", "10.1.0.0"],
      ["10.1.0.1", "fd00::2"],
    ].map((addresses) => keyOf(redirect(addresses), at));
    expect(new Set(keys).size).toBe(1);
  });

  const taking = (defaultAddress?: string) =>
    rule("Sidecar", "in", {
      ingress: [
        {
          port: { number: 9080, protocol: "http", name: "http" },
          captureMode: "DEFAULT",
          ...(defaultAddress !== undefined && { defaultEndpoint: { address: defaultAddress, port: 8080 } }),
        },
      ],
      egress: [],
    });

  test("does not hold what is implemented where a rule says what becomes of it, nor an address that is dialled", () => {
    const ruled = world({ services: [web, api], rules: [taking("127.0.0.1")] });
    const nodes = [addressOf(0), "10.2.0.1", "10.9.9.9"].map((address) => redirect([address]));
    expect(new Set(nodes.map((node) => keyOf(node, ruled))).size).toBe(1);
    expect(profileOf(ruled, redirect([addressOf(0)]))).not.toHaveProperty("implemented");
    const itself = world({ services: [web], rules: [taking()] });
    expect(profileOf(itself, redirect([addressOf(0)]))).not.toHaveProperty("address");
  });

  test("holds the address where the application is called there", () => {
    const ruled = world({ services: [web], rules: [taking("0.0.0.0")] });
    expect(profileOf(ruled, redirect([addressOf(0)])).address).toBe(addressOf(0));
  });
});

describe("a hold keeps its cohort at the rule's held version", () => {
  const [before, subsets] = canary("reviews", 90, 10);
  const [after] = canary("reviews", 10, 90);
  const hold: Hold = {
    id: "h1",
    cohort: { client: { name: "envoy", version: "1.36." } },
    rule: before?.key ?? "",
    revision: 1,
  };
  const parts = {
    services: [service("reviews")],
    rules: [after, subsets, egressEverywhere()].filter((one) => one !== undefined),
  };
  const old = sidecar("old", { client: { name: "envoy", version: "1.36.4" } });

  const weights = (held: Parameters<typeof world>[0], node = sidecar()): unknown => {
    const table = createCompiler().compileFor(world(held), node).resources.RDS.get("9080");
    const json = JSON.stringify(table && bytesJson(resourceType("RDS").url, table.bytes));
    return [...json.matchAll(/"weight":(\d+)/g)].map((match) => Number(match[1]));
  };

  test("and only its cohort", () => {
    const held = { ...parts, holds: [{ hold, rule: before as never }] };
    expect(weights(held, old)).toEqual([90, 10]);
    expect(weights(held)).toEqual([10, 90]);
    expect(weights(parts, old)).toEqual([10, 90]);
  });

  test("a rule that did not exist then is not there for the cohort", () => {
    expect(weights({ ...parts, holds: [{ hold }] }, old)).toEqual([]);
  });
});

test("a Sidecar rule that wants one address twice gets its first listener, and all else is served", () => {
  const port = { number: 9080, protocol: "http", name: "http" } as const;
  const twice = rule("Sidecar", "twice", {
    ingress: [{ port, bind: "127.0.0.1", captureMode: "NONE", defaultEndpoint: { address: "127.0.0.1", port: 8080 } }],
    egress: [{ port, captureMode: "NONE", hosts: ["*/*"] }],
  });
  const { resources } = createCompiler().compileFor(
    world({ services: [service("reviews")], rules: [twice] }),
    sidecar(),
  );
  expect([...resources.LDS.values()].map(({ name, provenance }) => [name, provenance()[0]?.origins])).toEqual([
    ["127.0.0.1_9080", [{ kind: "rule", rule: "Sidecar/shop/twice", pointer: "/spec/ingress/0" }]],
  ]);
  expect(resources.CDS.has("outbound|9080||reviews.shop.svc.cluster.local")).toBe(true);
});
