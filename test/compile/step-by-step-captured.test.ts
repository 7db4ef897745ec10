import type { JsonObject } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createCompiler } from "../../src/compile/compile.ts";
import type { Rule } from "../../src/config/rule.ts";
import { bytesJson } from "../../src/envoy/pack.ts";
import { resourceType } from "../../src/envoy/resource-types.ts";
import type { CatalogEntry } from "../../src/model/catalog.ts";
import type { MeshSettings } from "../../src/model/mesh-settings.ts";
import type { ServicePort } from "../../src/model/port.ts";
import type { ProxyNode } from "../../src/model/proxy.ts";
import type { Service } from "../../src/model/service.ts";
import { egressEverywhere, instance, rule, service, sidecar, world } from "../support/mesh.ts";
import { connecting, framesOfSteps, meshRules, names, type Step, seldom } from "./steps.ts";

/* Step by step where connections are captured: what there is to listen at follows from the services, and from some instances. */

const own = "10.0.0.9";
type Shape = Pick<Service, "addresses" | "ports" | "resolution" | "createdAt">;

const aPort = fc
  .record({
    number: fc.constantFrom(80, 9080, 3306),
    protocol: fc.constantFrom("http", "tcp", "tls", "auto", "udp"),
  })
  .map(({ number, protocol }): ServicePort => ({ name: `p${number}`, number, protocol }));
const reach = fc.constantFrom<Pick<Shape, "addresses" | "resolution">>(
  ...[[], ["10.96.0.1"], ["10.96.0.1", "fd00::1"], ["fd00:0::2", "10.96.0.2"], ["10.8.0.0/16"], ["0.0.0.0/0"]].map(
    (addresses) => ({ addresses, resolution: "instances" as const }),
  ),
  { addresses: [], resolution: "original-destination" },
);
const aShape: fc.Arbitrary<Shape> = fc
  .record({
    reach,
    ports: fc.uniqueArray(aPort, { selector: ({ number }) => number, minLength: 1, maxLength: 2 }),
    createdAt: fc.nat(1),
  })
  .map(({ reach: how, ...rest }) => ({ ...rest, ...how }));

const plain = { addresses: [], resolution: "instances", createdAt: 0 } as const;
/** What they mostly are: one by host name, one by its address, one by the addresses of its instances. */
const usual: Readonly<Record<(typeof names)[number], Shape>> = {
  cart: { ...plain, ports: [{ name: "http", number: 9080, protocol: "http" }] },
  items: { ...plain, addresses: ["10.96.0.1"], ports: [{ name: "any", number: 9080, protocol: "auto" }] },
  users: { ...plain, resolution: "original-destination", ports: [{ name: "tcp", number: 80, protocol: "tcp" }] },
};

const shapedEntryOf = (name: (typeof names)[number]) =>
  fc
    .option(
      fc.record({
        shape: fc.oneof({ arbitrary: fc.constant(usual[name]), weight: 8 }, aShape),
        addresses: fc.oneof(
          { arbitrary: fc.subarray([1, 2, 3].map((last) => `10.0.${names.indexOf(name)}.${last}`)), weight: 8 },
          fc.subarray(["10.0.7.7", "fd00:7::7", own]),
        ),
      }),
      { nil: undefined, freq: 20 },
    )
    .map((one): readonly CatalogEntry[] => {
      if (one === undefined) return [];
      const instances = one.addresses.map((address, index) =>
        instance(address, { address, labels: { version: `v${index + 1}` } }),
      );
      const { service: made, ...rest } = service(name, instances);
      return [{ ...rest, service: { ...made, ...one.shape } }];
    });

const http = { number: 9080, protocol: "http", name: "http" } as const;
const capturedRules: readonly Rule[] = [
  ...meshRules,
  rule("Sidecar", "captured", {
    ingress: [],
    egress: [
      { port: http, captureMode: "DEFAULT", hosts: ["./cart.shop.svc.cluster.local"] },
      { captureMode: "DEFAULT", hosts: ["./*"] },
    ],
    outboundTrafficPolicy: "REGISTRY_ONLY",
  }),
  rule("Sidecar", "ruled", {
    workloadSelector: { app: "web" },
    ingress: [{ port: http, captureMode: "DEFAULT", defaultEndpoint: { address: "0.0.0.0", port: 8080 } }],
    egress: [
      { port: { ...http, number: 80 }, captureMode: "NONE", hosts: ["shop/*"] },
      { captureMode: "DEFAULT", hosts: ["shop/*", "far/*"] },
    ],
  }),
  rule("ServiceEntry", "outside", {
    hosts: ["outside.example.com", "users.shop.svc.cluster.local"],
    ports: [{ number: 9080, protocol: "tcp", name: "tcp" }],
    location: "MESH_EXTERNAL",
    addresses: ["10.8.0.0/16", "10.96.0.1"],
    resolution: "NONE",
    endpoints: [],
  }),
  rule("ServiceEntry", "by-hand", {
    hosts: ["by-hand.shop.svc.cluster.local"],
    ports: [{ number: 80, protocol: "http", name: "http" }],
    location: "MESH_INTERNAL",
    addresses: [],
    resolution: "STATIC",
    endpoints: [{ address: own, labels: {}, ports: { http: 8080 }, locality: "", weight: 1 }],
  }),
];

const capturedStep: fc.Arbitrary<Step> = fc.record({
  entries: fc.tuple(...names.map(shapedEntryOf)).map((lists) => lists.flat()),
  rules: seldom(fc.subarray([...capturedRules])),
  mesh: seldom(
    fc.oneof(
      connecting,
      fc.constantFrom<Partial<MeshSettings>>(
        { outboundTrafficPolicy: "REGISTRY_ONLY" },
        { outboundTrafficPolicy: "ALLOW_ANY", proxyHttpPort: 3128 },
        { proxyHttpPort: 0, proxyListenPort: 9080 },
        { proxyListenPort: 15001 },
      ),
    ),
  ),
});

const redirect = (addresses: readonly string[]) => sidecar("web-1", { interceptionMode: "redirect", addresses });
const dual = redirect([own, "fd00:7::7"]);
const captured: Readonly<Record<string, readonly ProxyNode[]>> = {
  "workloads of one namespace": [redirect([own]), redirect(["10.0.0.1"]), redirect(["10.9.9.9"])],
  "dual stack, also by TPROXY": [dual, { ...dual, interceptionMode: "tproxy" }],
  "IPv6 of a namespace that sees little": [
    sidecar("far", { namespace: "far", interceptionMode: "redirect", addresses: ["fd00:7::7"] }),
  ],
  "dialled, of the same mesh": [sidecar()],
};

describe.each(Object.entries(captured))("%s", (_, nodes) => {
  test("step by step is the same as at once", () => {
    expect(framesOfSteps(nodes, capturedStep, 60)).toBeLessThan(0.9);
  });
});

test("a Sidecar rule that dials what was captured, and goes, leaves nothing in the clusters behind", () => {
  const node = sidecar("web-1", { interceptionMode: "redirect" });
  const outside = capturedRules.filter(({ name }) => name === "outside");
  const [captive, dialling] = [outside, [...outside, egressEverywhere()]].map((rules) => world({ rules }));
  const compiler = createCompiler();
  const typeOf = (now = captive): unknown => {
    const cluster = now && compiler.compileFor(now, node).resources.CDS.get("outbound|9080||outside.example.com");
    return cluster && (bytesJson(resourceType("CDS").url, cluster.bytes) as JsonObject)["type"];
  };
  expect([captive, dialling, captive].map(typeOf)).toEqual(["ORIGINAL_DST", "EDS", "ORIGINAL_DST"]);
});
