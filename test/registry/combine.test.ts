import { describe, expect, test } from "vitest";
import { type Catalog, createCatalog, emptyCatalog } from "../../src/model/catalog.ts";
import { type Hostname, parseHostname } from "../../src/model/hostname.ts";
import { parseLocality } from "../../src/model/locality.ts";
import { serviceKey } from "../../src/model/service.ts";
import { combineCatalogs, formatConflict } from "../../src/registry/combine.ts";

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

  test("what did not change is the same object", () => {
    const kube = catalog("kube", { at: "a.x", ids: ["1"] }, { at: "b.x", ids: ["1"] });
    const file = catalog("file", { at: "a.x", ids: ["2"] });
    const options = { joinHosts: [host("a.x")] };
    const first = combineCatalogs(
      [
        { registry: "kube", catalog: kube },
        { registry: "file", catalog: file },
      ],
      options,
    ).catalog;
    const same = combineCatalogs(
      [
        { registry: "kube", catalog: catalog("kube", { at: "a.x", ids: ["1"] }, { at: "b.x", ids: ["1"] }) },
        { registry: "file", catalog: file },
      ],
      { ...options, previous: first },
    ).catalog;
    expect(same).toBe(first);
    const more = combineCatalogs(
      [
        { registry: "kube", catalog: kube },
        { registry: "file", catalog: catalog("file", { at: "a.x", ids: ["0", "2"] }) },
      ],
      { ...options, previous: first },
    ).catalog;
    expect(more.services).toBe(first.services);
    const key = serviceKey("shop", host("a.x"));
    expect(more.instances.get(serviceKey("shop", host("b.x")))).toBe(
      first.instances.get(serviceKey("shop", host("b.x"))),
    );
    expect(more.instances.get(key)?.map(({ registry, id }) => `${registry}/${id}`)).toEqual([
      "file/0",
      "kube/1",
      "file/2",
    ]);
    expect(more.instances.get(key)?.slice(1)).toEqual(first.instances.get(key));
    for (const [index, item] of (first.instances.get(key) ?? []).entries())
      expect(more.instances.get(key)?.[index + 1]).toBe(item);
  });

  test("nothing at all", () => {
    expect(combineCatalogs([]).catalog).toEqual(emptyCatalog);
  });
});
