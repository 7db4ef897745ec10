import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { portOf } from "../../src/compile/endpoints.ts";
import {
  addressesTouched,
  findImplemented,
  type ImplementedPort,
  portsImplemented,
} from "../../src/compile/implemented.ts";
import type { World } from "../../src/compile/world.ts";
import type { ServiceEntrySpec } from "../../src/config/kinds/service-entry.ts";
import type { Rule } from "../../src/config/rule.ts";
import { type Catalog, type CatalogEntry, createCatalog, emptyCatalog } from "../../src/model/catalog.ts";
import type { Instance } from "../../src/model/instance.ts";
import type { ServicePort } from "../../src/model/port.ts";
import { type Service, type ServiceKey, serviceKey } from "../../src/model/service.ts";
import { host, instance, rule, service, world } from "../support/mesh.ts";

/* What a workload implements, by its addresses: an index that follows the catalog, and must say what looking at all of it would. */

const ports: readonly ServicePort[] = [
  { name: "http", number: 80, protocol: "http" },
  { name: "tcp", number: 9000, protocol: "tcp" },
];

function entryOf(name: string, of: readonly ServicePort[], instances: readonly Instance[]): CatalogEntry {
  const hostname = host(`${name}.example.com`);
  return { service: { ...service(name).service, hostname, key: serviceKey("shop", hostname), ports: of }, instances };
}

interface EntrySpec {
  readonly name?: string;
  readonly host: string;
  readonly ports?: ServiceEntrySpec["ports"];
  readonly addresses: readonly string[];
  readonly createdAt?: number;
}

const serviceEntry = ({ host: name, name: ruleName = name, addresses, createdAt = 0, ...rest }: EntrySpec): Rule =>
  rule(
    "ServiceEntry",
    ruleName,
    {
      ...{ hosts: [`${name}.example.com`], addresses: [], location: "MESH_INTERNAL", resolution: "STATIC" },
      ports: rest.ports ?? [{ name: "http", number: 80, protocol: "http", targetPort: 8080 }],
      endpoints: addresses.map((address) => ({ address, ports: {}, labels: {}, locality: "", weight: 1 })),
    },
    { createdAt },
  );

const texts = (all: readonly ImplementedPort[]): readonly string[] =>
  all.map(({ service: key, port, target }) => `${key} ${port}->${target}`);

const at = (one: World, ...addresses: readonly string[]) => texts(portsImplemented(one, addresses));

describe("what a workload implements", () => {
  const web = entryOf("web", ports, [
    instance("1", { address: "10.0.0.9", ports: { http: 8080 } }),
    instance("2", { address: "10.0.0.10", ports: { http: 8081 } }),
  ]);

  test("are the ports of the services that have an instance at one of its addresses, in order", () => {
    const bank = entryOf("bank", ports.slice(1), [instance("1", { address: "fd00::9" })]);
    const mesh = world({ services: [web, bank] });
    expect(at(mesh, "10.0.0.9")).toEqual(["shop/web.example.com 80->8080", "shop/web.example.com 9000->9000"]);
    expect(at(mesh, "10.0.0.9", "fd00::9")).toEqual([
      "shop/bank.example.com 9000->9000",
      "shop/web.example.com 80->8080",
      "shop/web.example.com 9000->9000",
    ]);
    expect(at(mesh, "10.0.0.11")).toEqual([]);
  });

  test("several instances at one address have each of their ports, each once", () => {
    const twice = entryOf("web", ports, [
      instance("1", { address: "10.0.0.9", ports: { http: 8080 } }),
      instance("2", { address: "10.0.0.9", ports: { http: 8081 } }),
    ]);
    expect(at(world({ services: [twice] }), "10.0.0.9")).toEqual([
      "shop/web.example.com 80->8080",
      "shop/web.example.com 80->8081",
      "shop/web.example.com 9000->9000",
    ]);
  });

  test("an instance of two addresses is one at either; the ports that it lacks are not implemented there", () => {
    const dual = instance("1", { address: "10.0.0.9", otherAddresses: ["fd00::9"], lacks: ["tcp"] });
    const mesh = world({ services: [entryOf("web", ports, [dual])] });
    expect(at(mesh, "fd00::9")).toEqual(["shop/web.example.com 80->80"]);
    expect(at(mesh, "10.0.0.9", "fd00::9")).toEqual(["shop/web.example.com 80->80"]);
  });

  test("UDP is of no interest, also where TCP has the same number", () => {
    const dns: readonly ServicePort[] = [
      { name: "dns", number: 53, protocol: "udp" },
      { name: "dns-tcp", number: 53, protocol: "tcp" },
    ];
    const mesh = world({
      services: [entryOf("dns", dns, [instance("1", { address: "10.0.0.9", ports: { dns: 5353, "dns-tcp": 5354 } })])],
    });
    expect(at(mesh, "10.0.0.9")).toEqual(["shop/dns.example.com 53->5354"]);
  });

  test("ServiceEntries count by their endpoints", () => {
    const mesh = world({ services: [web], rules: [serviceEntry({ host: "more", addresses: ["10.0.0.9"] })] });
    expect(at(mesh, "10.0.0.9")).toContain("shop/more.example.com 80->8080");
    expect(findImplemented(mesh, "shop/more.example.com" as ServiceKey)?.origin.kind).toBe("rule");
  });

  test("a registry's service stands before a ServiceEntry of its name", () => {
    const mesh = world({ services: [web], rules: [serviceEntry({ host: "web", addresses: ["10.0.0.7"] })] });
    expect(at(mesh, "10.0.0.7")).toEqual([]);
    expect(findImplemented(mesh, web.service.key)).toBe(web.service);
  });

  test("of several ServiceEntries for one host the oldest counts, as for those who call it", () => {
    const rules = [
      serviceEntry({
        host: "more",
        name: "a-young",
        addresses: ["10.0.0.9", "10.0.0.7"],
        createdAt: 2,
        ports: [{ name: "tcp", number: 90, protocol: "tcp" }],
      }),
      serviceEntry({ host: "more", name: "b-old", addresses: ["10.0.0.9"], createdAt: 1 }),
    ];
    const mesh = world({ rules });
    expect(at(mesh, "10.0.0.9")).toEqual(["shop/more.example.com 80->8080"]);
    expect(at(mesh, "10.0.0.7")).toEqual([]);
    expect(findImplemented(mesh, "shop/more.example.com" as ServiceKey)?.createdAt).toBe(1);
  });

  test("nothing of a service that is gone", () => {
    const mesh = world({ services: [web] });
    const { catalog } = mesh;
    const without = { ...catalog, services: catalog.services.with([[web.service.key, undefined]]) };
    expect(at({ ...mesh, catalog: without }, "10.0.0.9")).toEqual([]);
    expect(findImplemented({ ...mesh, catalog: without }, web.service.key)).toBeUndefined();
  });
});

/** The same by a look at everything. */
function asked(catalog: Catalog, address: string): readonly string[] {
  const all = [...catalog.instances].flatMap(([key, instances]) =>
    instances
      .filter((one) => one.address === address || one.otherAddresses?.includes(address))
      .flatMap((one) =>
        (catalog.services.get(key)?.ports ?? [])
          .filter(({ name }) => !one.lacks?.includes(name))
          .map((port) => `${key} ${port.number}->${portOf(one, port)}`),
      ),
  );
  return [...new Set(all)].sort();
}

const addresses = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "fd00::1"] as const;
const names = ["a", "b", "c"] as const;

const someInstances = fc.uniqueArray(
  fc.record({
    id: fc.constantFrom("1", "2", "3"),
    address: fc.constantFrom(...addresses),
    http: fc.constantFrom(80, 8080, 8081),
    otherAddresses: fc.option(fc.subarray([...addresses]), { nil: undefined }),
    lacks: fc.option(fc.subarray(["http", "tcp"]), { nil: undefined }),
  }),
  { maxLength: 3, selector: ({ id }) => id },
);

/** One change of a catalog: a service comes, goes, or has other ports or instances. */
const change = fc.record({
  name: fc.constantFrom(...names),
  ports: fc.option(fc.subarray([...ports], { minLength: 1 }), { nil: undefined }),
  instances: fc.option(someInstances, { nil: undefined }),
});
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

/** What is as it was stays the same object, as in a catalog that follows from registries. */
function changed(catalog: Catalog, { name, ports: of, instances }: Change): Catalog {
  const made = entryOf(
    name,
    of ?? [],
    (instances ?? []).map(({ id, address, http, otherAddresses, lacks }) =>
      instance(id, {
        ...{ address, ports: { http } },
        ...(otherAddresses && { otherAddresses }),
        ...(lacks && { lacks }),
      }),
    ),
  );
  const { key } = made.service;
  return {
    services: catalog.services.with([[key, of === undefined ? undefined : made.service]]),
    instances: catalog.instances.with([[key, instances === undefined ? undefined : made.instances]]),
  };
}

/** Catalogs one after the other; some of them are come back to. */
const steps = fc.array(fc.oneof({ weight: 4, arbitrary: change }, { weight: 1, arbitrary: fc.nat({ max: 5 }) }), {
  maxLength: 12,
});

function catalogsOf(list: readonly (Change | number)[]): readonly Catalog[] {
  const all: Catalog[] = [emptyCatalog];
  for (const step of list) {
    const last = all.at(-1) ?? emptyCatalog;
    all.push(typeof step === "number" ? (all[step] ?? last) : changed(last, step));
  }
  return all;
}

const fixedRules = world({
  rules: [
    serviceEntry({ host: "a", addresses: ["10.0.0.3"] }),
    serviceEntry({ host: "d", addresses: ["10.0.0.1", "fd00::1"] }),
  ],
}).rules;
const noRules = world({}).rules;

describe("from one catalog to the next", () => {
  test("it is what a look at all of it gives", () => {
    fc.assert(
      fc.property(steps, (list) => {
        for (const catalog of catalogsOf(list)) {
          for (const address of addresses) {
            expect([...texts(portsImplemented({ catalog, rules: noRules }, [address]))].sort()).toEqual(
              asked(catalog, address),
            );
          }
        }
      }),
    );
  });

  test("at addresses that are not touched it is the same as before", () => {
    fc.assert(
      fc.property(steps, fc.constantFrom(fixedRules, noRules), (list, rules) => {
        const catalogs = catalogsOf(list);
        const worlds = catalogs.map((catalog) => world({ catalog })).map((one): World => ({ ...one, rules }));
        for (const [index, next] of worlds.entries()) {
          const before = worlds[index - 1];
          if (before === undefined) continue;
          const touched = addressesTouched(before.catalog, next);
          for (const address of addresses) {
            if (!touched.has(address)) expect(at(next, address)).toEqual(at(before, address));
          }
        }
      }),
    );
  });

  test("only instances that come, go or change are touched, and those of a service that does", () => {
    const [one, two] = [instance("1", { address: "10.0.0.1" }), instance("2", { address: "10.0.0.2" })];
    const [a, b] = [entryOf("a", ports, [one, two]), entryOf("b", ports, [instance("1", { address: "10.0.0.3" })])];
    const touched = (next: readonly CatalogEntry[]) => {
      const before = world({ services: [a, b] });
      return [...addressesTouched(before.catalog, { ...before, catalog: following(before.catalog, next) })].sort();
    };
    expect(touched([a, b])).toEqual([]);
    expect(touched([{ ...a, instances: [one, { ...two, ports: { http: 8080 } }] }, b])).toEqual(["10.0.0.2"]);
    expect(touched([{ ...a, instances: [one, { ...two, address: "10.0.0.4" }] }, b])).toEqual(["10.0.0.2", "10.0.0.4"]);
    expect(touched([{ ...a, instances: [two] }, b])).toEqual(["10.0.0.1"]);
    expect(touched([a, { ...b, service: { ...b.service, ports: [] } }])).toEqual(["10.0.0.3"]);
    expect(touched([a])).toEqual(["10.0.0.3"]);
  });

  test("where a registry's service comes or goes, so are the endpoints of the ServiceEntry that it stands before", () => {
    const rules = [serviceEntry({ host: "web", addresses: ["10.0.0.7"] })];
    const web: Service = entryOf("web", ports, []).service;
    const [without, withIt] = [world({ rules }), world({ rules, services: [{ service: web, instances: [] }] })];
    const next: World = { ...without, catalog: withIt.catalog };
    expect([...addressesTouched(without.catalog, next)]).toEqual(["10.0.0.7"]);
    expect([...addressesTouched(next.catalog, without)]).toEqual(["10.0.0.7"]);
  });
});

/** The next catalog of a registry: what is the same object in both is as it was. */
function following(before: Catalog, entries: readonly CatalogEntry[]): Catalog {
  const next = createCatalog(entries);
  const keys = new Set([...before.services.keys(), ...next.services.keys()]);
  return {
    services: before.services.with([...keys].map((key) => [key, next.services.get(key)] as const)),
    instances: before.instances.with([...keys].map((key) => [key, next.instances.get(key)] as const)),
  };
}
