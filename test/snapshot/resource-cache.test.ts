import { describe, expect, test } from "vitest";
import { type Compiler, createCompiler } from "../../src/compile/compile.ts";
import { canary, egressEverywhere, gateway, instance, rule, service, sidecar, world } from "../support/mesh.ts";
import { setUp } from "./cache-lab.ts";

const weights = (v1: number) => [...canary("reviews", v1, 100 - v1), egressEverywhere()];
const services = [service("reviews", [instance("a", { labels: { version: "v1" } })])];

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
