import { expect, test } from "vitest";
import { createCompiler } from "../../src/compile/compile.ts";
import { originsAt } from "../../src/envoy/provenance.ts";
import { canary, egressEverywhere, instance, service, sidecar, world } from "../support/mesh.ts";

const reviews = service("reviews", [instance("a", { labels: { version: "v1" } })]);
const { resources } = createCompiler().compileFor(
  world({ services: [reviews], rules: [...canary("reviews", 90, 10), egressEverywhere()] }),
  sidecar(),
);
const table = resources.RDS.get("9080")?.provenance() ?? [];
const virtualHost = "/virtualHosts/1";

test.each([
  [
    `${virtualHost}/routes/0/route/weightedClusters/clusters/1/weight`,
    [{ kind: "rule", rule: "VirtualService/shop/reviews", pointer: "/spec/http/0/route/1/weight" }],
  ],
  [
    `${virtualHost}/routes/0/route/timeout`,
    [{ kind: "rule", rule: "VirtualService/shop/reviews", pointer: "/spec/http/0" }],
  ],
  [
    `${virtualHost}/domains/0`,
    [{ kind: "registry", registry: "test", service: "shop/reviews.shop.svc.cluster.local" }],
  ],
  ["/virtualHosts/0/name", [{ kind: "setting", name: "outboundTrafficPolicy" }]],
])("behind %s of a route table", (pointer, want) => {
  expect(originsAt(table, pointer)).toEqual(want);
});

test("an endpoint names the registry and the instance", () => {
  const endpoints = resources.EDS.get("outbound|9080|v1|reviews.shop.svc.cluster.local");
  expect(originsAt(endpoints?.provenance() ?? [], "/endpoints/0/lbEndpoints/0/endpoint/address")).toEqual([
    { kind: "registry", registry: "test", service: "shop/reviews.shop.svc.cluster.local", instance: "a" },
  ]);
});

test("a subset's cluster names its line in the DestinationRule", () => {
  const cluster = resources.CDS.get("outbound|9080|v2|reviews.shop.svc.cluster.local");
  expect(originsAt(cluster?.provenance() ?? [], "/name")[0]).toEqual({
    kind: "rule",
    rule: "DestinationRule/shop/reviews",
    pointer: "/spec/subsets/1",
  });
});
