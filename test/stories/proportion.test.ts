import { describe, expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { createLog } from "../../src/base/log.ts";
import { createMetrics } from "../../src/base/metrics.ts";
import { OrderedMap } from "../../src/base/ordered-map.ts";
import { createSignal } from "../../src/base/signal.ts";
import { createCompiler } from "../../src/compile/compile.ts";
import { createWorld, type World } from "../../src/compile/world.ts";
import type { AnyRule, Rule } from "../../src/config/rule.ts";
import type { TypeName } from "../../src/envoy/resource-types.ts";
import type { CatalogEntry } from "../../src/model/catalog.ts";
import type { Instance } from "../../src/model/instance.ts";
import type { Protocol } from "../../src/model/port.ts";
import type { ProxyNode } from "../../src/model/proxy.ts";
import type { Service } from "../../src/model/service.ts";
import { createResourceCache } from "../../src/snapshot/resource-cache.ts";
import { createResponseCache } from "../../src/xds/response-cache.ts";
import { canary, egressEverywhere, host, instance, rule, service, sidecar, world } from "../support/mesh.ts";
import { DeltaDriver } from "../xds/driver.ts";

/*
 * What a change costs, in counts: of profiles gone through, services looked at, resources made, responses encoded, streams told and
 * resources sent. It is what the change touches, in a small mesh and in a large one.
 */

/** Sees everything. */
const whole = Array.from({ length: 3 }, (_, index) => sidecar(`web-${index}`));
/** Sees one service of another namespace. */
const scoped = Array.from({ length: 2 }, (_, index) => sidecar(`far-${index}`, { namespace: "far" }));

interface Counts {
  readonly frames: number;
  readonly services: number;
  readonly made: readonly string[];
  readonly encoded: number;
  readonly told: number;
  readonly sent: number;
}

function start(first: World, nodes: readonly ProxyNode[]) {
  const present = createSignal<World | undefined>(first);
  const count = { frames: 0, services: 0, made: [] as string[], encoded: 0, told: 0, sent: 0 };
  const cache = createResourceCache({
    world: present,
    clock: systemClock,
    compiler: createCompiler({
      onFrame: () => {
        count.frames++;
      },
      onService: () => {
        count.services++;
      },
      onResource: ({ type, name }) => count.made.push(`${type} ${name}`),
    }),
    log: createLog({ level: "error", format: "json", write: () => {} }),
    metrics: createMetrics(),
  });
  const responses = createResponseCache({
    ...{ identifier: "cp", firstSequence: 0, maxBytes: 64_000_000 },
    onEncode: () => {
      count.encoded++;
    },
  });
  for (const node of nodes) {
    const stream = new DeltaDriver();
    const asked = new Set<string>();
    const settle = (): void => {
      for (let sent = stream.responses(); sent.length > 0; sent = stream.responses()) {
        for (const { type, content } of sent) {
          responses.encode("delta", type, content, undefined);
          count.sent += content.resources.length + content.removed.length;
          // As an Envoy does: of what it was sent.
          const named = Map.groupBy(
            content.resources.flatMap(({ references }) => references),
            ({ type: of }) => of,
          );
          for (const short of ["EDS", "RDS"] as const) {
            const names = (named.get(short) ?? []).map(({ name }) => name).filter((name) => !asked.has(name));
            for (const name of names) asked.add(name);
            if (names.length > 0) stream.ask(short, names);
          }
          stream.ack(type.short);
        }
      }
    };
    const watch = cache.watch(node, (set) => {
      count.told++;
      stream.set(set);
      settle();
    });
    const set = watch.current();
    if (set === undefined) throw new Error("no set");
    stream.set(set);
    for (const type of ["CDS", "LDS"] satisfies TypeName[]) stream.ask(type, ["*"]);
    settle();
  }

  /** What came of the worlds that `change` makes of the present one. */
  const effectOf = (change: (before: World) => World): Counts => {
    Object.assign(count, { frames: 0, services: 0, made: [], encoded: 0, told: 0, sent: 0 });
    if (present.value !== undefined) present.set(change(present.value));
    return { ...count, made: [...count.made].sort() };
  };
  return { effectOf };
}

function dialledMesh(size: number): World {
  const entries = Array.from({ length: size }, (_, index) =>
    service(`s${index}`, [
      instance("a", { address: `10.${index >> 8}.${index & 255}.1`, labels: { version: "v1" } }),
      instance("b", { address: `10.${index >> 8}.${index & 255}.2`, labels: { version: "v2" } }),
    ]),
  );
  const other = service("other", [instance("a", { address: "11.0.0.1" })], { namespace: "far" });
  const onlyOther = rule(
    "Sidecar",
    "default",
    {
      ingress: [],
      egress: [{ port: { number: 9080, protocol: "http", name: "http" }, captureMode: "NONE", hosts: ["far/*"] }],
    },
    { namespace: "far" },
  );
  return world({ services: [...entries, other], rules: [egressEverywhere(), onlyOther, ...canary("s0", 90, 10)] });
}

const withInstances =
  (name: string, change: (instances: readonly Instance[]) => readonly Instance[], namespace = "shop") =>
  ({ catalog, rules, revision, holds, mesh }: World): World => {
    const { key } = service(name, [], { namespace }).service;
    const instances = catalog.instances.with([[key, change(catalog.instances.get(key) ?? [])]]);
    return createWorld({ services: catalog.services, instances }, { rules, revision }, holds, mesh);
  };

const withRules =
  (...changed: readonly Rule[]) =>
  ({ catalog, rules, revision, holds, mesh }: World): World =>
    createWorld(
      catalog,
      { rules: rules.with((changed as readonly AnyRule[]).map((one) => [one.key, one])), revision: revision + 1 },
      holds,
      mesh,
    );

const withService =
  ({ service: one, instances }: CatalogEntry) =>
  ({ catalog, rules, revision, holds, mesh }: World): World => {
    const next = {
      services: catalog.services.with([[one.key, one]]),
      instances: catalog.instances.with([[one.key, instances]]),
    };
    return createWorld(next, { rules, revision }, holds, mesh);
  };

const withoutService =
  ({ service: { key } }: CatalogEntry) =>
  ({ catalog, rules, revision, holds, mesh }: World): World => {
    const gone = [[key, undefined] as const];
    const next = { services: catalog.services.with(gone), instances: catalog.instances.with(gone) };
    return createWorld(next, { rules, revision }, holds, mesh);
  };

const newcomer = service("newcomer", [instance("a", { address: "12.0.0.1" })]);

const heavier = (instances: readonly Instance[]) => instances.map((one) => ({ ...one, weight: 7 }));
const cluster = (name: string, subset = "", namespace = "shop") =>
  `outbound|9080|${subset}|${host(`${name}.${namespace}.svc.cluster.local`)}`;

describe.each([100, 5_000])("%d services", (size) => {
  const { effectOf } = start(dialledMesh(size), [...whole, ...scoped]);

  test("an endpoint of one: its endpoints, for those who see it", () => {
    expect(effectOf(withInstances("s7", heavier))).toEqual({
      ...{ frames: 0, services: 1, made: [`EDS ${cluster("s7")}`] },
      ...{ encoded: 1, told: whole.length, sent: whole.length },
    });
  });

  test("an endpoint of one with subsets: theirs too, as far as it is in them", () => {
    const [v1, all] = [`EDS ${cluster("s0", "v1")}`, `EDS ${cluster("s0")}`];
    const made = [all, v1].sort();
    expect(
      effectOf(withInstances("s0", (list) => list.map((one) => (one.id === "a" ? { ...one, weight: 3 } : one)))),
    ).toEqual({
      ...{ frames: 0, services: 1, made, encoded: 1, told: whole.length, sent: 2 * whole.length },
    });
  });

  test("an endpoint of one that others see as well", () => {
    expect(effectOf(withInstances("other", heavier, "far"))).toEqual({
      ...{ frames: 0, services: 2, made: [`EDS ${cluster("other", "", "far")}`] },
      ...{ encoded: 1, told: whole.length + scoped.length, sent: whole.length + scoped.length },
    });
  });

  test("the weights of one VirtualService: one route table", () => {
    const [virtualService = egressEverywhere()] = canary("s0", 50, 50);
    expect(effectOf(withRules(virtualService))).toEqual({
      ...{ frames: 1, services: 0, made: ["RDS 9080"], encoded: 1, told: whole.length, sent: whole.length },
    });
  });

  test("a DestinationRule: the clusters that it changes, and their endpoints", () => {
    const random = rule("DestinationRule", "s9", {
      host: "s9",
      subsets: [],
      trafficPolicy: { loadBalancer: { simple: "RANDOM" } },
    });
    expect(effectOf(withRules(random))).toEqual({
      ...{ frames: 0, services: 1, made: [`CDS ${cluster("s9")}`, `EDS ${cluster("s9")}`] },
      ...{ encoded: 2, told: whole.length, sent: 2 * whole.length },
    });
  });

  test("a service that comes, and goes: its cluster, its endpoints and the route table, for those who see it", () => {
    expect(effectOf(withService(newcomer))).toEqual({
      ...{ frames: 1, services: 1, made: [`CDS ${cluster("newcomer")}`, `EDS ${cluster("newcomer")}`, "RDS 9080"] },
      ...{ encoded: 3, told: whole.length, sent: 3 * whole.length },
    });
    expect(effectOf(withoutService(newcomer))).toMatchObject({
      // The route table that there was before.
      ...{ frames: 1, services: 0, made: [], told: whole.length },
    });
  });

  test("an edit that changes nothing of what is compiled: nothing", () => {
    const [virtualService = egressEverywhere()] = canary("s0", 50, 50);
    const labelled = { ...virtualService, labels: { team: "a" } };
    expect(effectOf(withRules(labelled))).toMatchObject({ encoded: 0, told: 0, sent: 0 });
    expect(
      effectOf(({ catalog, rules, holds, mesh }) => createWorld(catalog, { rules, revision: 99 }, holds, mesh)),
    ).toEqual({
      ...{ frames: 0, services: 0, made: [], encoded: 0, told: 0, sent: 0 },
    });
  });

  test("equal things that are other objects: nothing is sent", () => {
    const copied = effectOf(({ catalog, rules, revision, holds, mesh }) => {
      const instances = OrderedMap.of([...catalog.instances].map(([key, list]) => [key, [...list]] as const));
      return createWorld({ services: catalog.services, instances }, { rules, revision }, holds, mesh);
    });
    expect(copied).toMatchObject({ encoded: 0, told: 0, sent: 0 });
  });
});

/*
 * Sidecars whose connections are captured: workloads of four namespaces, each of which implements a service of its own. What is looked
 * at once for all workloads of a namespace is counted by namespaces, what is sent by workloads.
 */

const namespaces = 4;
const perNamespace = 5;
const workloads = namespaces * perNamespace;
const addressOf = (index: number) => `10.200.0.${index}`;

const owned = Array.from({ length: workloads }, (_, index) =>
  service(`own-${index % perNamespace}`, [instance("a", { address: addressOf(index) })], {
    namespace: `team-${Math.floor(index / perNamespace)}`,
    port: 8080,
  }),
);
const captured = owned.map(({ service: { namespace } }, index) =>
  sidecar(`web-${index}`, {
    ...{ namespace, dnsDomain: `${namespace}.svc.cluster.local` },
    ...{ interceptionMode: "redirect", addresses: [addressOf(index)] },
  }),
);

function shaped(name: string, protocol: Protocol, index: number, more: Partial<Service> = {}): CatalogEntry {
  const [high, low] = [index >> 8, index & 255];
  const { service: made, instances } = service(name, [
    instance("a", { address: `10.${high}.${low}.1` }),
    instance("b", { address: `10.${high}.${low}.2` }),
  ]);
  const ports = [{ name: "p", number: 9080, protocol }];
  return { service: { ...made, ports, addresses: [`10.100.${high}.${low}`], ...more }, instances };
}

const protocols: readonly Protocol[] = ["http", "tcp", "auto", "tls"];

const capturedMesh = (size: number): World =>
  world({
    services: [
      ...Array.from({ length: size }, (_, index) => shaped(`s${index}`, protocols[index % 4] ?? "http", index)),
      ...owned,
    ],
  });

const typesIn = (made: readonly string[]): number => new Set(made.map((one) => one.split(" ")[0])).size;

describe.each([100, 2_000])("%d services, and sidecars whose connections are captured", (size) => {
  const { effectOf } = start(capturedMesh(size), captured);
  /** Its address is nobody else's. */
  const last = 65_535;
  const both = (name: string) => [`CDS ${cluster(name)}`, `EDS ${cluster(name)}`];

  test("an endpoint of one: its endpoints, looked at once for each namespace", () => {
    expect(effectOf(withInstances("s1", heavier))).toEqual({
      ...{ frames: 0, services: namespaces, made: [`EDS ${cluster("s1")}`] },
      ...{ encoded: 1, told: workloads, sent: workloads },
    });
  });

  // Removals wait for their grace time: each has a name of its own.
  test.each<[string, CatalogEntry, readonly string[]]>([
    ["TCP: its listener", shaped("sql", "tcp", last), [...both("sql"), "LDS 10.100.255.255_9080"]],
    [
      "TCP without an address: the listener of its port",
      shaped("any-sql", "tcp", last, { addresses: [] }),
      [...both("any-sql"), "LDS 0.0.0.0_9080"],
    ],
    ["HTTP: the table of its port, which all see alike", shaped("web", "http", last), [...both("web"), "RDS 9080"]],
    [
      "not declared: its listener, its table, and that of its port for calls by host name",
      shaped("any", "auto", last - 1),
      [...both("any"), "LDS 10.100.255.254_9080", "RDS 9080", "RDS any.shop.svc.cluster.local:9080"],
    ],
    [
      "headless: listeners for its instances",
      shaped("peers", "tcp", last, { addresses: [], resolution: "original-destination" }),
      [`CDS ${cluster("peers")}`, "LDS 10.255.255.1_9080", "LDS 10.255.255.2_9080"],
    ],
  ])("a service that comes and goes, %s", (_, entry, made) => {
    expect(effectOf(withService(entry))).toEqual({
      ...{ frames: namespaces, services: namespaces, made, encoded: typesIn(made) },
      ...{ told: workloads, sent: made.length * workloads },
    });
    expect(effectOf(withoutService(entry))).toMatchObject({
      // What there was before.
      ...{ frames: namespaces, services: 0, made: [], told: workloads },
    });
  });

  test("a workload's own service that comes: besides, a listener and a cluster for that workload alone", () => {
    const entry = service("own", [instance("a", { address: addressOf(7) })]);
    const made = ["CDS inbound|9080||", ...both("own"), "LDS virtualInbound", "RDS 9080"];
    expect(effectOf(withService(entry))).toEqual({
      // Its clusters are a response of their own.
      ...{ frames: namespaces, services: namespaces, made, encoded: typesIn(made) + 1 },
      ...{ told: workloads, sent: 3 * workloads + 2 },
    });
    expect(effectOf(withoutService(entry))).toMatchObject({
      frames: namespaces,
      services: 0,
      made: [],
      told: workloads,
    });
  });

  test("an instance of a known service at one workload: its endpoints for all, and the way in for that workload", () => {
    const at = (address: string) => (list: readonly Instance[]) => [...list, instance("c", { address })];
    const made = ["CDS inbound|9080||", `EDS ${cluster("s1")}`, "LDS virtualInbound"];
    expect(effectOf(withInstances("s1", at(addressOf(3))))).toEqual({
      ...{ frames: 0, services: namespaces, made, encoded: typesIn(made) },
      ...{ told: workloads, sent: workloads + 2 },
    });
  });

  test("equal things that are other objects: nothing is sent", () => {
    const copied = effectOf(({ catalog, rules, revision, holds, mesh }) => {
      const instances = OrderedMap.of([...catalog.instances].map(([key, list]) => [key, [...list]] as const));
      return createWorld({ services: catalog.services, instances }, { rules, revision }, holds, mesh);
    });
    expect(copied).toMatchObject({ encoded: 0, told: 0, sent: 0 });
  });
});
