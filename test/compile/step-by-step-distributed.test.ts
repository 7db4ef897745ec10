import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { asksAlike } from "../../src/compile/distribution.ts";
import { addressesTouched } from "../../src/compile/implemented.ts";
import { profileKey, profileOf } from "../../src/compile/profile.ts";
import { type CatalogEntry, createCatalog } from "../../src/model/catalog.ts";
import { parseLocality } from "../../src/model/locality.ts";
import type { ServicePort } from "../../src/model/port.ts";
import type { ProxyNode } from "../../src/model/proxy.ts";
import type { Service } from "../../src/model/service.ts";
import { shareCatalog } from "../../src/registry/share-catalog.ts";
import { gateway, host, instance, rule, service, sidecar, world } from "../support/mesh.ts";
import { connecting, framesOfSteps, meshRules, names, type Step, seldom } from "./steps.ts";

/* Step by step where services have aliases, are hidden from some, and ask where their clients are. */

const own = "10.0.0.9";

const both: readonly ServicePort[] = [
  { name: "http", number: 9080, protocol: "http" },
  { name: "udp", number: 81, protocol: "udp" },
  { name: "tcp", number: 81, protocol: "tcp" },
];

/** What they mostly are. */
const usual: Readonly<Record<(typeof names)[number], Partial<Service>>> = {
  cart: { distribution: "prefer-same-zone", ports: both },
  items: {},
  users: { distribution: "same-node" },
};

const unusual = fc.constantFrom<Partial<Service>>(
  { visibleIn: ["shop"] },
  { visibleIn: ["far"] },
  { visibleIn: [] },
  { distribution: "prefer-same-node", visibleIn: ["far"], ports: both },
  { addresses: ["10.96.0.1"], ports: both },
  { resolution: "original-destination", ports: both },
  ...names.map((name) => ({ ports: [], aliasOf: host(`${name}.shop.svc.cluster.local`) })),
  { ports: [], aliasOf: host("users.far.svc.cluster.local") },
);

const copy = fc
  .record({
    address: fc.constantFrom("10.0.1.1", "10.0.1.2", own),
    other: seldom(fc.constantFrom("fd00::1", "fd00::9")),
    locality: fc.constantFrom("r1/z1", "r1/z2"),
    node: seldom(fc.constantFrom("n1", "n2")),
    lacks: seldom(fc.constantFrom("http", "tcp")),
    health: fc.oneof(
      { arbitrary: fc.constant("healthy" as const), weight: 4 },
      fc.constantFrom("draining", "unhealthy"),
    ),
    version: fc.constantFrom("v1", "v2"),
  })
  .map(({ other, node, lacks, version, ...rest }) =>
    instance(rest.address, {
      ...rest,
      labels: { version },
      ...(other && { otherAddresses: [other] }),
      ...(node && { node }),
      ...(lacks && { lacks: [lacks] }),
    }),
  );

const entryOf = (name: (typeof names)[number], namespace = "shop") =>
  fc
    .option(
      fc.record({
        shape: fc.oneof({ arbitrary: fc.constant(usual[name]), weight: 40 }, unusual),
        copies: fc.uniqueArray(copy, { maxLength: 3, selector: ({ id }) => id }),
      }),
      { nil: undefined, freq: 50 },
    )
    .map((one): readonly CatalogEntry[] => {
      if (one === undefined) return [];
      const { service: made, ...rest } = service(name, one.copies, { namespace });
      return [{ ...rest, service: { ...made, ...one.shape } }];
    });

const step: fc.Arbitrary<Step> = fc.record({
  entries: fc.tuple(...names.map((name) => entryOf(name)), entryOf("users", "far")).map((lists) => lists.flat()),
  rules: seldom(
    fc.subarray([
      ...meshRules.filter(({ kind }) => kind !== "Sidecar"),
      rule("Sidecar", "narrow", {
        ingress: [],
        egress: [
          { captureMode: "DEFAULT", hosts: ["./cart.shop.svc.cluster.local", "./items.shop.svc.cluster.local"] },
        ],
      }),
    ]),
  ),
  mesh: seldom(connecting),
});

const redirect = (more: Partial<ProxyNode> = {}) => sidecar("web-1", { interceptionMode: "redirect", ...more });
const placed = { locality: parseLocality("r1/z1"), nodeName: "n1" };
const kinds: Readonly<Record<string, readonly ProxyNode[]>> = {
  "sidecars of several places": [
    redirect(placed),
    redirect({ ...placed, nodeName: "n2" }),
    redirect({ locality: parseLocality("r1/z2"), addresses: [own, "fd00::9"] }),
  ],
  "sidecars of another namespace": [
    redirect({ namespace: "far", dnsDomain: "far.svc.cluster.local" }),
    redirect({ ...placed, namespace: "far", dnsDomain: "far.svc.cluster.local", addresses: ["10.0.1.1"] }),
  ],
  "a gateway": [gateway("gw-1", placed)],
  "a gRPC client": [{ ...sidecar("client", { ...placed, addresses: ["10.0.0.7"] }), kind: "proxyless" }],
};

describe.each(Object.entries(kinds))("%s", (_, nodes) => {
  test("step by step is the same as at once", () => {
    expect(framesOfSteps(nodes, step, 50)).toBeLessThan(0.9);
  });
});

test("a change that asks for nothing else, and touches none of its addresses, leaves a proxy its profile", () => {
  const all = Object.values(kinds).flat();
  fc.assert(
    fc.property(step, step, (first, second) => {
      const before = world({ services: first.entries });
      const after = world({ catalog: shareCatalog(before.catalog, createCatalog(second.entries)) });
      const next = { ...after, rules: before.rules, holds: before.holds };
      if (!asksAlike(before.catalog.services, next.catalog.services)) return;
      const touched = addressesTouched(before.catalog, next);
      for (const node of all.filter(({ addresses }) => !addresses.some((one) => touched.has(one)))) {
        expect(profileKey(profileOf(next, node))).toBe(profileKey(profileOf(before, node)));
      }
    }),
  );
});
