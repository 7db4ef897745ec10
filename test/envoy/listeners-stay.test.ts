import { expect, type TestContext, test } from "vitest";
import type { EnvoyAdmin } from "../../src/app/envoy/admin.ts";
import { systemClock } from "../../src/base/clock.ts";
import { createMetrics } from "../../src/base/metrics.ts";
import { createSignal } from "../../src/base/signal.ts";
import { createCompiler } from "../../src/compile/compile.ts";
import { createWorld } from "../../src/compile/world.ts";
import { createLedger, type Ledger } from "../../src/delivery/ledger.ts";
import { resourceState } from "../../src/delivery/resource-state.ts";
import { nodeIdOf } from "../../src/envoy/bootstrap.ts";
import { resourceTypes } from "../../src/envoy/resource-types.ts";
import type { Catalog } from "../../src/model/catalog.ts";
import type { Registrations } from "../../src/registry/rest/registrations.ts";
import { openRestRegistry } from "../../src/registry/rest/rest-registry.ts";
import { createResourceCache } from "../../src/snapshot/resource-cache.ts";
import { createXdsServer } from "../../src/xds/server.ts";
import { createLeaseDatabase, silentLog } from "../registry/rest-lab.ts";
import { envoyLines, startEnvoy } from "../support/envoy.ts";
import { freePort } from "../support/free-port.ts";
import { world as worldOf } from "../support/mesh.ts";
import { waitFor } from "../support/wait-for.ts";

/* A mesh that grows by 500 services, one by one, under a sidecar of each release: no listener is drained, and only those change that must. */

const size = 500;
const workload = "10.1.0.1";

interface Registration {
  readonly service: {
    readonly ports: readonly { readonly name: string; readonly number: number; readonly protocol?: string }[];
    readonly addresses?: readonly string[];
    readonly headless?: boolean;
  };
  readonly instances?: readonly string[];
  /** The listener that is there already and is another one with this service. */
  readonly changes?: string;
}

type Make = (index: number) => Registration;

const vip = (index: number): readonly string[] => [`10.96.${index >> 8}.${index & 255}`];
const httpPorts = [80, 8080, 9080] as const;

const http: Make = (index) => ({
  service: { ports: [{ name: "http", number: httpPorts[index % 3] ?? 80 }], addresses: vip(index) },
});

/** What most of a mesh is made of. */
const common: readonly Make[] = [
  http,
  (index) => ({ service: { ports: [{ name: "tcp", number: 9000 }], addresses: vip(index) } }),
  (index) => ({ service: { ports: [{ name: "tls", number: 443 }], addresses: vip(index) } }),
  (index) => ({ service: { ports: [{ name: "any", number: 7000 }], addresses: vip(index) } }),
  (index) => ({
    service: { ports: [{ name: "tcp", number: 6000 }], headless: true },
    instances: [1, 2].map((last) => `10.2.${index & 255}.${4 * (index >> 8) + last}`),
  }),
  // HTTP without an address.
  (index) => ({ service: { ports: [{ name: "http", number: httpPorts[index % 3] ?? 80 }] } }),
];

/** Services that come to a listener that is there, by their number. */
const joining: ReadonlyMap<number, Registration> = new Map([
  // TCP without an address takes what is not HTTP.
  [250, { service: { ports: [{ name: "tcp", number: 80 }] }, changes: "0.0.0.0_80" }],
  // TLS without an address is told apart by server names; the first one opens the listener.
  [100, { service: { ports: [{ name: "tls", number: 8443 }] } }],
  [200, { service: { ports: [{ name: "tls", number: 8443 }] }, changes: "0.0.0.0_8443" }],
  [300, { service: { ports: [{ name: "tls", number: 8443 }] }, changes: "0.0.0.0_8443" }],
  // A network is told apart by the address.
  [350, { service: { ports: [{ name: "tcp", number: 80 }], addresses: ["10.9.0.0/16"] }, changes: "0.0.0.0_80" }],
  // What the workload itself implements.
  [400, { ...http(400), instances: [workload], changes: "virtualInbound" }],
  [450, { service: { ports: [{ name: "tcp", number: 5000 }] }, instances: [workload], changes: "virtualInbound" }],
]);

const registrations: readonly Registration[] = Array.from(
  { length: size },
  (_, index) => joining.get(index) ?? (common[index % common.length] ?? http)(index),
);

interface Plane extends Pick<Registrations, "putService" | "putInstances"> {
  readonly port: number;
  readonly ledger: Ledger;
  /** How many services there are in the world that proxies are served of. */
  readonly services: () => number;
  /** Has the proxy accepted all that there is for it, in its present version? */
  readonly isUpToDate: (id: string) => boolean;
}

/** The control plane from a registry to the wire without what gathers changes: each registration is a world of its own, at once. */
async function startPlane({ onTestFinished }: Pick<TestContext, "onTestFinished">): Promise<Plane> {
  const [clock, log, metrics] = [systemClock, silentLog, createMetrics()];
  const { call } = createLeaseDatabase();
  const registry = await openRestRegistry({ call, clock, log });
  const ports = { proxyListenPort: await freePort(), proxyInboundListenPort: await freePort() };
  const { rules, holds, mesh } = worldOf({ mesh: ports });
  const worldAt = (catalog: Catalog | undefined) =>
    catalog && createWorld(catalog, { rules, revision: 1 }, holds, mesh);
  const world = createSignal(worldAt(registry.catalog.value));
  registry.catalog.subscribe((catalog) => world.set(worldAt(catalog)));
  const cache = createResourceCache({ world, compiler: createCompiler(), clock, log, metrics });
  const ledger = createLedger({ clock, metrics });
  const server = createXdsServer({ ...{ feed: cache, recorder: ledger, metrics, log, clock }, identifier: "test" });
  onTestFinished(async () => {
    await server.close();
    cache.close();
    await registry.close();
  });
  const { putService, putInstances } = registry.registrations;
  return {
    ...{ putService, putInstances, ledger, port: await server.listen("127.0.0.1", 0) },
    services: () => world.value?.catalog.services.size ?? 0,
    isUpToDate(id) {
      const receipts = ledger.receiptsOf(id);
      const set = receipts && cache.servedTo(receipts.node)?.resources;
      if (receipts === undefined || set === undefined) return false;
      return resourceTypes.every(({ short }) =>
        [...set.resources[short].values()].every(
          (resource) => resourceState(resource, receipts.receipt(short, resource.name)) === "accepted",
        ),
      );
    },
  };
}

interface HeldListener {
  readonly name: string;
  readonly active_state?: { readonly last_updated: string };
}

async function heldListeners(admin: EnvoyAdmin): Promise<readonly HeldListener[]> {
  const dump = await admin.configDump({ resource: "dynamic_listeners" });
  return (dump as { readonly configs: readonly HeldListener[] }).configs;
}

/** What they say of the growth; draining and warming are of this moment. */
const counters =
  "^listener_manager\\.(listener_(added|modified|in_place_updated|removed|stopped|create_failure)|total_listeners_(draining|warming)|lds\\.update_rejected)$";

/** When a proxy first accepted each listener, and what it refused. */
interface Seen {
  readonly arrivals: Map<string, number>;
  readonly refusals: string[];
}

function follow(ledger: Ledger, id: string): Seen {
  const seen: Seen = { arrivals: new Map(), refusals: [] };
  ledger.subscribe((event) => {
    if (event.node.id !== id) return;
    if (event.on === "refused") seen.refusals.push(`${event.type}: ${event.reason}`);
    if (event.on !== "accepted" || event.type !== "LDS") return;
    for (const name of event.changed) if (!seen.arrivals.has(name)) seen.arrivals.set(name, event.atMs);
  });
  return seen;
}

test(`${size} services come one by one, and Envoys ${envoyLines.join(" and ")} drain no listener`, {
  timeout: 120_000,
}, async (context) => {
  const { ledger, putService, putInstances, services, isUpToDate, port } = await startPlane(context);
  // Both are on the same ports: Envoys share theirs (SO_REUSEPORT), and nobody calls.
  const proxies = await Promise.all(
    envoyLines.map(async (line) => {
      const id = nodeIdOf({ kind: "sidecar", ip: workload, name: line, namespace: "shop", domain: "cluster.local" });
      const seen = follow(ledger, id);
      const envoy = await startEnvoy({ context, line, node: { id, cluster: "web.shop" }, xdsPort: port });
      return { line, id, seen, admin: await envoy.ready() };
    }),
  );
  const arrived = (what: string) => waitFor(() => proxies.every(({ id }) => isUpToDate(id)), { what });
  await arrived("the first configuration");

  for (const [index, { service, instances = [] }] of registrations.entries()) {
    const host = `s${index}.shop.svc.cluster.local`;
    await putService(host, service, "test");
    if (instances.length > 0) {
      await putInstances(host, { instances: instances.map((address) => ({ id: address, address })) }, "test");
    }
    expect(services()).toBe(index + 1);
    await arrived(`service ${index} at the proxies`);
  }

  const changes = registrations.flatMap((one) => one.changes ?? []);
  for (const { line, seen, admin } of proxies) {
    const { arrivals, refusals } = seen;
    expect(refusals, line).toEqual([]);
    expect(Object.fromEntries(await admin.stats(counters)), line).toEqual({
      "listener_manager.listener_added": arrivals.size,
      "listener_manager.listener_modified": changes.length,
      // Only the filter chains that are others now are drained.
      "listener_manager.listener_in_place_updated": changes.length,
      "listener_manager.listener_removed": 0,
      "listener_manager.listener_stopped": 0,
      "listener_manager.listener_create_failure": 0,
      "listener_manager.total_listeners_draining": 0,
      "listener_manager.total_listeners_warming": 0,
      "listener_manager.lds.update_rejected": 0,
    });
    const held = await heldListeners(admin);
    expect(held.map(({ name }) => name).sort(), line).toEqual([...arrivals.keys()].sort());
    expect(held.filter(({ active_state }) => active_state === undefined)).toEqual([]);
    const isLater = ({ name, active_state }: HeldListener): boolean =>
      Date.parse(active_state?.last_updated ?? "") > (arrivals.get(name) ?? 0);
    const later = held.filter(isLater).map(({ name }) => name);
    // All others are what they were when they came.
    expect(later.sort(), line).toEqual([...new Set(changes)].sort());
  }
});
