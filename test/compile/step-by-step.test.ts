import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Compiled } from "../../src/compile/assembly.ts";
import { createCompiler } from "../../src/compile/compile.ts";
import type { Profile } from "../../src/compile/profile.ts";
import { profileOf } from "../../src/compile/profile.ts";
import { createWorld, type World } from "../../src/compile/world.ts";
import type { AnyRule, Rule } from "../../src/config/rule.ts";
import { resourceTypes } from "../../src/envoy/resource-types.ts";
import { type CatalogEntry, createCatalog } from "../../src/model/catalog.ts";
import type { ProxyNode } from "../../src/model/proxy.ts";
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

const step = fc.record({
  entries: fc.tuple(...names.map(entryOf)).map((lists) => lists.flat()),
  rules: seldom(fc.subarray([...allRules])),
  slow: seldom(fc.boolean()),
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
    let [made, frames] = [0, 0];
    fc.assert(
      fc.property(fc.array(step, { minLength: 2, maxLength: 8 }), (steps) => {
        const compiler = createCompiler({
          onFrame: () => {
            frames++;
          },
        });
        const profiles = new Map<string, Profile>();
        let now = world({});
        for (const { entries, rules, slow } of steps) {
          made++;
          now = next(now, entries, rules, slow);
          const fresh = profileOf(now, node);
          const key = JSON.stringify(fresh);
          const profile = profiles.get(key) ?? fresh;
          profiles.set(key, profile);
          expect(told(compiler.compile(now, profile))).toEqual(told(createCompiler().compile(now, fresh)));
        }
      }),
      { numRuns: 150 },
    );
    // Or nothing was seen of the way that is for instances alone.
    expect(frames).toBeLessThan(0.8 * made);
  });
});

function next(
  before: World,
  entries: readonly CatalogEntry[],
  rules: readonly Rule[] | undefined,
  slow: boolean | undefined,
): World {
  const catalog = shareCatalog(before.catalog, createCatalog(entries));
  const ruleSet =
    rules === undefined
      ? before
      : { rules: world({ rules: rules as readonly AnyRule[] }).rules, revision: before.revision + 1 };
  const mesh = slow === undefined ? before.mesh : { ...before.mesh, connectTimeoutMs: slow ? 20_000 : 10_000 };
  return createWorld(catalog, { rules: ruleSet.rules, revision: ruleSet.revision }, before.holds, mesh);
}
