import { describe, expect, test } from "vitest";
import { createWorld } from "../../src/compile/world.ts";
import type { ResourceSet } from "../../src/envoy/resource-set.ts";
import { createCatalog } from "../../src/model/catalog.ts";
import type { ProxyNode } from "../../src/model/proxy.ts";
import { shareCatalog } from "../../src/registry/share-catalog.ts";
import { instance, service, sidecar, world } from "../support/mesh.ts";
import { setUp } from "./cache-lab.ts";

describe("sidecars whose connections are captured", () => {
  const captured = (name: string, address: string) =>
    sidecar(name, { interceptionMode: "redirect", addresses: [address] });
  const addressOf = (index: number) => `10.1.${index >> 8}.${index & 255}`;
  const webOf = (count: number) =>
    service(
      "web",
      Array.from({ length: count }, (_, index) => instance(`w${index}`, { address: addressOf(index) })),
      { port: 8080 },
    );
  /** Counts how often somebody looks at the node. */
  const counted = (node: ProxyNode) => {
    let looks = 0;
    const get = (target: ProxyNode, key: string | symbol): unknown => {
      looks++;
      return Reflect.get(target, key);
    };
    return { node: new Proxy(node, { get }), looks: () => looks };
  };
  const inbound = (set: ResourceSet | undefined) =>
    [...(set?.resources.CDS.keys() ?? [])].filter((name) => name.startsWith("inbound|"));

  test("a thousand pods of one Deployment share one result object, compiled once", () => {
    const { follow, compiles } = setUp(world({ services: [webOf(1000)] }));
    const sets = Array.from({ length: 1000 }, (_, index) =>
      follow(captured(`web-${index}`, addressOf(index))).watch.current(),
    );
    expect(inbound(sets[0])).toEqual(["inbound|8080||"]);
    expect(new Set(sets).size).toBe(1);
    expect(compiles()).toBe(1);
  });

  test("one moves to another profile when the catalog comes to know its instance, and back; others are not asked", () => {
    const first = world({ services: [webOf(1)] });
    const { current, follow } = setUp(first);
    const [late, early, stranger] = [addressOf(1), addressOf(0), "10.9.9.9"].map((address, index) => {
      const { node, looks } = counted(captured(`web-${index}`, address));
      return { ...follow(node), looks };
    });
    const others = [early, stranger];
    const looks = () => others.map((one) => one?.looks());
    const inbounds = () => [late, ...others].map((one) => inbound(one?.watch.current()));
    const before = looks();
    const moveTo = (count: number): void => {
      const catalog = shareCatalog(current.value?.catalog, createCatalog([webOf(count)]));
      current.set(createWorld(catalog, { rules: first.rules, revision: first.revision }, first.holds, first.mesh));
    };
    expect(inbounds()).toEqual([[], ["inbound|8080||"], []]);
    moveTo(2);
    expect(inbounds()).toEqual([["inbound|8080||"], ["inbound|8080||"], []]);
    expect(late?.watch.current()).toBe(early?.watch.current());
    expect(late?.heard).toEqual([late?.watch.current()]);
    moveTo(1);
    expect(inbounds()).toEqual([[], ["inbound|8080||"], []]);
    expect(looks()).toEqual(before);
  });

  test("its workload's port that is another one moves it, too", () => {
    const { current, follow } = setUp(world({ services: [webOf(1)] }));
    const { watch } = follow(captured("web-0", addressOf(0)));
    const moved = webOf(1).instances.map((one) => ({ ...one, ports: { http: 7070 } }));
    current.set(world({ services: [{ ...webOf(1), instances: moved }] }));
    expect(inbound(watch.current())).toEqual(["inbound|7070||"]);
    current.set(world({ services: [service("web", webOf(1).instances, { port: 9090 })] }));
    expect(inbound(watch.current())).toEqual(["inbound|9090||"]);
  });
});
