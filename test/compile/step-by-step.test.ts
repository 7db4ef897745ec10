import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CatalogEntry } from "../../src/model/catalog.ts";
import type { ProxyNode } from "../../src/model/proxy.ts";
import { gateway, instance, service, sidecar } from "../support/mesh.ts";
import { connecting, framesOfSteps, meshRules, names, type Step, seldom } from "./steps.ts";

/* Sidecars that are dialled, gateways and gRPC clients: each step is held to a compile that knows nothing of those before. */

const copies = fc.oneof(
  { arbitrary: fc.subarray(["v1", "v2", "v3", ""]), weight: 20 },
  fc.subarray(["v1", "v2", "name"]),
);

/** Some copies of a service; a copy with a host name for an address makes it one that is resolved. Mostly only copies come and go. */
const entryOf = (name: (typeof names)[number]) =>
  fc
    .option(
      fc.record({ ids: copies, port: fc.oneof({ arbitrary: fc.constant(9080), weight: 20 }, fc.constant(9090)) }),
      { nil: undefined, freq: 20 },
    )
    .map((one): readonly CatalogEntry[] => {
      if (one === undefined) return [];
      const list = one.ids.map((id, index) =>
        instance(id || "none", {
          labels: id === "" ? {} : { version: id },
          address: id === "name" ? "db.example.com" : `10.0.${names.indexOf(name)}.${index + 1}`,
          weight: index + 1,
        }),
      );
      const { service: made, ...rest } = service(name, list, { port: one.port });
      return [{ ...rest, service: { ...made, resolution: one.ids.includes("name") ? "dns" : "instances" } }];
    });

const step: fc.Arbitrary<Step> = fc.record({
  entries: fc.tuple(...names.map(entryOf)).map((lists) => lists.flat()),
  rules: seldom(fc.subarray([...meshRules])),
  mesh: seldom(connecting),
});

const kinds: Readonly<Record<string, ProxyNode>> = {
  sidecar: sidecar(),
  "sidecar of a namespace that sees little": sidecar("far", { namespace: "far" }),
  gateway: gateway(),
  proxyless: { ...sidecar("client"), kind: "proxyless", id: "proxyless~10.0.0.7~client.shop~shop.svc.cluster.local" },
};

describe.each(Object.entries(kinds))("%s", (_, node) => {
  test("step by step is the same as at once", () => {
    // Or nothing was seen of the way that is for instances alone.
    expect(framesOfSteps([node], step, 150)).toBeLessThan(0.9);
  });
});
