import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createCompiler } from "../../src/compile/compile.ts";
import { profileKey, profileOf } from "../../src/compile/profile.ts";
import { createWorld } from "../../src/compile/world.ts";
import type { ResourceSet } from "../../src/envoy/resource-set.ts";
import { resourceTypes, type TypeName } from "../../src/envoy/resource-types.ts";
import { type CatalogEntry, createCatalog } from "../../src/model/catalog.ts";
import type { Protocol } from "../../src/model/port.ts";
import type { ProxyNode } from "../../src/model/proxy.ts";
import type { Service } from "../../src/model/service.ts";
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

describe("captured sidecars of many namespaces", () => {
  const captured = (namespace: string, address: string): ProxyNode =>
    sidecar("web-1", {
      ...{ namespace, dnsDomain: `${namespace}.svc.cluster.local` },
      ...{ interceptionMode: "redirect", addresses: [address] },
    });
  const shaped = (name: string, protocol: Protocol, number: number, more: Partial<Service> = {}): CatalogEntry => {
    const { service: made, instances } = service(name, [instance("a", { address: "10.7.0.1" })]);
    return { service: { ...made, ports: [{ name: "p", number, protocol }], ...more }, instances };
  };
  const shop = [
    ...[shaped("reviews", "http", 80), shaped("sql", "tcp", 5432, { addresses: ["10.96.0.1"] })],
    ...[shaped("any", "auto", 7000, { addresses: ["10.96.0.2"] }), shaped("secure", "tls", 443)],
    shaped("peers", "tcp", 6000, { resolution: "original-destination" }),
  ];

  test("fifty that see a port alike share its listener and its table", () => {
    const compiler = createCompiler();
    const own = Array.from({ length: 50 }, (_, index) =>
      service("own", [], { namespace: `team-${index}`, port: 9080 }),
    );
    const here = world({ services: [...shop, ...own] });
    const [first, ...others] = Array.from({ length: 50 }, (_, index) =>
      compiler.compileFor(here, captured(`team-${index}`, `10.1.0.${index}`)),
    );
    expect([...(first?.resources.LDS.keys() ?? [])]).toEqual([
      ...["0.0.0.0_443", "0.0.0.0_80", "0.0.0.0_9080", "10.7.0.1_6000", "10.96.0.1_5432", "10.96.0.2_7000"],
      ...["virtualInbound", "virtualOutbound"],
    ]);
    const shared = (short: TypeName) =>
      [...(first?.resources[short].values() ?? [])].filter(({ name }) => name !== "9080");
    for (const { resources: set } of others) {
      for (const short of ["CDS", "EDS", "LDS", "RDS"] as const) {
        for (const resource of shared(short)) expect(set[short].get(resource.name), resource.name).toBe(resource);
      }
    }
    // Each has a service there that only it calls by a short name.
    expect(new Set(others.map(({ resources: { RDS } }) => RDS.get("9080"))).size).toBe(others.length);
  });

  const namespaces = 20;
  const workloads = 5;
  const owned = Array.from({ length: namespaces * workloads }, (_, index) =>
    service(`own-${index % workloads}`, [instance("a", { address: `10.1.0.${index}` })], {
      namespace: `team-${Math.floor(index / workloads)}`,
    }),
  );
  const nodes = owned.flatMap(({ service: { namespace }, instances }) =>
    instances.map(({ address }) => captured(namespace, address)),
  );
  const outbound = (name: string, port: number) => `outbound|${port}||${name}.shop.svc.cluster.local`;

  test.each<[string, CatalogEntry, readonly string[]]>([
    [
      "TCP with an address: one listener",
      shaped("new", "tcp", 5432, { addresses: ["10.96.0.9"] }),
      [`CDS ${outbound("new", 5432)}`, `EDS ${outbound("new", 5432)}`, "LDS 10.96.0.9_5432"],
    ],
    [
      "TCP without an address, where HTTP is: the one listener",
      shaped("new", "tcp", 80),
      [`CDS ${outbound("new", 80)}`, `EDS ${outbound("new", 80)}`, "LDS 0.0.0.0_80"],
    ],
    [
      "a headless one: a listener for its instance, and its cluster",
      shaped("new", "tcp", 5432, { resolution: "original-destination" }),
      [`CDS ${outbound("new", 5432)}`, "LDS 10.7.0.1_5432"],
    ],
    [
      "not declared, with an address: one listener and one table",
      shaped("new", "auto", 7000, { addresses: ["10.96.0.9"] }),
      [
        ...[`CDS ${outbound("new", 7000)}`, `EDS ${outbound("new", 7000)}`, "LDS 10.96.0.9_7000"],
        "RDS new.shop.svc.cluster.local:7000",
      ],
    ],
    [
      "HTTP, on a port that all see alike: one table",
      shaped("new", "http", 80),
      [`CDS ${outbound("new", 80)}`, `EDS ${outbound("new", 80)}`, "RDS 80"],
    ],
    [
      "HTTP, where each namespace sees its own services in its own way: a table for each",
      shaped("new", "http", 9080),
      [`CDS ${outbound("new", 9080)}`, `EDS ${outbound("new", 9080)}`, ...Array<string>(namespaces).fill("RDS 9080")],
    ],
  ])(`one service more for ${namespaces * workloads} workloads of ${namespaces}: %s`, (_, added, expected) => {
    const made: string[] = [];
    const compiler = createCompiler({ onResource: ({ type, name }) => made.push(`${type} ${name}`) });
    const before = world({ services: [...shop, ...owned] });
    const profiles = nodes.map((node) => profileOf(before, node));
    expect(new Set(profiles.map(profileKey)).size).toBe(nodes.length);
    for (const profile of profiles) compiler.compile(before, profile);
    made.length = 0;
    const catalog = shareCatalog(before.catalog, createCatalog([...shop, ...owned, added]));
    const after = createWorld(catalog, { rules: before.rules, revision: 1 }, before.holds, before.mesh);
    const sets = profiles.map((profile) => compiler.compile(after, profile));
    expect(made.sort()).toEqual(expected);
    const kept = made.map((one) => one.split(" ")) as [TypeName, string][];
    for (const { resources: set } of sets) for (const [type, name] of kept) expect(set[type].has(name)).toBe(true);
  });
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
