import { describe, expect, test } from "vitest";
import { createAspects } from "../../src/compile/aspects.ts";
import type { Broken } from "../../src/compile/broken.ts";
import { createCompiler } from "../../src/compile/compile.ts";
import { guardAspects } from "../../src/compile/guard.ts";
import { fromSetting } from "../../src/compile/origins.ts";
import type { OutboundListener } from "../../src/compile/outbound-plan.ts";
import { outboundPolicyOf, sidecarSettings } from "../../src/compile/sidecar-settings.ts";
import type { RuleSpecs } from "../../src/config/rule.ts";
import { bytesJson } from "../../src/envoy/pack.ts";
import type { Resource, ResourceSet } from "../../src/envoy/resource-set.ts";
import { resourceType } from "../../src/envoy/resource-types.ts";
import { canary, egressEverywhere, gateway, instance, rule, service, sidecar, world } from "../support/mesh.ts";

const services = [service("reviews", [instance("a")]), service("ratings", [instance("b")])];
const to = (name: string) => ({ destination: { host: name }, host: name, weight: 1 });

/** A VirtualService whose routes cannot be compiled. */
const hostile = (name: string, gateways = ["mesh"]) =>
  rule("VirtualService", name, {
    hosts: [name],
    gateways,
    http: [
      {
        route: [to(name)],
        get match(): never {
          throw new Error("planted");
        },
      } as unknown as RuleSpecs["VirtualService"]["http"][number],
    ],
  });

const cluster = (name: string) => `outbound|9080||${name}.shop.svc.cluster.local`;
const json = (resource: Resource | undefined) =>
  resource && JSON.parse(JSON.stringify(bytesJson(resourceType(resource.type).url, resource.bytes)));
const hostsOf = (set: ResourceSet, table: string) =>
  json(set.resources.RDS.get(table)).virtualHosts.map(
    ({ name, routes = [] }: { name: string; routes?: { directResponse?: object; route?: object }[] }) =>
      `${name} ${routes.map(({ directResponse }) => (directResponse ? JSON.stringify(directResponse) : "routed")).join(" ")}`,
  );

describe("a rule whose routes cannot be compiled", () => {
  test("takes one virtual host of a sidecar, which answers 503; all else is there", () => {
    const rules = [hostile("reviews"), egressEverywhere()];
    const set = createCompiler().compileFor(world({ services, rules }), sidecar());
    const without = createCompiler().compileFor(world({ services, rules: [egressEverywhere()] }), sidecar());
    expect(hostsOf(set, "9080")).toEqual([
      "allow_any routed",
      "ratings.shop.svc.cluster.local:9080 routed",
      'reviews.shop.svc.cluster.local:9080 {"status":503}',
    ]);
    expect(set.repairs).toEqual([{ type: "RDS", name: "9080", kind: "broken", reason: "planted" }]);
    for (const type of ["CDS", "EDS", "LDS"] as const) {
      expect([...set.resources[type].keys()]).toEqual([...without.resources[type].keys()]);
    }
  });

  test("takes the host at a gateway, where it shares it with another rule too", () => {
    const edge = rule("Gateway", "edge", {
      selector: { app: "gw" },
      servers: [{ port: { number: 80, protocol: "http", name: "http" }, hosts: ["*"] }],
    });
    const other = (name: string, host: string) =>
      rule("VirtualService", name, {
        hosts: [host],
        gateways: ["edge"],
        http: [{ match: [], route: [to("ratings")] }],
      });
    const rules = [edge, hostile("reviews", ["edge"]), other("more", "reviews"), other("ratings", "ratings")];
    const set = createCompiler().compileFor(world({ services, rules }), gateway());
    expect(hostsOf(set, "http.80")).toEqual([
      "ratings.shop.svc.cluster.local:80 routed",
      'reviews.shop.svc.cluster.local:80 {"status":503}',
    ]);
  });

  test("is named behind what stands in for it", () => {
    const set = createCompiler().compileFor(
      world({ services, rules: [hostile("reviews"), egressEverywhere()] }),
      sidecar(),
    );
    const origins = set.resources.RDS.get("9080")
      ?.provenance()
      .flatMap((row) => row.origins);
    expect(origins).toContainEqual({ kind: "rule", rule: "VirtualService/shop/reviews", pointer: "/spec" });
    expect(origins).toContainEqual({ kind: "repair", reason: "planted" });
  });
});

test("a cluster that cannot be compiled is empty, and only it", () => {
  const policy = {
    get loadBalancer(): never {
      throw new Error("planted");
    },
  };
  const odd = rule("DestinationRule", "odd", { host: "reviews", subsets: [], trafficPolicy: policy });
  const set = createCompiler().compileFor(world({ services, rules: [odd] }), sidecar());
  expect(json(set.resources.CDS.get(cluster("reviews")))).toMatchObject({ type: "STATIC" });
  expect(json(set.resources.CDS.get(cluster("ratings")))).toMatchObject({ type: "EDS" });
  expect([...set.resources.EDS.keys()]).toEqual([cluster("ratings")]);
  expect(set.repairs).toMatchObject([{ type: "CDS", name: cluster("reviews"), kind: "broken" }]);
});

test("endpoints that cannot be compiled are none, and only they", () => {
  const odd = {
    ...instance("a"),
    get health(): never {
      throw new Error("planted");
    },
  };
  const set = createCompiler().compileFor(
    world({ services: [service("reviews", [odd]), service("ratings", [instance("b")])] }),
    sidecar(),
  );
  expect(json(set.resources.EDS.get(cluster("reviews"))).endpoints ?? []).toEqual([]);
  expect(json(set.resources.EDS.get(cluster("ratings"))).endpoints).toHaveLength(1);
  expect(set.repairs).toMatchObject([{ type: "EDS", name: cluster("reviews"), kind: "broken" }]);
});

describe("each aspect that throws is told as the resource that it was for", () => {
  const planted = (): never => {
    throw new Error("planted");
  };
  const guarded = (broken: Broken[]) => {
    const aspects = {
      ...createAspects(),
      ...{ routeTable: planted, outboundListener: planted, ingress: planted, gatewayListener: planted },
      ...{ serviceVirtualHost: planted, hostVirtualHost: planted },
    };
    return guardAspects(aspects, (one) => broken.push(one));
  };
  const { mesh } = world({});
  const settings = sidecarSettings(mesh, outboundPolicyOf(mesh, undefined), "none", "ipv4");
  const listener: OutboundListener = {
    ...{ binds: ["127.0.0.1"], port: 80, captured: false, passesRest: false },
    ...{ http: { kind: "shared" }, tcp: [] },
  };
  const port = { number: 80, protocol: "http", name: "http" } as const;

  test("listeners, with nothing in their place", () => {
    const broken: Broken[] = [];
    const aspects = guarded(broken);
    const own = rule("Sidecar", "own", {
      ingress: [{ port, captureMode: "NONE", defaultEndpoint: { address: "127.0.0.1", port: 8080 } }],
      egress: [{ port, captureMode: "NONE", hosts: ["*/*"] }],
    });
    const edge = rule("Gateway", "edge", { selector: {}, servers: [{ port, hosts: ["*"], bind: "10.0.0.1" }] });
    expect(aspects.outboundListener(listener, settings, fromSetting("test"))).toBeUndefined();
    expect(aspects.ingress(own, settings, 0, "10.0.0.9")).toEqual([]);
    expect(aspects.gatewayListener(edge, 0)).toBeUndefined();
    expect(broken.map(({ type, name, standIn }) => [type, name, standIn])).toEqual([
      ["LDS", "127.0.0.1_80", undefined],
      ["LDS", "10.0.0.9_80", undefined],
      ["LDS", "10.0.0.1_80", undefined],
    ]);
  });

  test("a whole route table, which answers 503", () => {
    const broken: Broken[] = [];
    const table = guarded(broken).routeTable("80", []);
    expect(json(table)).toMatchObject({
      virtualHosts: [{ domains: ["*"], routes: [{ directResponse: { status: 503 } }] }],
    });
    expect(broken).toMatchObject([{ type: "RDS", name: "80", error: { message: "planted" } }]);
  });

  test("virtual hosts of services and of rules, with their domain", () => {
    const broken: Broken[] = [];
    const aspects = guarded(broken);
    const [first = planted()] = services;
    const [virtualService = planted()] = canary("reviews", 1, 1);
    const hosts = [
      aspects.serviceVirtualHost(first.service, port, "", undefined),
      aspects.hostVirtualHost(
        virtualService as Parameters<typeof aspects.hostVirtualHost>[0],
        first.service.hostname,
        81,
        [],
      ),
    ];
    expect(hosts.map(({ domains }) => domains)).toEqual([[first.service.hostname], [first.service.hostname]]);
    aspects.routeTable("80", hosts);
    expect(broken).toMatchObject([{ type: "RDS", name: "80" }]);
  });
});
