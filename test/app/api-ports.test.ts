import { expect, test } from "vitest";
import { createApiPorts } from "../../src/app/api-ports.ts";
import { createLog } from "../../src/base/log.ts";
import { createMetrics } from "../../src/base/metrics.ts";
import { createSignal } from "../../src/base/signal.ts";
import { createCompiler } from "../../src/compile/compile.ts";
import { createWorld, type World } from "../../src/compile/world.ts";
import { ruleKey } from "../../src/config/rule.ts";
import { createLedger } from "../../src/delivery/ledger.ts";
import { type Catalog, createCatalog } from "../../src/model/catalog.ts";
import { defaultMeshSettings } from "../../src/model/mesh-settings.ts";
import type { RegistryHealth, RegistrySource } from "../../src/registry/source.ts";
import { createResourceCache } from "../../src/snapshot/resource-cache.ts";
import { rulesOf, virtualService } from "../config/support.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { instance, service, sidecar } from "../support/mesh.ts";

const rules =
  rulesOf(`${virtualService("reviews", { namespace: "shop" }).replace("destination: {host: reviews", "destination: {host: nobody")}---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default, namespace: shop}
spec:
  egress: [{port: {number: 9080, protocol: HTTP, name: http}, captureMode: NONE, hosts: ["*/*"]}]
`);
const catalog = createCatalog([service("reviews", [instance("a")])]);

function start({ reported }: { readonly reported?: Catalog } = { reported: catalog }) {
  const registry: RegistrySource = {
    name: "file",
    catalog: createSignal(reported),
    health: createSignal<RegistryHealth>({ state: "LIVE", since: 0, problems: [] }),
    close: async () => {},
  };
  const world = createSignal<World | undefined>(reported && createWorld(reported, rules, [], defaultMeshSettings));
  const metrics = createMetrics();
  const log = createLog({ level: "silent", format: "json", write: () => {} });
  const resources = createResourceCache({ world, compiler: createCompiler(), clock: createFakeClock(0), log, metrics });
  const ledger = createLedger({ clock: createFakeClock(0), metrics });
  const [trouble, lag] = [createSignal<string | undefined>(undefined), createSignal<string | undefined>(undefined)];
  const [ruleSet, directory] = [createSignal(rules), createSignal(rules)];
  const registries = [registry];
  const conflicts = createSignal([]);
  const combined = createSignal(reported);
  const ports = createApiPorts({
    ...{
      ruleSet,
      directory,
      catalog: combined,
      world,
      registries,
      conflicts,
      ledger,
      resources,
      metrics,
      trouble,
      lag,
    },
  });
  return { ports, ledger, resources, trouble, lag, combined };
}

test("ready when every registry has reported and changes can be stored; else why not", () => {
  expect(start({}).ports.ready()).toEqual({
    ready: false,
    reasons: ['The registry "file" has not reported a complete catalog yet.'],
  });
  const { ports, trouble, lag } = start();
  expect(ports.ready()).toEqual({ ready: true, reasons: [] });
  lag.set("They cannot be written down.");
  expect(ports.ready()).toEqual({ ready: true, reasons: ["They cannot be written down."] });
  lag.set(undefined);
  trouble.set("The database is lost.");
  expect(ports.ready()).toEqual({ ready: false, reasons: ["The database is lost."] });
});

test("what is registered is shown at once: the next world waits until changes end", () => {
  const { ports, combined } = start();
  expect(ports.services()).toMatchObject([{ host: "reviews.shop.svc.cluster.local" }]);
  combined.set(createCatalog([]));
  expect(ports.services()).toEqual([]);
});

test("rules, findings and who manages a rule", () => {
  const { ports } = start();
  expect(ports.rules()).toMatchObject([
    { kind: "VirtualService", name: "reviews", inForce: "current" },
    { kind: "Sidecar" },
  ]);
  expect(ports.findings()).toMatchObject([{ about: { name: "reviews" }, code: "rule/unknown-host" }]);
  expect(ports.managerOf(ruleKey("VirtualService", "shop", "reviews"))).toEqual({
    kind: "directory",
    file: "rules.yaml",
    line: 1,
  });
});

test("a refusal names the rules behind the resource", () => {
  const { ports, ledger, resources } = start();
  const node = sidecar();
  const watch = resources.watch(node, () => {});
  ledger.opened({ stream: "s", node, variant: "delta", peer: "" });
  ledger.sent("s", "RDS", "n", [...(watch.current()?.resources.RDS.values() ?? [])]);
  expect(ports.proxies()).toMatchObject([{ id: node.id, types: { RDS: { pending: 1 } }, refusals: [] }]);
  ledger.refused("s", "RDS", "n", "no good");
  const [proxy] = ports.proxies();
  expect(proxy?.refusals).toMatchObject([
    { type: "RDS", resource: "9080", reason: "no good", at: "1970-01-01T00:00:00.000Z" },
  ]);
  expect(proxy?.refusals[0]?.rules).toContainEqual({
    rule: "VirtualService/shop/reviews",
    pointer: "/spec/http/0",
    file: "rules.yaml",
    line: 7,
    column: 7,
  });
  expect(ports.proxyConfig(node.id)?.resources.find(({ type }) => type === "RDS")?.state).toBe("refused");
});

test("what stands in for something in what a proxy gets, and why", () => {
  const { ports, ledger, resources } = start();
  const node = sidecar();
  const { close } = resources.watch(node, () => {});
  ledger.opened({ stream: "s", node, variant: "delta", peer: "" });
  expect(ports.proxies()[0]?.repairs).toEqual([
    {
      type: "CDS",
      resource: "outbound|9080||nobody.shop.svc.cluster.local",
      kind: "missing",
      reason: "a route names it, and no such service, port or subset is known",
    },
  ]);
  expect(ports.proxyConfig(node.id)?.resources.filter(({ repair }) => repair !== undefined)).toMatchObject([
    { type: "CDS", name: "outbound|9080||nobody.shop.svc.cluster.local", repair: { kind: "missing" } },
  ]);
  close();
  expect(ports.proxies()[0]).not.toHaveProperty("repairs");
});
