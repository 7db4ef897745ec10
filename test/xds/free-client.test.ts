import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Resource, ResourceSet } from "../../src/envoy/resource-set.ts";
import { resourceTypes, type TypeName } from "../../src/envoy/resource-types.ts";
import { wireSet } from "../support/wire-resources.ts";
import { DeltaDriver, SotwDriver } from "./driver.ts";
import { badVersion, FreeClient } from "./free-client.ts";
import { propertyRuns } from "./property-runs.ts";

/* Whatever a client asks, in whatever order, and whatever is lost: no response breaks a rule, and in the end it has what it is owed. */

const names = ["a", "b", "r/c"];
const types = resourceTypes.map(({ short }) => short);

const worldArb: fc.Arbitrary<ResourceSet> = fc
  .tuple(
    ...types.map((type) =>
      fc
        .dictionary(fc.constantFrom(...names), fc.constantFrom("1", "2", badVersion))
        .map((versions) => [type, versions] as const),
    ),
  )
  .map((entries) => wireSet(Object.fromEntries(entries)));

type Action =
  | { readonly act: "set"; readonly world: ResourceSet }
  | { readonly act: "ask"; readonly type: TypeName; readonly list: readonly string[] }
  | { readonly act: "take"; readonly change: readonly string[] }
  | { readonly act: "repeat"; readonly type: TypeName }
  | { readonly act: "timer"; readonly pick: number }
  | { readonly act: "reconnect" };

const typeArb = fc.constantFrom(...types);
const listArb = fc.array(fc.constantFrom(...names, "x", "*", ...[...names, "x", "*"].map((name) => `-${name}`)), {
  maxLength: 4,
});
const changeArb = fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: listArb });

const actionArb: fc.Arbitrary<Action> = fc.oneof(
  { weight: 3, arbitrary: worldArb.map((world): Action => ({ act: "set", world })) },
  { weight: 5, arbitrary: fc.tuple(typeArb, listArb).map(([type, list]): Action => ({ act: "ask", type, list })) },
  { weight: 9, arbitrary: changeArb.map((change): Action => ({ act: "take", change })) },
  { weight: 1, arbitrary: typeArb.map((type): Action => ({ act: "repeat", type })) },
  { weight: 1, arbitrary: fc.nat(5).map((pick): Action => ({ act: "timer", pick })) },
  { weight: 1, arbitrary: fc.constant<Action>({ act: "reconnect" }) },
);

const isBad = ({ version }: Resource): boolean => version === badVersion;

function play(variant: "sotw" | "delta", first: ResourceSet, actions: readonly Action[]) {
  let world = first;
  const client = new FreeClient(() => {
    const stream = variant === "sotw" ? new SotwDriver() : new DeltaDriver();
    stream.set(world);
    return stream;
  });
  for (const action of actions) {
    switch (action.act) {
      case "set":
        world = action.world;
        client.set(world);
        break;
      case "ask":
        client.ask(action.type, action.list);
        break;
      case "take":
        client.take(action.change);
        break;
      case "repeat":
        client.repeatAnswer(action.type);
        break;
      case "timer": {
        const timers = [...client.stream.timers];
        const timer = timers[action.pick % Math.max(1, timers.length)];
        if (timer !== undefined) client.stream.fire(timer);
        break;
      }
      case "reconnect":
        client.reconnect();
    }
    client.collect();
  }
  return { client, world };
}

describe.each(["sotw", "delta"] as const)("%s", (variant) => {
  test("no response breaks a rule, and what is good arrives", () => {
    fc.assert(
      fc.property(worldArb, fc.array(actionArb, { maxLength: 50 }), (first, actions) => {
        const { client, world } = play(variant, first, actions);
        client.settle();
        expect(client.faults).toEqual([]);
        const hasBad = types.some((type) => [...world.resources[type].values()].some(isBad));
        for (const { short, service, fullState, absent } of resourceTypes) {
          const asking = client.asking(short);
          if (asking === undefined || service[variant] === undefined) continue;
          const offered = world.resources[short];
          const asked = names.filter((name) => asking.wildcard || asking.names.has(name));
          const good = asked.filter((name) => offered.get(name)?.version !== badVersion);
          // What is gone stays while its users were refused: the proxy still runs the old ones.
          const isSaidGone =
            !hasBad && (variant === "delta" ? absent.delta !== "silent" : fullState || absent.sotw === "empty");
          for (const name of good) {
            const owed = offered.get(name)?.version;
            const held = client.held(short).get(name);
            if (owed !== undefined) expect(`${short} ${name} ${held}`).toBe(`${short} ${name} ${owed}`);
            else if (isSaidGone) expect([undefined, "absent"]).toContain(held);
          }
        }
      }),
      propertyRuns(400),
    );
  });
});
