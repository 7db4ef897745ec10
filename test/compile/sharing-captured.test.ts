import { describe, expect, test } from "vitest";
import { createCompiler } from "../../src/compile/compile.ts";
import { profileKey, profileOf } from "../../src/compile/profile.ts";
import { createWorld } from "../../src/compile/world.ts";
import type { TypeName } from "../../src/envoy/resource-types.ts";
import { type CatalogEntry, createCatalog } from "../../src/model/catalog.ts";
import type { Protocol } from "../../src/model/port.ts";
import type { ProxyNode } from "../../src/model/proxy.ts";
import type { Service } from "../../src/model/service.ts";
import { shareCatalog } from "../../src/registry/share-catalog.ts";
import { instance, service, sidecar, world } from "../support/mesh.ts";

test("a workload of its own keeps the very maps of types of which nothing changed", () => {
  const compiler = createCompiler();
  const node = sidecar("web-1", { interceptionMode: "redirect", addresses: ["10.0.0.9"] });
  const mesh = (address: string) =>
    createCatalog([
      service("web", [instance("w", { address: "10.0.0.9" })]),
      service("reviews", [instance("a", { address })]),
    ]);
  const first = world({ catalog: mesh("10.0.0.1") });
  const second = createWorld(shareCatalog(first.catalog, mesh("10.0.0.2")), first, [], first.mesh);
  const profile = profileOf(first, node);
  const before = compiler.compile(first, profile).resources;
  const after = compiler.compile(second, profile).resources;
  expect(after.EDS).not.toBe(before.EDS);
  for (const short of ["CDS", "LDS", "RDS"] as const) expect(after[short], short).toBe(before[short]);
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
