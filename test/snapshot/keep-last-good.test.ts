import { describe, expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { createLog } from "../../src/base/log.ts";
import { createMetrics } from "../../src/base/metrics.ts";
import { OrderedMap } from "../../src/base/ordered-map.ts";
import { createSignal } from "../../src/base/signal.ts";
import { keep } from "../../src/compile/broken.ts";
import { type Compiler, createCompiler } from "../../src/compile/compile.ts";
import { danglingReferences } from "../../src/compile/references.ts";
import type { World } from "../../src/compile/world.ts";
import type { Rule, RuleSpecs } from "../../src/config/rule.ts";
import { bytesJson } from "../../src/envoy/pack.ts";
import type { Resource, ResourceSet } from "../../src/envoy/resource-set.ts";
import { resourceType, resourceTypes } from "../../src/envoy/resource-types.ts";
import { createResourceCache } from "../../src/snapshot/resource-cache.ts";
import { egressEverywhere, gateway, instance, rule, service, sidecar, world } from "../support/mesh.ts";

const cluster = (name: string) => `outbound|9080||${name}.shop.svc.cluster.local`;
const to = (name: string) => ({ host: name, weight: 1 });

/** Sends what is for `host` to `target`; one that is broken cannot be compiled. */
const route = (host: string, target: string, { broken = false } = {}): Rule =>
  rule("VirtualService", host, {
    hosts: [host],
    gateways: ["mesh"],
    http: [
      {
        route: [to(target)],
        get match() {
          if (broken) throw new Error("planted");
          return [];
        },
      } as RuleSpecs["VirtualService"]["http"][number],
    ],
  });

/** A load balancer for `host`; one that is broken makes its clusters impossible to compile. */
const balancer = (host: string, { broken = false } = {}): Rule =>
  rule("DestinationRule", host, {
    host,
    subsets: [],
    trafficPolicy: {
      get loadBalancer() {
        if (broken) throw new Error("planted");
        return { simple: "RANDOM" as const };
      },
    },
  });

/** The same listener for another workload: a profile of its own. */
const ofOther = rule("Sidecar", "other", { ...egressEverywhere().spec, workloadSelector: { app: "other" } });
const other = sidecar("other", { labels: { app: "other" } });

const mesh = (rules: readonly Rule[], addresses: Readonly<Record<string, string>> = {}, revision = 1): World =>
  world({
    services: ["reviews", "ratings", "details"].map((name) =>
      service(name, [instance(name, { address: addresses[name] ?? "10.0.0.1" })]),
    ),
    rules: [egressEverywhere(), ofOther, ...rules],
    revision,
  });

function setUp(first: World, compiler: Compiler = createCompiler()) {
  const current = createSignal<World | undefined>(first);
  const lines: string[] = [];
  const metrics = createMetrics();
  const cache = createResourceCache({
    ...{ world: current, compiler, clock: systemClock, metrics },
    log: createLog({ level: "info", format: "json", write: (line) => lines.push(line) }),
  });
  const follow = (node = sidecar()) => cache.watch(node, () => {});
  const samples = async (name: string): Promise<readonly string[]> =>
    (await metrics.expose()).text.split("\n").filter((line) => line.startsWith(`${name}{`));
  return { current, cache, lines, follow, samples };
}

const json = (resource: Resource | undefined) =>
  resource && JSON.parse(JSON.stringify(bytesJson(resourceType(resource.type).url, resource.bytes)));
const addressOf = (set: ResourceSet | undefined, name: string) =>
  json(set?.resources.EDS.get(cluster(name)))?.endpoints?.[0]?.lbEndpoints[0].endpoint.address.socketAddress.address;
/** Where the virtual host of each service sends to. */
const targetsOf = (set: ResourceSet | undefined): unknown =>
  Object.fromEntries(
    json(set?.resources.RDS.get("9080")).virtualHosts.map(
      ({
        name,
        routes: [first],
      }: {
        name: string;
        routes: [{ route?: { cluster: string }; directResponse?: object }];
      }) => [name.split(".")[0], first.route?.cluster.split(/[|.]/)[3] ?? first.directResponse],
    ),
  );
const everything = (set: ResourceSet | undefined): readonly Resource[] =>
  resourceTypes.flatMap(({ short }) => [...(set?.resources[short].values() ?? [])]);

describe("a rule whose routes cannot be compiled any more", () => {
  const good = [route("reviews", "ratings"), route("details", "details")];
  const bad = [route("reviews", "details", { broken: true }), route("details", "ratings")];

  test("leaves its virtual host as it was; other rules and all endpoints move on", () => {
    const { current, follow } = setUp(mesh(good));
    const { current: now } = follow();
    current.set(mesh(bad, { ratings: "10.0.0.2" }));
    expect(targetsOf(now())).toMatchObject({ reviews: "ratings", details: "ratings" });
    expect(addressOf(now(), "ratings")).toBe("10.0.0.2");
    current.set(mesh(bad, { ratings: "10.0.0.3" }));
    expect(targetsOf(now())).toMatchObject({ reviews: "ratings", details: "ratings" });
    expect(addressOf(now(), "ratings")).toBe("10.0.0.3");
    current.set(mesh([route("reviews", "details")]));
    expect(targetsOf(now())).toMatchObject({ reviews: "details", details: "details" });
    expect(now()?.repairs).toEqual([]);
  });

  test("from the first world on, answers 503 for its host alone", () => {
    const { follow } = setUp(mesh(bad));
    expect(targetsOf(follow().current())).toMatchObject({ reviews: { status: 503 }, details: "ratings" });
  });

  test("is told once, counted, and shown until it is over", async () => {
    const { current, cache, follow, lines, samples } = setUp(mesh(good));
    follow();
    follow(other);
    current.set(mesh(bad));
    current.set(mesh(bad, { ratings: "10.0.0.2" }));
    const told = () => lines.filter((line) => line.includes("could not be compiled"));
    expect(told()).toHaveLength(1);
    expect(told()[0]).toContain("planted");
    expect(await samples("fairway_repaired_resources")).toEqual([
      'fairway_repaired_resources{type="RDS",kind="broken"} 1',
    ]);
    expect(await samples("fairway_compiles_total")).toContain('fairway_compiles_total{outcome="partial"} 4');
    const failure = { message: "planted", resource: { type: "RDS", name: "9080" } };
    expect(cache.failures()).toMatchObject([failure, failure]);
    current.set(mesh(good));
    expect(await samples("fairway_repaired_resources")).toEqual([]);
    expect(cache.failures()).toEqual([]);
    current.set(mesh(bad));
    expect(told()).toHaveLength(2);
  });

  test("makes no push where nothing else changes", () => {
    const current = createSignal<World | undefined>(mesh(good));
    const log = createLog({ level: "silent", format: "json", write: () => {} });
    const cache = createResourceCache({
      ...{ world: current, compiler: createCompiler(), clock: systemClock, log },
      metrics: createMetrics(),
    });
    let pushes = 0;
    cache.watch(sidecar(), () => pushes++);
    current.set(mesh([bad[0] ?? route("reviews", "reviews"), route("details", "details")]));
    current.set(mesh([bad[0] ?? route("reviews", "reviews"), route("details", "details")]));
    expect(pushes).toBe(0);
  });
});

describe("a cluster that cannot be compiled any more", () => {
  test("stays as it was, with the present endpoints", () => {
    const { current, follow } = setUp(mesh([balancer("reviews")]));
    const { current: now } = follow();
    const before = now()?.resources.CDS.get(cluster("reviews"));
    current.set(mesh([balancer("reviews", { broken: true })], { reviews: "10.0.0.2", ratings: "10.0.0.3" }));
    expect(now()?.resources.CDS.get(cluster("reviews"))).toBe(before);
    expect(addressOf(now(), "reviews")).toBe("10.0.0.2");
    expect(addressOf(now(), "ratings")).toBe("10.0.0.3");
    expect(now()?.repairs).toMatchObject([{ type: "CDS", name: cluster("reviews"), kind: "broken" }]);
  });

  test("that was never there is an empty one, which a route to it finds", () => {
    const { current, follow } = setUp(world({ services: [service("ratings", [])], rules: [egressEverywhere()] }));
    const { current: now } = follow();
    current.set(mesh([balancer("reviews", { broken: true }), route("ratings", "reviews")]));
    expect(json(now()?.resources.CDS.get(cluster("reviews")))).toMatchObject({ type: "STATIC" });
    expect(danglingReferences(everything(now()))).toEqual([]);
  });
});

test("endpoints that cannot be compiled stay, and follow a change of their cluster", () => {
  const entry = (health: () => "healthy", rules: readonly Rule[]) =>
    world({
      services: [
        service("reviews", [
          {
            ...instance("a", { address: "10.0.0.7" }),
            get health() {
              return health();
            },
          },
        ]),
      ],
      rules,
    });
  const planted = (): never => {
    throw new Error("planted");
  };
  const { current, follow } = setUp(entry(() => "healthy", []));
  const { current: now } = follow();
  const before = now()?.resources.EDS.get(cluster("reviews"));
  current.set(entry(planted, []));
  expect(now()?.resources.EDS.get(cluster("reviews"))).toEqual(before);
  current.set(entry(planted, [balancer("reviews")]));
  expect(addressOf(now(), "reviews")).toBe("10.0.0.7");
  expect(now()?.resources.EDS.get(cluster("reviews"))?.version).not.toBe(before?.version);
});

describe("a listener that cannot be compiled any more", () => {
  /** The real compiler, which fails to make one listener, and the table that only this listener names. */
  const failing = (broken: () => boolean): Compiler => {
    const good = createCompiler();
    return {
      ...good,
      compile: (...args) => {
        const set = good.compile(...args);
        if (!broken()) return set;
        const listener = { type: "LDS", name: "127.0.0.1_9080" } as const;
        return {
          ...set,
          resources: { ...set.resources, LDS: OrderedMap.of(), RDS: OrderedMap.of() },
          repairs: [{ ...listener, kind: "broken", reason: "planted" }],
          broken: [{ ...listener, error: new Error("planted"), standIn: undefined, rescue: keep(listener) }],
        };
      },
    };
  };

  test("stays as it was, with what it names", () => {
    let broken = false;
    const { current, follow } = setUp(
      mesh([]),
      failing(() => broken),
    );
    const { current: now } = follow();
    const before = now();
    broken = true;
    current.set(mesh([], { ratings: "10.0.0.2" }));
    expect(now()?.resources.LDS).toEqual(before?.resources.LDS);
    expect(now()?.resources.RDS).toEqual(before?.resources.RDS);
    expect(addressOf(now(), "ratings")).toBe("10.0.0.2");
    expect(danglingReferences(everything(now()))).toEqual([]);
    // Its route table names clusters that are gone; they stay with it, and their endpoints with them.
    current.set(world({ rules: [egressEverywhere(), ofOther] }));
    expect(addressOf(now(), "ratings")).toBe("10.0.0.2");
    expect(now()?.repairs).toMatchObject([{ type: "LDS", kind: "broken" }]);
  });

  test("with no set before it: nothing is served, as leaving it out could close it where an earlier run had opened it", () => {
    const { cache, follow } = setUp(
      mesh([]),
      failing(() => true),
    );
    expect(follow().current()).toBeUndefined();
    expect(cache.failures()).toMatchObject([{ message: "listener 127.0.0.1_9080 could not be compiled: planted" }]);
  });
});

describe("a reference that leads nowhere", () => {
  test("is told and counted once, however many profiles have it", async () => {
    const { current, follow, lines, samples } = setUp(mesh([route("reviews", "nobody")]));
    follow();
    follow(other);
    current.set(mesh([route("reviews", "nobody")], { ratings: "10.0.0.2" }));
    expect(lines.filter((line) => line.includes("leads nowhere"))).toHaveLength(1);
    expect(await samples("fairway_repaired_resources")).toEqual([
      'fairway_repaired_resources{type="CDS",kind="missing"} 1',
    ]);
  });

  test("is over when the last proxy that had it has gone", async () => {
    const { follow, samples } = setUp(mesh([route("reviews", "nobody")]));
    const { close } = follow();
    close();
    expect(await samples("fairway_repaired_resources")).toEqual([]);
  });
});

test("a rule by which no profile can be made of some proxies leaves them as they were; others move on", () => {
  const odd = rule("Sidecar", "odd", {
    ingress: [],
    egress: [],
    get workloadSelector(): never {
      throw new Error("planted");
    },
  });
  const elsewhere = gateway("gw", { namespace: "edge" });
  const { current, follow, lines } = setUp(mesh([]));
  const [web, edge] = [follow(), follow(elsewhere)];
  const before = web.current();
  current.set(mesh([odd], { ratings: "10.0.0.2" }));
  expect(web.current()).toBe(before);
  expect(addressOf(edge.current(), "ratings")).toBe("10.0.0.2");
  expect(follow(sidecar("new")).current()).toBeUndefined();
  expect(lines.join("")).toContain("no profile can be made");
  current.set(mesh([], { ratings: "10.0.0.3" }));
  expect(addressOf(web.current(), "ratings")).toBe("10.0.0.3");
});
