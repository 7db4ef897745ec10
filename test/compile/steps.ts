import fc from "fast-check";
import { expect } from "vitest";
import type { Compiled } from "../../src/compile/assembly.ts";
import { createCompiler } from "../../src/compile/compile.ts";
import { type Profile, profileKey, profileOf } from "../../src/compile/profile.ts";
import { createWorld, type World } from "../../src/compile/world.ts";
import type { AnyRule, Rule } from "../../src/config/rule.ts";
import { resourceTypes } from "../../src/envoy/resource-types.ts";
import { type CatalogEntry, createCatalog } from "../../src/model/catalog.ts";
import type { MeshSettings } from "../../src/model/mesh-settings.ts";
import type { ProxyNode } from "../../src/model/proxy.ts";
import { shareCatalog } from "../../src/registry/share-catalog.ts";
import { canary, egressEverywhere, rule, world } from "../support/mesh.ts";

/* From world to world a compiler goes on from what it made before; whoever starts with the last world makes the very same. */

export const names = ["cart", "items", "users"] as const;
const edge = rule("Gateway", "edge", {
  selector: { app: "gw" },
  servers: [{ port: { number: 8080, protocol: "http", name: "http" }, hosts: ["*"] }],
});
/** Rules that meet these services and each other. */
export const meshRules: readonly Rule[] = [
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

export const seldom = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ arbitrary: fc.constant(undefined), weight: 4 }, arbitrary);

/** What the next world is, by the one before. */
export interface Step {
  readonly entries: readonly CatalogEntry[];
  /** Absent: as before. */
  readonly rules: readonly Rule[] | undefined;
  readonly mesh: Partial<MeshSettings> | undefined;
}

export const connecting = fc.constantFrom({ connectTimeoutMs: 20_000 }, { connectTimeoutMs: 10_000 });
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

/**
 * Takes steps with one compiler for these proxies, and holds each result to that of a compiler which knows nothing. The part of the results
 * for which all was gone through.
 */
export function framesOfSteps(nodes: readonly ProxyNode[], aStep: fc.Arbitrary<Step>, numRuns: number): number {
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
        now = next(now, one);
        for (const node of nodes) {
          made++;
          const fresh = profileOf(now, node);
          const key = profileKey(fresh);
          const profile = profiles.get(key) ?? fresh;
          profiles.set(key, profile);
          expect(told(compiler.compile(now, profile))).toEqual(told(createCompiler().compile(now, fresh)));
        }
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
