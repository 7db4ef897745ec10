import { describe, expect, test } from "vitest";
import { createCompiler } from "../../src/compile/compile.ts";
import { profileOf } from "../../src/compile/profile.ts";
import { bytesJson } from "../../src/envoy/pack.ts";
import { resourceType } from "../../src/envoy/resource-types.ts";
import type { Hold } from "../../src/model/hold.ts";
import { canary, egressEverywhere, gateway, rule, service, sidecar, world } from "../support/mesh.ts";

const ingress = (defaultAddress: string, bind?: string) =>
  rule("Sidecar", "in", {
    ingress: [
      {
        port: { number: 9080, protocol: "http", name: "http" },
        captureMode: "NONE",
        defaultEndpoint: { address: defaultAddress, port: 8080 },
        ...(bind === undefined ? {} : { bind }),
      },
    ],
    egress: [],
  });

describe("a profile holds what matters and no more", () => {
  test("labels only as selectors in force that match", () => {
    const selecting = rule("Sidecar", "web", { workloadSelector: { app: "web" }, ingress: [], egress: [] });
    const elsewhere = rule(
      "Sidecar",
      "web",
      { workloadSelector: { team: "a" }, ingress: [], egress: [] },
      { namespace: "other" },
    );
    const node = sidecar("web-1", { labels: { app: "web", team: "a", build: "77" } });
    expect(profileOf(world({ rules: [selecting, elsewhere] }), node).selectors).toEqual(["app=web"]);
    expect(profileOf(world({}), node).selectors).toEqual([]);
  });

  test("gateways are told apart by Gateway rules of any namespace, sidecars are not", () => {
    const edge = rule("Gateway", "edge", { selector: { app: "gw" }, servers: [] }, { namespace: "other" });
    expect(profileOf(world({ rules: [edge] }), gateway()).selectors).toEqual(["app=gw"]);
    expect(profileOf(world({ rules: [edge] }), sidecar("x", { labels: { app: "gw" } })).selectors).toEqual([]);
  });

  test.each([
    ["no Sidecar rule", [], undefined],
    ["a fixed address on both sides", [ingress("127.0.0.1", "127.0.0.9")], undefined],
    ["listens on its own address", [ingress("127.0.0.1")], "10.0.0.9"],
    ["the application listens on its own address", [ingress("0.0.0.0", "127.0.0.9")], "10.0.0.9"],
  ])("the address: %s", (_, rules, want) => {
    expect(profileOf(world({ rules }), sidecar()).address).toBe(want);
  });
});

describe("a hold keeps its cohort at the rule's held version", () => {
  const [before, subsets] = canary("reviews", 90, 10);
  const [after] = canary("reviews", 10, 90);
  const hold: Hold = {
    id: "h1",
    cohort: { client: { name: "envoy", version: "1.36." } },
    rule: before?.key ?? "",
    revision: 1,
  };
  const parts = {
    services: [service("reviews")],
    rules: [after, subsets, egressEverywhere()].filter((one) => one !== undefined),
  };
  const old = sidecar("old", { client: { name: "envoy", version: "1.36.4" } });

  const weights = (held: Parameters<typeof world>[0], node = sidecar()): unknown => {
    const table = createCompiler().compileFor(world(held), node).resources.RDS.get("9080");
    const json = JSON.stringify(table && bytesJson(resourceType("RDS").url, table.bytes));
    return [...json.matchAll(/"weight":(\d+)/g)].map((match) => Number(match[1]));
  };

  test("and only its cohort", () => {
    const held = { ...parts, holds: [{ hold, rule: before as never }] };
    expect(weights(held, old)).toEqual([90, 10]);
    expect(weights(held)).toEqual([10, 90]);
    expect(weights(parts, old)).toEqual([10, 90]);
  });

  test("a rule that did not exist then is not there for the cohort", () => {
    expect(weights({ ...parts, holds: [{ hold }] }, old)).toEqual([]);
  });
});

test("a Sidecar rule that wants one address twice gets its first listener, and all else is served", () => {
  const port = { number: 9080, protocol: "http", name: "http" } as const;
  const twice = rule("Sidecar", "twice", {
    ingress: [{ port, bind: "127.0.0.1", captureMode: "NONE", defaultEndpoint: { address: "127.0.0.1", port: 8080 } }],
    egress: [{ port, captureMode: "NONE", hosts: ["*/*"] }],
  });
  const { resources } = createCompiler().compileFor(
    world({ services: [service("reviews")], rules: [twice] }),
    sidecar(),
  );
  expect([...resources.LDS.values()].map(({ name, provenance }) => [name, provenance()[0]?.origins])).toEqual([
    ["127.0.0.1_9080", [{ kind: "rule", rule: "Sidecar/shop/twice", pointer: "/spec/ingress/0" }]],
  ]);
  expect(resources.CDS.has("outbound|9080||reviews.shop.svc.cluster.local")).toBe(true);
});
