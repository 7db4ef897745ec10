import { describe, expect, test } from "vitest";
import { createWorld, type World } from "../../src/compile/world.ts";
import type { AnyRule, Rule } from "../../src/config/rule.ts";
import { canary, egressEverywhere, instance, rule, service, sidecar, world } from "../support/mesh.ts";
import {
  cluster,
  heavier,
  startCounting,
  withCopies,
  withInstances,
  withoutService,
  withService,
} from "./proportion-lab.ts";

/*
 * What a change costs, in counts: of profiles gone through, services looked at, resources made, responses encoded, streams told and
 * resources sent. It is what the change touches, in a small mesh and in a large one.
 */

/** Sees everything. */
const whole = Array.from({ length: 3 }, (_, index) => sidecar(`web-${index}`));
/** Sees one service of another namespace. */
const scoped = Array.from({ length: 2 }, (_, index) => sidecar(`far-${index}`, { namespace: "far" }));

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

describe.each([100, 5_000])("%d services", (size) => {
  const { effectOf } = startCounting(dialledMesh(size), [...whole, ...scoped]);

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
    expect(effectOf(withCopies)).toMatchObject({ encoded: 0, told: 0, sent: 0 });
  });
});
