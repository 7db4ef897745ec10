import { describe, expect, test } from "vitest";
import type { Clock } from "../../src/base/clock.ts";
import { createLog } from "../../src/base/log.ts";
import { createMetrics } from "../../src/base/metrics.ts";
import { createSignal } from "../../src/base/signal.ts";
import { type Compiler, createCompiler } from "../../src/compile/compile.ts";
import { createWorld, type World } from "../../src/compile/world.ts";
import type { ResourceSet } from "../../src/envoy/resource-set.ts";
import { createCatalog } from "../../src/model/catalog.ts";
import type { ProxyNode } from "../../src/model/proxy.ts";
import { shareCatalog } from "../../src/registry/share-catalog.ts";
import { createResourceCache } from "../../src/snapshot/resource-cache.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { canary, egressEverywhere, gateway, instance, rule, service, sidecar, world } from "../support/mesh.ts";

const weights = (v1: number) => [...canary("reviews", v1, 100 - v1), egressEverywhere()];
const services = [service("reviews", [instance("a", { labels: { version: "v1" } })])];

function setUp(first?: World, compiler: Compiler = createCompiler()) {
  const turns: (() => void)[] = [];
  const after: Clock["after"] = (_delayMs, task) => {
    turns.push(task);
    return () => {};
  };
  const clock: Clock = { ...createFakeClock(), after };
  const current = createSignal<World | undefined>(first);
  const lines: string[] = [];
  let compiles = 0;
  const cache = createResourceCache({
    world: current,
    clock,
    compiler: {
      ...compiler,
      compile: (...args) => {
        compiles++;
        return compiler.compile(...args);
      },
    },
    log: createLog({ level: "info", format: "json", write: (line) => lines.push(line) }),
    metrics: createMetrics(),
  });
  const follow = (node = sidecar()) => {
    const heard: ResourceSet[] = [];
    const watch = cache.watch(node, (set) => heard.push(set));
    return { heard, watch };
  };
  return { current, cache, turns, follow, lines, compiles: () => compiles };
}

test("nothing before the first world, then everything at once", () => {
  const { current, follow } = setUp();
  const { heard, watch } = follow();
  expect(watch.current()).toBeUndefined();
  current.set(world({ services, rules: weights(90) }));
  expect(heard).toHaveLength(1);
  expect(watch.current()).toBe(heard[0]);
});

test("two sidecars of one workload in one locality share one result object, compiled once", () => {
  const { follow, compiles } = setUp(world({ services, rules: weights(90) }));
  const [a, b] = [follow(sidecar("web-1")), follow(sidecar("web-2", { addresses: ["10.0.0.77"] }))];
  expect(a.watch.current()).toBeDefined();
  expect(a.watch.current()).toBe(b.watch.current());
  expect(compiles()).toBe(1);
});

test("a thousand proxies of five profiles are five compiles a world", () => {
  const rules = [1, 2, 3, 4].map((n) =>
    rule("Sidecar", `s${n}`, { workloadSelector: { app: `a${n}` }, ingress: [], egress: [] }),
  );
  const { current, follow, compiles } = setUp(world({ services, rules }));
  for (let i = 0; i < 1000; i++) follow(sidecar(`p${i}`, { labels: { app: `a${i % 5}` } }));
  expect(compiles()).toBe(5);
  current.set(world({ services: [], rules }));
  expect(compiles()).toBe(10);
});

describe("who is told", () => {
  test("only those whose content changed", () => {
    const { current, follow } = setUp(world({ services, rules: weights(90) }));
    const [web, edge] = [follow(), follow(gateway())];
    current.set(world({ services, rules: weights(80) }));
    expect(web.heard).toHaveLength(1);
    expect(edge.heard).toHaveLength(0);
    current.set(world({ services, rules: weights(80), revision: 3 }));
    expect(web.heard).toHaveLength(1);
  });

  test("nobody who left, and an empty profile is forgotten", () => {
    const { current, follow, compiles } = setUp(world({ services, rules: weights(90) }));
    const { heard, watch } = follow();
    watch.close();
    watch.close();
    current.set(world({ services, rules: weights(80) }));
    expect(heard).toEqual([]);
    expect(compiles()).toBe(1);
  });

  test("a proxy whose profile changes with the rules moves along", () => {
    const { current, follow } = setUp(world({ services }));
    const { watch, heard } = follow();
    const listeners = () => [...(watch.current()?.resources.LDS.keys() ?? [])];
    expect(listeners()).toEqual(["127.0.0.1_9080"]);
    const own = rule("Sidecar", "web", {
      workloadSelector: { app: "web" },
      ingress: [],
      egress: [{ port: { number: 80, protocol: "http", name: "http" }, captureMode: "NONE", hosts: ["*/*"] }],
    });
    current.set(world({ services, rules: [own] }));
    expect(heard).toHaveLength(1);
    expect(listeners()).toEqual(["127.0.0.1_80"]);
  });
});

describe("a compile that fails", () => {
  const failing = (broken: () => boolean): Compiler => {
    const good = createCompiler();
    return {
      ...good,
      compile: (...args) => {
        if (broken()) throw new Error("planted");
        return good.compile(...args);
      },
    };
  };

  test("leaves the last good resources, also for a proxy whose profile moves meanwhile", () => {
    let broken = false;
    const { current, cache, follow, lines } = setUp(
      world({ services, rules: weights(90) }),
      failing(() => broken),
    );
    const { heard, watch } = follow();
    const good = watch.current();
    broken = true;
    const own = rule("Sidecar", "web", { workloadSelector: { app: "web" }, ingress: [], egress: [] });
    current.set(world({ services, rules: [...weights(80), own] }));
    expect(watch.current()).toBe(good);
    expect(heard).toEqual([]);
    expect(lines.join("")).toContain("planted");
    expect(cache.failures()).toMatchObject([{ profile: { kind: "sidecar" }, message: "planted" }]);
    broken = false;
    current.set(world({ services, rules: weights(70) }));
    expect(heard).toHaveLength(1);
    expect(cache.failures()).toEqual([]);
  });

  test("with nothing good before it: nothing is served", () => {
    const { cache, follow } = setUp(
      world({ services }),
      failing(() => true),
    );
    const node = sidecar();
    expect(follow(node).watch.current()).toBeUndefined();
    expect(cache.resourcesOf(node)).toBeUndefined();
    expect(cache.servedTo(node)).toBeUndefined();
  });

  test("who got nothing gets what there is then, also when its profile moves to one with the same", () => {
    let broken = true;
    const rules = weights(90);
    const { current, follow } = setUp(
      world({ services, rules }),
      failing(() => broken),
    );
    const { heard, watch } = follow();
    expect(watch.current()).toBeUndefined();
    broken = false;
    const own = rule("Sidecar", "web", { ...egressEverywhere().spec, workloadSelector: { app: "web" } });
    current.set(world({ services, rules: [...rules, own] }));
    expect(heard).toEqual([watch.current()]);
    expect(heard[0]?.resources.LDS.size).toBe(1);
  });

  test("leaves what is served, and says that it is of an older world", () => {
    let broken = false;
    const { current, cache, follow } = setUp(
      world({ services, rules: weights(90) }),
      failing(() => broken),
    );
    const node = sidecar();
    const { watch } = follow(node);
    expect(cache.servedTo(node)).toEqual({ resources: watch.current(), stale: false });
    broken = true;
    current.set(world({ services, rules: weights(80) }));
    expect(cache.servedTo(node)).toEqual({ resources: watch.current(), stale: true });
    watch.close();
    expect(cache.servedTo(node)).toBeUndefined();
  });
});

test("a gRPC server gets its listeners when the catalog comes to know its instance; that of a sidecar that is dialled stays", () => {
  const { current, follow, compiles } = setUp(world({ services }));
  const server = follow(sidecar("reviews-2", { kind: "proxyless", addresses: ["10.0.0.2"] }));
  const other = follow();
  const listeners = () =>
    [...(server.watch.current()?.resources.LDS.keys() ?? [])].filter((name) => /inbound/.test(name));
  expect(listeners()).toEqual([]);
  const before = compiles();
  const more = [instance("a"), instance("b", { address: "10.0.0.2" })];
  current.set(world({ services: [service("reviews", more)] }));
  expect(listeners()).toContain("xds.istio.io/grpc/lds/inbound/0.0.0.0:9080");
  expect(server.heard).toHaveLength(1);
  expect([...(other.watch.current()?.resources.LDS.keys() ?? [])]).toEqual(["127.0.0.1_9080"]);
  // One for each profile that was there, and one for the server's new one.
  expect(compiles() - before).toBe(3);
});

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

describe("many proxies hear of a change in turns", () => {
  const many = () => {
    const { current, turns, follow } = setUp(world({ services, rules: weights(90) }));
    const followers = Array.from({ length: 250 }, (_, index) => follow(sidecar(`web-${index}`)));
    const told = () => followers.filter(({ heard }) => heard.length > 0).length;
    return { current, turns, followers, told };
  };

  test("a hundred at a time, each once", () => {
    const { current, turns, followers, told } = many();
    current.set(world({ services, rules: weights(50) }));
    const counts = [told()];
    for (let turn = turns.shift(); turn !== undefined; turn = turns.shift()) {
      turn();
      counts.push(told());
    }
    expect(counts).toEqual([100, 200, 250]);
    expect(followers.every(({ heard }) => heard.length === 1)).toBe(true);
  });

  test("who waits hears of the newest only, in its place", () => {
    const { current, turns, followers, told } = many();
    current.set(world({ services, rules: weights(50) }));
    current.set(world({ services, rules: weights(40) }));
    expect(told()).toBe(100);
    turns.shift()?.();
    expect(told()).toBe(200);
    while (turns.length > 0) turns.shift()?.();
    const newest = followers[249]?.heard[0];
    expect(followers.map(({ heard }) => heard.length)).toEqual([...Array(100).fill(2), ...Array(150).fill(1)]);
    expect(followers.every(({ heard }) => heard.at(-1) === newest)).toBe(true);
  });

  test("who waits and is to have what it has hears nothing, nor does who has left", () => {
    const { current, turns, followers } = many();
    current.set(world({ services, rules: weights(50) }));
    current.set(world({ services, rules: weights(90) }));
    for (const { watch } of followers.slice(50)) watch.close();
    while (turns.length > 0) turns.shift()?.();
    expect(followers.map(({ heard }) => heard.length)).toEqual([
      ...Array(50).fill(2),
      ...Array(50).fill(1),
      ...Array(150).fill(0),
    ]);
  });
});
