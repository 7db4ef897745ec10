import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createResourceSet, type ResourceSet } from "../../src/envoy/resource-set.ts";
import { resourceTypes, type TypeName } from "../../src/envoy/resource-types.ts";
import { wireSet } from "../support/wire-resources.ts";
import { DeltaDriver, SotwDriver } from "./driver.ts";
import { ModelClient } from "./model-client.ts";
import { propertyRuns } from "./property-runs.ts";

/** Any sequence of changes, requests, answers, losses and timers; then fair delivery: the client has what it is owed. */

const clusterNames = ["c0", "c1", "c2", "c3"];
const routeNames = ["r0", "r1", "r2"];

/** A consistent set: routes name clusters that exist, the version of endpoints covers their cluster. */
const worldArb = fc
  .record({
    clusters: fc.dictionary(fc.constantFrom(...clusterNames), fc.nat(2), { minKeys: 1 }),
    endpoints: fc.nat(2),
    listeners: fc.dictionary(fc.constantFrom("l0", "l1"), fc.nat(2)),
    routes: fc.dictionary(fc.constantFrom(...routeNames), fc.tuple(fc.nat(3), fc.nat(1))),
  })
  .map(({ clusters, endpoints, listeners, routes }) => {
    const names = Object.keys(clusters).sort();
    const versions = <V>(table: Record<string, V>, text: (value: V) => string): Record<string, string> =>
      Object.fromEntries(Object.entries(table).map(([name, value]) => [name, text(value)]));
    return wireSet({
      CDS: versions(clusters, String),
      EDS: versions(clusters, (version) => `${version}.${endpoints}`),
      LDS: versions(listeners, String),
      RDS: versions(routes, ([pick, version]) => `${names[pick % names.length]}/${version}`),
    });
  });

type Action =
  | { readonly act: "set"; readonly world: ResourceSet }
  | { readonly act: "open"; readonly type: TypeName }
  | { readonly act: "routes"; readonly names: readonly string[] }
  | { readonly act: "to-server" | "to-client" | "reconnect" | "refuse" }
  | { readonly act: "timer"; readonly pick: number };

const common = [
  { weight: 4, arbitrary: worldArb.map((world): Action => ({ act: "set", world })) },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom(...resourceTypes.map(({ short }) => short))
      .map((type): Action => ({ act: "open", type })),
  },
  { weight: 2, arbitrary: fc.subarray(routeNames).map((names): Action => ({ act: "routes", names })) },
  { weight: 8, arbitrary: fc.constant<Action>({ act: "to-server" }) },
  { weight: 8, arbitrary: fc.constant<Action>({ act: "to-client" }) },
  { weight: 2, arbitrary: fc.nat(5).map((pick): Action => ({ act: "timer", pick })) },
];
const reconnecting = { weight: 1, arbitrary: fc.constant<Action>({ act: "reconnect" }) };
const refusing = { weight: 1, arbitrary: fc.constant<Action>({ act: "refuse" }) };

function play(variant: "sotw" | "delta", first: ResourceSet, actions: readonly Action[], atWork = false) {
  let world = first;
  const newStream = () => {
    const stream = variant === "sotw" ? new SotwDriver() : new DeltaDriver();
    stream.set(world);
    return stream;
  };
  const client = new ModelClient(newStream, (name) => world.resources.RDS.has(name));
  if (atWork) client.settle();
  client.strict = atWork;
  for (const action of actions) {
    switch (action.act) {
      case "set":
        world = action.world;
        client.stream.set(world);
        client.collect();
        break;
      case "open":
        client.open(action.type);
        break;
      case "routes":
        client.wantRoutes(new Set(action.names));
        break;
      case "to-server":
        client.deliverToServer();
        break;
      case "to-client":
        client.deliverToClient();
        break;
      case "reconnect":
        client.reconnect();
        break;
      case "refuse":
        client.refuseNext();
        break;
      case "timer": {
        const timers = [...client.stream.timers].filter((timer) => !atWork || timer.startsWith("grace/"));
        const timer = timers[action.pick % Math.max(1, timers.length)];
        if (timer !== undefined) client.stream.fire(timer);
        client.collect();
      }
    }
  }
  return { client, world };
}

function expectHeldIsOwed(client: ModelClient, { resources }: ResourceSet): void {
  for (const { short } of resourceTypes) {
    const wanted = client.wanted(short);
    const names = wanted === "all" ? [...client.held[short].keys(), ...resources[short].keys()] : wanted;
    const there = names.filter((name) => wanted === "all" || resources[short].has(name));
    const owed = there.map((name) => [name, resources[short].get(name)?.version]);
    expect(there.map((name) => [name, client.held[short].get(name)])).toEqual(owed);
  }
}

/** Every version of it is new to everybody. */
const freshWorld = wireSet({
  CDS: { c0: "fresh", c9: "fresh" },
  EDS: { c0: "fresh", c9: "fresh" },
  LDS: { l0: "fresh" },
  RDS: { r0: "c9/fresh", r1: "c0/fresh", r2: "c0/fresh" },
});

describe.each(["sotw", "delta"] as const)("%s", (variant) => {
  test("a client that accepts everything ends with what it is owed, and never has a route without its cluster", () => {
    fc.assert(
      fc.property(worldArb, fc.array(fc.oneof(...common, reconnecting), { maxLength: 60 }), (first, actions) => {
        const { client, world } = play(variant, first, actions);
        client.settle();
        expect(client.faults).toEqual([]);
        expectHeldIsOwed(client, world);
      }),
      propertyRuns(400),
    );
  });

  test("while no wait runs out, a client at work never has a route whose cluster is without endpoints", () => {
    fc.assert(
      fc.property(worldArb, fc.array(fc.oneof(...common), { maxLength: 60 }), (first, actions) => {
        const { client, world } = play(variant, first, actions, true);
        client.settle();
        expect(client.faults).toEqual([]);
        expectHeldIsOwed(client, world);
      }),
      propertyRuns(400),
    );
  });

  test("a client that refuses now and then ends with what it is owed once that is new", () => {
    fc.assert(
      fc.property(
        worldArb,
        fc.array(fc.oneof(...common, reconnecting, refusing), { maxLength: 60 }),
        (first, actions) => {
          const { client } = play(variant, first, actions);
          client.settle();
          client.stream.set(freshWorld);
          client.settle();
          expect(client.faults.filter((fault) => !fault.includes("names the missing"))).toEqual([]);
          expectHeldIsOwed(client, freshWorld);
        },
      ),
      propertyRuns(400),
    );
  });

  test("at rest nothing more is sent, whatever is recomputed", () => {
    fc.assert(
      fc.property(
        worldArb,
        fc.array(fc.oneof(...common, reconnecting, refusing), { maxLength: 30 }),
        (first, actions) => {
          const { client, world } = play(variant, first, actions);
          client.settle();
          client.stream.set(
            createResourceSet(resourceTypes.flatMap(({ short }) => [...world.resources[short].values()])),
          );
          expect(client.stream.sent()).toEqual([]);
          expect([...client.stream.timers]).toEqual([]);
        },
      ),
      propertyRuns(100),
    );
  });
});
