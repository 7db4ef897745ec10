import { systemClock } from "../../src/base/clock.ts";
import { createLog } from "../../src/base/log.ts";
import { createMetrics } from "../../src/base/metrics.ts";
import { OrderedMap } from "../../src/base/ordered-map.ts";
import { createSignal } from "../../src/base/signal.ts";
import { createCompiler } from "../../src/compile/compile.ts";
import { createWorld, type World } from "../../src/compile/world.ts";
import type { TypeName } from "../../src/envoy/resource-types.ts";
import type { CatalogEntry } from "../../src/model/catalog.ts";
import type { Instance } from "../../src/model/instance.ts";
import type { ProxyNode } from "../../src/model/proxy.ts";
import { createResourceCache } from "../../src/snapshot/resource-cache.ts";
import { createResponseCache } from "../../src/xds/response-cache.ts";
import { host, service } from "../support/mesh.ts";
import { DeltaDriver } from "../xds/driver.ts";

/** What a change costs. */
export interface Counts {
  readonly frames: number;
  readonly services: number;
  readonly made: readonly string[];
  readonly encoded: number;
  readonly told: number;
  readonly sent: number;
}

/** The stations from worlds to responses, with a stream for each of these nodes, which is settled before anything is counted. */
export function startCounting(first: World, nodes: readonly ProxyNode[]) {
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

/* Changes of a world. */

export const withInstances =
  (name: string, change: (instances: readonly Instance[]) => readonly Instance[], namespace = "shop") =>
  ({ catalog, rules, revision, holds, mesh }: World): World => {
    const { key } = service(name, [], { namespace }).service;
    const instances = catalog.instances.with([[key, change(catalog.instances.get(key) ?? [])]]);
    return createWorld({ services: catalog.services, instances }, { rules, revision }, holds, mesh);
  };

export const withService =
  ({ service: one, instances }: CatalogEntry) =>
  ({ catalog, rules, revision, holds, mesh }: World): World => {
    const next = {
      services: catalog.services.with([[one.key, one]]),
      instances: catalog.instances.with([[one.key, instances]]),
    };
    return createWorld(next, { rules, revision }, holds, mesh);
  };

export const withoutService =
  ({ service: { key } }: CatalogEntry) =>
  ({ catalog, rules, revision, holds, mesh }: World): World => {
    const gone = [[key, undefined] as const];
    const next = { services: catalog.services.with(gone), instances: catalog.instances.with(gone) };
    return createWorld(next, { rules, revision }, holds, mesh);
  };

/** Equal things that are other objects. */
export const withCopies = ({ catalog, rules, revision, holds, mesh }: World): World => {
  const instances = OrderedMap.of([...catalog.instances].map(([key, list]) => [key, [...list]] as const));
  return createWorld({ services: catalog.services, instances }, { rules, revision }, holds, mesh);
};

export const heavier = (instances: readonly Instance[]) => instances.map((one) => ({ ...one, weight: 7 }));
export const cluster = (name: string, subset = "", namespace = "shop") =>
  `outbound|9080|${subset}|${host(`${name}.${namespace}.svc.cluster.local`)}`;
