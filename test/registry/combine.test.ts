import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { OrderedMap } from "../../src/base/ordered-map.ts";
import { type Catalog, createCatalog, emptyCatalog } from "../../src/model/catalog.ts";
import { type Hostname, parseHostname } from "../../src/model/hostname.ts";
import { parseLocality } from "../../src/model/locality.ts";
import { type Service, serviceKey } from "../../src/model/service.ts";
import { type CombinedCatalog, combineCatalogs, formatConflict } from "../../src/registry/combine.ts";
import { shareCatalog } from "../../src/registry/share-catalog.ts";

const host = (text: string): Hostname => parseHostname(text) ?? expect.fail(text);

interface Entry {
  readonly at: string;
  readonly ids?: readonly string[];
  readonly port?: number;
  readonly namespace?: string;
}

const catalog = (registry: string, ...entries: readonly Entry[]): Catalog =>
  createCatalog(
    entries.map(({ at, ids = [], port = 80, namespace = "shop" }) => ({
      service: {
        key: serviceKey(namespace, host(at)),
        hostname: host(at),
        namespace,
        ports: [{ name: "http", number: port, protocol: "http" }],
        addresses: [],
        resolution: "instances",
        external: false,
        createdAt: 0,
        origin: { kind: "registry", registry },
      },
      instances: ids.map((id) => ({
        id,
        address: "10.0.0.1",
        ports: {},
        labels: {},
        locality: parseLocality(""),
        weight: 1,
        health: "healthy",
        registry,
      })),
    })),
  );

const changeAll = ({ services, instances }: Catalog, fields: Partial<Service>): Catalog => ({
  services: OrderedMap.of(services.entries().map(([key, service]) => [key, { ...service, ...fields }])),
  instances,
});

/** `host of registry: registry/id, …` for every service. */
const textOf = ({ services, instances }: Catalog): readonly string[] =>
  [...services.values()].map((service) => {
    const list = (instances.get(service.key) ?? []).map(({ registry, id }) => `${registry}/${id}`);
    const from = service.origin.kind === "registry" ? service.origin.registry : "?";
    return `${service.key} of ${from}: ${list.join(", ")}`;
  });

describe("combineCatalogs", () => {
  test("hosts of several registries stand side by side, in the order of their keys", () => {
    const inputs = [
      { registry: "kube", catalog: catalog("kube", { at: "b.x", ids: ["1"] }) },
      { registry: "file", catalog: catalog("file", { at: "c.x" }, { at: "a.x", ids: ["2"] }) },
    ];
    const { catalog: combined, conflicts } = combineCatalogs(inputs);
    expect(textOf(combined)).toEqual(["shop/a.x of file: file/2", "shop/b.x of kube: kube/1", "shop/c.x of file: "]);
    expect(conflicts).toEqual([]);
  });

  test("the first registry defines a host; the same in a later one is a conflict, whatever its namespace", () => {
    const kube = catalog("kube", { at: "a.x", ids: ["1"] });
    const file = catalog("file", { at: "a.x", ids: ["2"], port: 8080 });
    const consul = catalog("consul", { at: "a.x", ids: ["3"], namespace: "default" });
    const { catalog: combined, conflicts } = combineCatalogs([
      { registry: "kube", catalog: kube },
      { registry: "file", catalog: file },
      { registry: "consul", catalog: consul },
    ]);
    expect(textOf(combined)).toEqual(["shop/a.x of kube: kube/1"]);
    expect(conflicts).toEqual([
      { host: "a.x", definedBy: "kube", leftOut: "file" },
      { host: "a.x", definedBy: "kube", leftOut: "consul" },
    ]);
    expect(conflicts[0] && formatConflict(conflicts[0]).message).toBe(
      "The host a.x is known to the registries kube and file; what file says of it is left out.",
    );
  });

  test("one registry may know a host in several namespaces", () => {
    const kube = catalog("kube", { at: "a.x" }, { at: "a.x", namespace: "bank" });
    expect(textOf(combineCatalogs([{ registry: "kube", catalog: kube }]).catalog)).toEqual([
      "bank/a.x of kube: ",
      "shop/a.x of kube: ",
    ]);
  });

  test("instances join where the configuration says that it is one service, with their own port numbers", () => {
    const inputs = [
      { registry: "kube", catalog: catalog("kube", { at: "a.x", ids: ["2"] }, { at: "b.y", ids: ["1"] }) },
      { registry: "file", catalog: catalog("file", { at: "a.x", ids: ["1"], port: 8080 }, { at: "b.y", ids: ["1"] }) },
      { registry: "consul", catalog: catalog("consul", { at: "a.x", ids: ["1"], namespace: "default" }) },
    ];
    const { catalog: combined, conflicts } = combineCatalogs(inputs, { joinHosts: [host("*.x")] });
    expect(textOf(combined)).toEqual(["shop/a.x of kube: consul/1, file/1, kube/2", "shop/b.y of kube: kube/1"]);
    const list = combined.instances.get(serviceKey("shop", host("a.x"))) ?? [];
    expect(list.map(({ ports }) => ports)).toEqual([{}, { http: 8080 }, {}]);
    expect(conflicts).toEqual([{ host: "b.y", definedBy: "kube", leftOut: "file" }]);
  });

  test.each(["kube", "file"])("what clients dial is what the first registry says: %s", (first) => {
    const told = {
      kube: changeAll(catalog("kube", { at: "a.x", ids: ["1"] }), { addresses: ["10.96.0.1"] }),
      file: changeAll(catalog("file", { at: "a.x", ids: ["2"] }), { resolution: "original-destination" }),
    };
    const inputs = Object.entries(told)
      .map(([registry, catalog]) => ({ registry, catalog }))
      .sort((a, b) => Number(b.registry === first) - Number(a.registry === first));
    const { catalog: combined } = combineCatalogs(inputs, { joinHosts: [host("a.x")] });
    const isKube = first === "kube";
    expect([...combined.services.values()]).toMatchObject([
      { addresses: isKube ? ["10.96.0.1"] : [], resolution: isKube ? "instances" : "original-destination" },
    ]);
    expect([...combined.instances.values()].flat()).toHaveLength(2);
  });

  test("what did not change is the same object", () => {
    const kube = catalog("kube", { at: "a.x", ids: ["1"] }, { at: "b.x", ids: ["1"] });
    const file = catalog("file", { at: "a.x", ids: ["2"] }, { at: "c.x", ids: ["1"] });
    const [a, b] = [serviceKey("shop", host("a.x")), serviceKey("shop", host("b.x"))];
    const combine = (one: Catalog, other: Catalog, previous?: CombinedCatalog) =>
      combineCatalogs(
        [
          { registry: "kube", catalog: one },
          { registry: "file", catalog: other },
        ],
        { joinHosts: [host("a.x")], ...(previous && { previous }) },
      );
    const first = combine(kube, file);
    const sameFile = { services: OrderedMap.of(file.services), instances: file.instances };
    const same = combine({ ...kube }, sameFile, first);
    expect(same.catalog).toBe(first.catalog);

    const added = catalog("file", { at: "a.x", ids: ["0"] }).instances.get(a) ?? [];
    const list = [...added, ...(file.instances.get(a) ?? [])];
    const more = combine(kube, { ...sameFile, instances: file.instances.with([[a, list]]) }, same);
    expect(more.conflicts).toBe(same.conflicts);
    expect(more.catalog.services).toBe(first.catalog.services);
    expect(more.catalog.instances.get(b)).toBe(first.catalog.instances.get(b));
    const [before, after] = [first, more].map((each) => each.catalog.instances.get(a) ?? []);
    expect(after?.map(({ registry, id }) => `${registry}/${id}`)).toEqual(["file/0", "kube/1", "file/2"]);
    for (const [index, item] of (before ?? []).entries()) expect(after?.[index + 1]).toBe(item);

    const { services } = combine(kube, catalog("file"), more).catalog;
    expect([...services.keys()]).toEqual([a, b]);
  });

  test("whatever changes, the result is that of combining anew", () => {
    const entry = fc.record({
      at: fc.constantFrom("a.x", "b.x", "c.y"),
      ids: fc.subarray(["1", "2", "3"]),
      namespace: fc.constantFrom("shop", "bank"),
    });
    const entries = fc.uniqueArray(entry, { selector: ({ at, namespace }) => `${namespace}/${at}`, maxLength: 4 });
    const step = fc.record({ kube: fc.option(entries), file: fc.option(entries) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 6 }), (steps) => {
        let [kube, file] = [catalog("kube"), catalog("file")];
        let previous: CombinedCatalog | undefined;
        for (const next of steps) {
          // Registries share what did not change.
          if (next.kube !== null) kube = shareCatalog(kube, catalog("kube", ...next.kube));
          if (next.file !== null) file = shareCatalog(file, catalog("file", ...next.file));
          const inputs = [
            { registry: "kube", catalog: kube },
            { registry: "file", catalog: file },
          ];
          const joinHosts = [host("*.x")];
          previous = combineCatalogs(inputs, { joinHosts, ...(previous && { previous }) });
          const anew = combineCatalogs(inputs, { joinHosts });
          expect(previous.catalog).toEqual(anew.catalog);
          expect([...previous.catalog.services.keys()]).toEqual([...anew.catalog.services.keys()]);
          expect([...previous.catalog.instances.keys()]).toEqual([...anew.catalog.instances.keys()]);
          expect(previous.conflicts).toEqual(anew.conflicts);
        }
      }),
    );
  });

  test("nothing at all", () => {
    expect(combineCatalogs([]).catalog).toEqual(emptyCatalog);
  });
});
