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
import type { Instance } from "../../src/model/instance.ts";
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

function start(size: number) {
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
  const present = createSignal<World | undefined>(
    world({ services: [...entries, other], rules: [egressEverywhere(), onlyOther, ...canary("s0", 90, 10)] }),
  );
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
  for (const node of [...whole, ...scoped]) {
    const stream = new DeltaDriver();
    const endpoints = new Set<string>();
    const settle = (): void => {
      for (let sent = stream.responses(); sent.length > 0; sent = stream.responses()) {
        for (const { type, content } of sent) {
          responses.encode("delta", type, content, undefined);
          count.sent += content.resources.length + content.removed.length;
          const clusters = content.resources
            .flatMap(({ references }) => references)
            .filter(({ type: named, name }) => named === "EDS" && !endpoints.has(name));
          for (const { name } of clusters) endpoints.add(name);
          if (clusters.length > 0) {
            stream.ask(
              "EDS",
              clusters.map(({ name }) => name),
            );
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
    stream.ask("RDS", [...set.resources.RDS.keys()]);
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

const newcomer = service("newcomer", [instance("a", { address: "12.0.0.1" })]);

const withNewcomer = ({ catalog, rules, revision, holds, mesh }: World): World => {
  const { service: one, instances } = newcomer;
  const next = {
    services: catalog.services.with([[one.key, one]]),
    instances: catalog.instances.with([[one.key, instances]]),
  };
  return createWorld(next, { rules, revision }, holds, mesh);
};

const withoutNewcomer = ({ catalog, rules, revision, holds, mesh }: World): World => {
  const gone = [[newcomer.service.key, undefined] as const];
  const next = { services: catalog.services.with(gone), instances: catalog.instances.with(gone) };
  return createWorld(next, { rules, revision }, holds, mesh);
};

const heavier = (instances: readonly Instance[]) => instances.map((one) => ({ ...one, weight: 7 }));
const cluster = (name: string, subset = "", namespace = "shop") =>
  `outbound|9080|${subset}|${host(`${name}.${namespace}.svc.cluster.local`)}`;

describe.each([100, 5_000])("%d services", (size) => {
  const { effectOf } = start(size);

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
    expect(effectOf(withNewcomer)).toEqual({
      ...{ frames: 1, services: 1, made: [`CDS ${cluster("newcomer")}`, `EDS ${cluster("newcomer")}`, "RDS 9080"] },
      ...{ encoded: 3, told: whole.length, sent: 3 * whole.length },
    });
    expect(effectOf(withoutNewcomer)).toMatchObject({
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
