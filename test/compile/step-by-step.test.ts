import type { JsonObject } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Compiled } from "../../src/compile/assembly.ts";
import { createCompiler } from "../../src/compile/compile.ts";
import { type Profile, profileKey, profileOf } from "../../src/compile/profile.ts";
import { createWorld, type World } from "../../src/compile/world.ts";
import type { AnyRule, Rule } from "../../src/config/rule.ts";
import { bytesJson } from "../../src/envoy/pack.ts";
import { resourceType, resourceTypes } from "../../src/envoy/resource-types.ts";
import { type CatalogEntry, createCatalog } from "../../src/model/catalog.ts";
import type { MeshSettings } from "../../src/model/mesh-settings.ts";
import type { ServicePort } from "../../src/model/port.ts";
import type { ProxyNode } from "../../src/model/proxy.ts";
import type { Service } from "../../src/model/service.ts";
import { shareCatalog } from "../../src/registry/share-catalog.ts";
import { canary, egressEverywhere, gateway, instance, rule, service, sidecar, world } from "../support/mesh.ts";

/* From world to world a compiler goes on from what it made before; whoever starts with the last world makes the very same. */

const names = ["cart", "items", "users"] as const;
const copies = fc.oneof(
  { arbitrary: fc.subarray(["v1", "v2", "v3", ""]), weight: 20 },
  fc.subarray(["v1", "v2", "name"]),
);

/** Some copies of a service; a copy with a host name for an address makes it one that is resolved. Mostly only copies come and go. */
const entryOf = (name: (typeof names)[number]) =>
  fc
    .option(
      fc.record({ ids: copies, port: fc.oneof({ arbitrary: fc.constant(9080), weight: 20 }, fc.constant(9090)) }),
      { nil: undefined, freq: 20 },
    )
    .map((one): readonly CatalogEntry[] => {
      if (one === undefined) return [];
      const list = one.ids.map((id, index) =>
        instance(id || "none", {
          labels: id === "" ? {} : { version: id },
          address: id === "name" ? "db.example.com" : `10.0.${names.indexOf(name)}.${index + 1}`,
          weight: index + 1,
        }),
      );
      const { service: made, ...rest } = service(name, list, { port: one.port });
      return [{ ...rest, service: { ...made, resolution: one.ids.includes("name") ? "dns" : "instances" } }];
    });

const edge = rule("Gateway", "edge", {
  selector: { app: "gw" },
  servers: [{ port: { number: 8080, protocol: "http", name: "http" }, hosts: ["*"] }],
});
const allRules: readonly Rule[] = [
  ...canary("cart", 90, 10),
  ...canary("items", 50, 50),
  egressEverywhere(),
  edge,
  rule("VirtualService", "door", {
    hosts: ["shop.example.com"],
    gateways: ["edge"],
    http: [{ match: [], route: [{ host: "cart", weight: 1 }] }],
  }),
  rule("DestinationRule", "all", {
    host: "*.local",
    subsets: [],
    trafficPolicy: { loadBalancer: { simple: "RANDOM" } },
  }),
  // A namespace that sees one service of another, and is led by a rule to a second one that it does not see.
  rule(
    "Sidecar",
    "narrow",
    {
      ingress: [],
      egress: [
        {
          port: { number: 9080, protocol: "http", name: "http" },
          captureMode: "NONE",
          hosts: ["./*", "shop/cart.shop.svc.cluster.local"],
        },
      ],
    },
    { namespace: "far" },
  ),
  rule(
    "VirtualService",
    "detour",
    {
      hosts: ["cart.shop.svc.cluster.local"],
      gateways: ["mesh"],
      http: [{ match: [], route: [{ host: "items.shop.svc.cluster.local", weight: 1 }] }],
    },
    { namespace: "far" },
  ),
  // Gives way to the registry's service of that name, while there is one.
  rule("ServiceEntry", "users", {
    hosts: ["users.shop.svc.cluster.local"],
    ports: [{ number: 9080, protocol: "http", name: "http" }],
    location: "MESH_INTERNAL",
    addresses: [],
    resolution: "STATIC",
    endpoints: [{ address: "10.9.9.9", labels: { version: "v1" }, ports: {}, locality: "", weight: 1 }],
  }),
];

const seldom = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ arbitrary: fc.constant(undefined), weight: 4 }, arbitrary);

interface Step {
  readonly entries: readonly CatalogEntry[];
  /** Absent: as before. */
  readonly rules: readonly Rule[] | undefined;
  readonly mesh: Partial<MeshSettings> | undefined;
}

const connecting = fc.constantFrom({ connectTimeoutMs: 20_000 }, { connectTimeoutMs: 10_000 });
const step: fc.Arbitrary<Step> = fc.record({
  entries: fc.tuple(...names.map(entryOf)).map((lists) => lists.flat()),
  rules: seldom(fc.subarray([...allRules])),
  mesh: seldom(connecting),
});

/** What a set says, to compare it with another compiler's. */
const told = ({ resources, repairs, broken }: Compiled) => ({
  resources: resourceTypes.flatMap(({ short }) =>
    [...resources[short].values()].map(({ name, version, bytes, references }) => ({
      ...{ short, name, version, references },
      bytes: Buffer.from(bytes).toString("base64"),
    })),
  ),
  repairs,
  broken: broken.map(({ type, name }) => `${type} ${name}`),
});

const kinds: Readonly<Record<string, ProxyNode>> = {
  sidecar: sidecar(),
  "sidecar of a namespace that sees little": sidecar("far", { namespace: "far" }),
  gateway: gateway(),
  proxyless: { ...sidecar("client"), kind: "proxyless", id: "proxyless~10.0.0.7~client.shop~shop.svc.cluster.local" },
};

describe.each(Object.entries(kinds))("%s", (_, node) => {
  test("step by step is the same as at once", () => {
    // Or nothing was seen of the way that is for instances alone.
    expect(framesOfSteps(node, step, 150)).toBeLessThan(0.8);
  });
});

/* The same where all is captured: what there is to listen at follows from the services, and from some instances. */

const own = "10.0.0.9";
type Shape = Pick<Service, "addresses" | "ports" | "resolution" | "createdAt">;

const aPort = fc
  .record({
    number: fc.constantFrom(80, 9080, 3306),
    protocol: fc.constantFrom("http", "tcp", "tls", "auto", "udp"),
  })
  .map(({ number, protocol }): ServicePort => ({ name: `p${number}`, number, protocol }));
const reach = fc.constantFrom<Pick<Shape, "addresses" | "resolution">>(
  ...[[], ["10.96.0.1"], ["10.96.0.1", "fd00::1"], ["fd00:0::2", "10.96.0.2"], ["10.8.0.0/16"], ["0.0.0.0/0"]].map(
    (addresses) => ({ addresses, resolution: "instances" as const }),
  ),
  { addresses: [], resolution: "original-destination" },
);
const aShape: fc.Arbitrary<Shape> = fc
  .record({
    reach,
    ports: fc.uniqueArray(aPort, { selector: ({ number }) => number, minLength: 1, maxLength: 2 }),
    createdAt: fc.nat(1),
  })
  .map(({ reach: how, ...rest }) => ({ ...rest, ...how }));

const plain = { addresses: [], resolution: "instances", createdAt: 0 } as const;
/** What they mostly are: one by host name, one by its address, one by the addresses of its instances. */
const usual: Readonly<Record<(typeof names)[number], Shape>> = {
  cart: { ...plain, ports: [{ name: "http", number: 9080, protocol: "http" }] },
  items: { ...plain, addresses: ["10.96.0.1"], ports: [{ name: "any", number: 9080, protocol: "auto" }] },
  users: { ...plain, resolution: "original-destination", ports: [{ name: "tcp", number: 80, protocol: "tcp" }] },
};

const shapedEntryOf = (name: (typeof names)[number]) =>
  fc
    .option(
      fc.record({
        shape: fc.oneof({ arbitrary: fc.constant(usual[name]), weight: 8 }, aShape),
        addresses: fc.oneof(
          { arbitrary: fc.subarray([1, 2, 3].map((last) => `10.0.${names.indexOf(name)}.${last}`)), weight: 8 },
          fc.subarray(["10.0.7.7", "fd00:7::7", own]),
        ),
      }),
      { nil: undefined, freq: 20 },
    )
    .map((one): readonly CatalogEntry[] => {
      if (one === undefined) return [];
      const instances = one.addresses.map((address, index) =>
        instance(address, { address, labels: { version: `v${index + 1}` } }),
      );
      const { service: made, ...rest } = service(name, instances);
      return [{ ...rest, service: { ...made, ...one.shape } }];
    });

const http = { number: 9080, protocol: "http", name: "http" } as const;
const capturedRules: readonly Rule[] = [
  ...allRules,
  rule("Sidecar", "captured", {
    ingress: [],
    egress: [
      { port: http, captureMode: "DEFAULT", hosts: ["./cart.shop.svc.cluster.local"] },
      { captureMode: "DEFAULT", hosts: ["./*"] },
    ],
    outboundTrafficPolicy: "REGISTRY_ONLY",
  }),
  rule("Sidecar", "ruled", {
    workloadSelector: { app: "web" },
    ingress: [{ port: http, captureMode: "DEFAULT", defaultEndpoint: { address: "0.0.0.0", port: 8080 } }],
    egress: [
      { port: { ...http, number: 80 }, captureMode: "NONE", hosts: ["shop/*"] },
      { captureMode: "DEFAULT", hosts: ["shop/*", "far/*"] },
    ],
  }),
  rule("ServiceEntry", "outside", {
    hosts: ["outside.example.com", "users.shop.svc.cluster.local"],
    ports: [{ number: 9080, protocol: "tcp", name: "tcp" }],
    location: "MESH_EXTERNAL",
    addresses: ["10.8.0.0/16", "10.96.0.1"],
    resolution: "NONE",
    endpoints: [],
  }),
  rule("ServiceEntry", "by-hand", {
    hosts: ["by-hand.shop.svc.cluster.local"],
    ports: [{ number: 80, protocol: "http", name: "http" }],
    location: "MESH_INTERNAL",
    addresses: [],
    resolution: "STATIC",
    endpoints: [{ address: own, labels: {}, ports: { http: 8080 }, locality: "", weight: 1 }],
  }),
];

const capturedStep: fc.Arbitrary<Step> = fc.record({
  entries: fc.tuple(...names.map(shapedEntryOf)).map((lists) => lists.flat()),
  rules: seldom(fc.subarray([...capturedRules])),
  mesh: seldom(
    fc.oneof(
      connecting,
      fc.constantFrom<Partial<MeshSettings>>(
        { outboundTrafficPolicy: "REGISTRY_ONLY" },
        { outboundTrafficPolicy: "ALLOW_ANY", proxyHttpPort: 3128 },
        { proxyHttpPort: 0, proxyListenPort: 9080 },
        { proxyListenPort: 15001 },
      ),
    ),
  ),
});

const captured: Readonly<Record<string, ProxyNode>> = {
  redirect: sidecar("web-1", { interceptionMode: "redirect" }),
  tproxy: sidecar("web-1", { interceptionMode: "tproxy" }),
  "dual stack": sidecar("web-1", { interceptionMode: "redirect", addresses: [own, "fd00:7::7"] }),
  "IPv6 of a namespace that sees little": sidecar("far", {
    ...{ namespace: "far", interceptionMode: "redirect", addresses: ["fd00:7::7"] },
  }),
  "dialled, of the same mesh": sidecar(),
};

describe.each(Object.entries(captured))("captured, %s", (_, node) => {
  test("step by step is the same as at once", () => {
    expect(framesOfSteps(node, capturedStep, 60)).toBeLessThan(0.9);
  });
});

test("a Sidecar rule that dials what was captured, and goes, leaves nothing in the clusters behind", () => {
  const node = sidecar("web-1", { interceptionMode: "redirect" });
  const outside = capturedRules.filter(({ name }) => name === "outside");
  const [captive, dialling] = [outside, [...outside, egressEverywhere()]].map((rules) => world({ rules }));
  const compiler = createCompiler();
  const typeOf = (now = captive): unknown => {
    const cluster = now && compiler.compileFor(now, node).resources.CDS.get("outbound|9080||outside.example.com");
    return cluster && (bytesJson(resourceType("CDS").url, cluster.bytes) as JsonObject)["type"];
  };
  expect([captive, dialling, captive].map(typeOf)).toEqual(["ORIGINAL_DST", "EDS", "ORIGINAL_DST"]);
});

/** Takes steps, and holds each result to that of another compiler. The part of the worlds for which all was gone through. */
function framesOfSteps(node: ProxyNode, aStep: fc.Arbitrary<Step>, numRuns: number): number {
  let [made, frames] = [0, 0];
  fc.assert(
    fc.property(fc.array(aStep, { minLength: 2, maxLength: 8 }), (steps) => {
      const compiler = createCompiler({
        onFrame: () => {
          frames++;
        },
      });
      const profiles = new Map<string, Profile>();
      let now = world({});
      for (const one of steps) {
        made++;
        now = next(now, one);
        const fresh = profileOf(now, node);
        const key = profileKey(fresh);
        const profile = profiles.get(key) ?? fresh;
        profiles.set(key, profile);
        expect(told(compiler.compile(now, profile))).toEqual(told(createCompiler().compile(now, fresh)));
      }
    }),
    { numRuns },
  );
  return frames / made;
}

function next(before: World, { entries, rules, mesh }: Step): World {
  const catalog = shareCatalog(before.catalog, createCatalog(entries));
  const ruleSet =
    rules === undefined
      ? before
      : { rules: world({ rules: rules as readonly AnyRule[] }).rules, revision: before.revision + 1 };
  const settings = mesh === undefined ? before.mesh : { ...before.mesh, ...mesh };
  return createWorld(catalog, { rules: ruleSet.rules, revision: ruleSet.revision }, before.holds, settings);
}
