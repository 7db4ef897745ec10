import { expect, test } from "vitest";
import { proxyConfigView } from "../../src/app/proxy-config.ts";
import { createMetrics } from "../../src/base/metrics.ts";
import { createSignal } from "../../src/base/signal.ts";
import { createCompiler } from "../../src/compile/compile.ts";
import { createWorld } from "../../src/compile/world.ts";
import { createLedger } from "../../src/delivery/ledger.ts";
import { createResourceSet, type Resource } from "../../src/envoy/resource-set.ts";
import { createCatalog } from "../../src/model/catalog.ts";
import { defaultMeshSettings } from "../../src/model/mesh-settings.ts";
import { rulesOf } from "../config/support.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { instance, service, sidecar } from "../support/mesh.ts";

const ruleSet = rulesOf(`
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default, namespace: shop}
spec:
  egress: [{port: {number: 9080, protocol: HTTP, name: http}, captureMode: NONE, hosts: ["*/*"]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews, namespace: shop}
spec:
  hosts: [reviews]
  http:
    - route: [{destination: {host: reviews}}]
`);
const catalog = createCatalog([service("reviews", [instance("a")])]);
const world = createWorld(catalog, ruleSet, [], defaultMeshSettings);
const web = sidecar("web-1");
const set = createCompiler().compileFor(world, web);
const cluster = "outbound|9080||reviews.shop.svc.cluster.local";

function start(first = set) {
  const ledger = createLedger({ clock: createFakeClock(0), metrics: createMetrics() });
  let served: typeof set | undefined = first;
  const view = (id = web.id) =>
    proxyConfigView(id, { ruleSet: createSignal(ruleSet), ledger, resources: { resourcesOf: () => served } });
  const connect = () => ledger.opened({ stream: "s", node: web, variant: "delta", peer: "" });
  const serveNothing = () => {
    served = undefined;
  };
  return { ledger, view, connect, serveNothing };
}

test("all of it, in the order of types and names, with what the proxy said", () => {
  const { ledger, view, connect } = start();
  connect();
  ledger.sent("s", "CDS", "n1", [...set.resources.CDS.values()]);
  ledger.accepted("s", "CDS", "n1");
  ledger.sent("s", "LDS", "n2", [...set.resources.LDS.values()]);
  ledger.refused("s", "LDS", "n2", "no good");
  ledger.sent("s", "RDS", "n3", [{ name: "9080", version: "old" }]);
  const config = view();
  expect(config?.proxy).toBe(web.id);
  expect(config?.resources.map(({ type, name, state }) => `${type} ${name} ${state}`)).toEqual([
    "CDS BlackHoleCluster accepted",
    "CDS PassthroughCluster accepted",
    `CDS ${cluster} accepted`,
    `EDS ${cluster} undefined`,
    "LDS 127.0.0.1_9080 refused",
    "RDS 9080 pending",
  ]);
  expect(config?.resources.find(({ type }) => type === "EDS")).not.toHaveProperty("state");
  expect(config?.resources.every(({ version }) => version !== "")).toBe(true);
});

test("contents are proto JSON, and rules are named with their places", () => {
  const { view, connect } = start();
  connect();
  const routes = view()?.resources.find(({ type }) => type === "RDS");
  expect(routes).toMatchObject({
    version: set.resources.RDS.get("9080")?.version,
    config: { "@type": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration", name: "9080" },
  });
  expect(routes?.rules).toContainEqual({
    rule: "VirtualService/shop/reviews",
    pointer: "/spec/http/0",
    file: "rules.yaml",
    line: 14,
    column: 7,
  });
  expect(JSON.parse(JSON.stringify(routes))).toMatchObject({ config: { name: "9080" }, rules: routes?.rules });
});

test("only what is read is decoded", () => {
  const broken: Resource = {
    type: "CDS",
    name: "broken",
    version: "1",
    bytes: new Uint8Array([255]),
    references: [],
    provenance: () => [],
  };
  const { view, connect } = start(createResourceSet([broken, ...set.resources.EDS.values()]));
  connect();
  const [first, second] = view()?.resources ?? [];
  expect(second?.config).toMatchObject({ clusterName: cluster });
  expect(() => first?.config).toThrow();
});

test("a proxy that left can be read; one that is not known, or gets nothing yet, cannot", () => {
  const { ledger, view, connect, serveNothing } = start();
  expect(view()).toBeUndefined();
  connect();
  ledger.closed("s");
  expect(view()?.resources).toHaveLength(6);
  expect(view("x")).toBeUndefined();
  serveNothing();
  expect(view()).toBeUndefined();
});
