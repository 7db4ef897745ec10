import fc from "fast-check";
import { expect, test } from "vitest";
import { createCompiler } from "../../src/compile/compile.ts";
import { profileKey, profileOf } from "../../src/compile/profile.ts";
import { createWorld } from "../../src/compile/world.ts";
import type { ResourceSet } from "../../src/envoy/resource-set.ts";
import { resourceTypes } from "../../src/envoy/resource-types.ts";
import { type CatalogEntry, createCatalog } from "../../src/model/catalog.ts";
import { shareCatalog } from "../../src/registry/share-catalog.ts";
import { canary, egressEverywhere, gateway, instance, rule, service, sidecar, world } from "../support/mesh.ts";

const versions = (set: ResourceSet): readonly string[] =>
  resourceTypes.flatMap(({ short }) =>
    [...set.resources[short].values()].map(({ name, version }) => `${short} ${name} ${version}`),
  );

const resources = (set: ResourceSet) => resourceTypes.flatMap(({ short }) => [...set.resources[short].values()]);

const reviews = (last = "10.0.0.3"): CatalogEntry =>
  service("reviews", [
    instance("v1", { labels: { version: "v1" }, address: "10.0.0.2" }),
    instance("v2", { labels: { version: "v2" }, address: last }),
  ]);
const ratings = service("ratings", [instance("r1", { address: "10.0.1.1" })]);
const rules = [...canary("reviews", 90, 10), egressEverywhere()];

test("a thousand pods of one workload in one zone are one profile", () => {
  const here = world({ services: [reviews(), ratings], rules });
  const keys = new Set(
    Array.from({ length: 1000 }, (_, i) =>
      profileKey(profileOf(here, sidecar(`web-${i}`, { addresses: [`10.1.${i >> 8}.${i & 255}`] }))),
    ),
  );
  expect(keys.size).toBe(1);
});

test("two worlds that differ in one endpoint share every other byte array", () => {
  const compiler = createCompiler();
  const before = world({ services: [reviews(), ratings], rules });
  const catalog = shareCatalog(before.catalog, createCatalog([reviews("10.0.0.4"), ratings]));
  const after = createWorld(catalog, { rules: before.rules, revision: 1 }, before.holds, before.mesh);
  const [a, b] = [compiler.compileFor(before, sidecar()), compiler.compileFor(after, sidecar())];

  const old = new Map(resources(a).map((resource) => [`${resource.type} ${resource.name}`, resource]));
  const changed = resources(b).filter(
    (resource) => resource.bytes !== old.get(`${resource.type} ${resource.name}`)?.bytes,
  );
  expect(changed.map(({ type, name }) => `${type} ${name}`)).toEqual([
    "EDS outbound|9080|v2|reviews.shop.svc.cluster.local",
    "EDS outbound|9080||reviews.shop.svc.cluster.local",
  ]);
  expect(resources(b)).toHaveLength(resources(a).length);
});

test("profiles that see the same things share the same resources", () => {
  const compiler = createCompiler();
  const here = world({ services: [reviews(), ratings], rules });
  const [a, b] = [compiler.compileFor(here, sidecar()), compiler.compileFor(here, gateway())];
  for (const [name, cluster] of b.resources.CDS) expect(a.resources.CDS.get(name)).toBe(cluster);
});

test("a cluster change changes the version of its endpoints and not their bytes", () => {
  const compiler = createCompiler();
  const [plain] = [compiler.compileFor(world({ services: [ratings] }), sidecar())];
  const random = rule("DestinationRule", "ratings", {
    host: "ratings",
    subsets: [],
    trafficPolicy: { loadBalancer: { simple: "RANDOM" } },
  });
  const changed = compiler.compileFor(world({ services: [ratings], rules: [random] }), sidecar());
  const name = "outbound|9080||ratings.shop.svc.cluster.local";
  const [before, after] = [plain?.resources.EDS.get(name), changed.resources.EDS.get(name)];
  expect(Buffer.compare(before?.bytes ?? Buffer.of(), after?.bytes ?? Buffer.of())).toBe(0);
  expect(after?.version).not.toBe(before?.version);
});

test("an edit that changes nothing for a proxy gives it equal versions", () => {
  const compiler = createCompiler();
  const labelled = rules.map((one) => ({ ...one, labels: { team: "a" } }));
  const [a, b] = [rules, labelled].map((set) =>
    compiler.compileFor(world({ services: [reviews()], rules: set }), sidecar()),
  );
  expect(a && versions(a)).toEqual(b && versions(b));
});

/* Random meshes: names from a small alphabet, so that rules meet services and each other. */

const names = fc.constantFrom("reviews", "ratings", "web", "nobody");
const anInstance = fc
  .record({
    id: fc.nat(40),
    version: fc.constantFrom("v1", "v2"),
    zone: fc.constantFrom("z1", "z2"),
    weight: fc.nat(3),
  })
  .map(({ id, version, zone, weight }) =>
    instance(`i${id}`, { address: `10.0.0.${id}`, labels: { version }, locality: `r1/${zone}`, weight }),
  );
const aService = fc
  .tuple(names, fc.uniqueArray(anInstance, { selector: ({ id }) => id, maxLength: 6 }))
  .map(([name, instances]) => service(name, instances));
const aDestination = fc.record({
  host: names,
  subset: fc.constantFrom("v1", "v2", "v9"),
  weight: fc.integer({ min: 1, max: 9 }),
});
const aVirtualService = fc
  .tuple(
    fc.nat(9),
    names,
    fc.array(aDestination, { minLength: 1, maxLength: 3 }),
    fc.nat(3),
    fc.constantFrom("mesh", "edge"),
  )
  .map(([id, name, route, createdAt, gatewayName]) =>
    rule(
      "VirtualService",
      `vs${id}`,
      { hosts: [name], gateways: [gatewayName], http: [{ match: [], route }] },
      { createdAt },
    ),
  );
const edge = rule("Gateway", "edge", {
  selector: { app: "gw" },
  servers: [{ port: { number: 80, protocol: "http", name: "http" }, hosts: ["*"] }],
});
const aMesh = fc.record({
  services: fc.uniqueArray(aService, { selector: ({ service: { key } }) => key, maxLength: 4 }),
  rules: fc
    .uniqueArray(aVirtualService, { selector: ({ key }) => key, maxLength: 5 })
    .map((some) => [...some, ...canary("reviews", 1, 2).slice(1), egressEverywhere(), edge]),
});

test("random orders of registration, and another replica, give equal versions", () => {
  fc.assert(
    fc.property(aMesh, fc.infiniteStream(fc.nat()), (mesh, random) => {
      const shuffle = <T>(items: readonly T[]): readonly T[] =>
        items
          .map((item) => [random.next().value ?? 0, item] as const)
          .sort(([a], [b]) => a - b)
          .map(([, item]) => item);
      const other = {
        services: shuffle(mesh.services).map((entry) => ({ ...entry, instances: shuffle(entry.instances) })),
        rules: shuffle(mesh.rules),
      };
      for (const node of [sidecar(), gateway()]) {
        const here = createCompiler().compileFor(world(mesh), node);
        const there = createCompiler().compileFor(world(other), node);
        expect(versions(there)).toEqual(versions(here));
      }
    }),
  );
});

test("no reference dangles and no domain appears twice, whatever the rules say", () => {
  const compiler = createCompiler();
  fc.assert(
    fc.property(aMesh, (mesh) => {
      for (const node of [sidecar(), gateway()]) {
        const { resources: tables } = compiler.compileFor(world(mesh), node);
        for (const resource of [...tables.LDS.values(), ...tables.RDS.values(), ...tables.CDS.values()]) {
          const { references } = resource as typeof resource & { references: readonly { type: "CDS"; name: string }[] };
          for (const { type, name } of references) expect(tables[type].has(name), `${type} ${name}`).toBe(true);
        }
      }
    }),
  );
});

test("equal profiles get byte-equal sets", () => {
  fc.assert(
    fc.property(aMesh, fc.string(), fc.ipV4(), (mesh, name, address) => {
      const here = world(mesh);
      const [a, b] = [sidecar(), sidecar(`x${name}`, { addresses: [address], labels: { app: "web", note: name } })];
      expect(profileKey(profileOf(here, a))).toBe(profileKey(profileOf(here, b)));
      expect(versions(createCompiler().compileFor(here, a))).toEqual(versions(createCompiler().compileFor(here, b)));
    }),
  );
});
