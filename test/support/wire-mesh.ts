import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { TestContext } from "vitest";
import { freePorts, loopbackAddresses } from "../../src/app/dev/loopback.ts";
import { type EnvoyProcess, processLauncher } from "../../src/app/envoy/launch.ts";
import type { HttpRoute } from "../../src/config/kinds/virtual-service.ts";
import type { Rule } from "../../src/config/rule.ts";
import { type BootstrapNode, bootstrapFor, nodeIdOf } from "../../src/envoy/bootstrap.ts";
import type { CatalogEntry } from "../../src/model/catalog.ts";
import { envoyBinary, launchTestEnvoy } from "./envoy.ts";
import { instance, rule, service } from "./mesh.ts";

/* A small mesh for tests of delivery: one service in two versions, and any number of proxies in front of it. */

export type Variant = "delta" | "sotw";

export interface ProxyWish {
  readonly kind: "sidecar" | "gateway";
  readonly variant: Variant;
}

/** A proxy of the mesh; it listens for calls to the service on an address of its own. */
export interface WireProxy extends ProxyWish {
  readonly name: string;
  readonly node: BootstrapNode;
  /** Where its clients ask. */
  readonly url: string;
  readonly address: string;
}

/** Subsets of the service, by name: the version that each consists of. */
export type Subsets = Readonly<Record<string, "v1" | "v2">>;

export interface WireMesh {
  readonly proxies: readonly WireProxy[];
  /** The service's port, and the one that all proxies listen on. */
  readonly port: number;
  readonly services: readonly CatalogEntry[];
  /**
   * The rules: these subsets, and all requests to one of them. `ballast`: more routes that no request takes, each with this text
   * in it.
   */
  readonly rules: (subsets: Subsets, target: string, ballast?: Ballast) => readonly Rule[];
}

export interface Ballast {
  readonly routes: number;
  readonly text: string;
}

/** The service's name: what its callers write into the Host header. */
export const wireHost = "app.shop.svc.cluster.local";

const namespace = "shop";
/** An answer takes a while, so that there are always requests under way. */
const answerMs = 10;

/** Starts the two versions, which answer with their names, and gives each proxy an address. */
export async function planWireMesh(
  context: Pick<TestContext, "onTestFinished">,
  wishes: readonly ProxyWish[],
): Promise<WireMesh> {
  const addresses = await loopbackAddresses(wishes.length);
  const [port = 0] = await freePorts([{ address: addresses[0] ?? "127.0.0.1" }]);
  const versions = await Promise.all(["v1", "v2"].map((version) => startVersion(context, version)));
  const proxies = wishes.map((wish, index) => place(wish, index, addresses[index] ?? "127.0.0.1", port));
  const instances = versions.map(({ version, port: http }) =>
    instance(version, { address: "127.0.0.1", ports: { http }, labels: { version }, locality: "" }),
  );
  // The same objects in every world, as when a store is read anew.
  const listeners = proxies.map((proxy) => listenerOf(proxy, port));
  const gateways = proxies.filter(({ kind }) => kind === "gateway").map(({ name }) => name);
  return {
    proxies,
    port,
    services: [service("app", instances, { namespace, port })],
    rules: (subsets, target, ballast) => [
      ...listeners,
      rule("DestinationRule", "app", {
        host: wireHost,
        subsets: Object.entries(subsets).map(([name, version]) => ({ name, labels: { version } })),
      }),
      rule("VirtualService", "app", {
        hosts: [wireHost],
        gateways: ["mesh", ...gateways],
        http: [...ballastRoutes(ballast), { match: [], route: [{ host: wireHost, subset: target, weight: 0 }] }],
      }),
    ],
  };
}

function ballastRoutes({ routes, text }: Ballast = { routes: 0, text: "" }): readonly HttpRoute[] {
  return Array.from({ length: routes }, (_, index) => ({
    match: [{ headers: { "x-ballast": { kind: "exact", value: `${text} ${index}` } } }],
    route: [{ host: wireHost, weight: 0 }],
  }));
}

function place({ kind, variant }: ProxyWish, index: number, address: string, port: number): WireProxy {
  const name = `${kind}-${variant}-${index + 1}`;
  const id = nodeIdOf({ kind, ip: address, name, namespace, domain: "cluster.local" });
  const metadata = { NAMESPACE: namespace, LABELS: { proxy: name }, INTERCEPTION_MODE: "NONE" };
  const url = `http://${address}:${port}/`;
  return { kind, variant, name, address, url, node: { id, cluster: `${name}.${namespace}`, metadata } };
}

function listenerOf({ kind, name, address }: WireProxy, number: number): Rule {
  const port = { number, protocol: "http", name: "http" } as const;
  return kind === "gateway"
    ? rule("Gateway", name, { selector: { proxy: name }, servers: [{ port, bind: address, hosts: ["*"] }] })
    : rule("Sidecar", name, {
        workloadSelector: { proxy: name },
        ingress: [],
        egress: [{ port, bind: address, captureMode: "NONE", hosts: ["./*"] }],
      });
}

async function startVersion(
  context: Pick<TestContext, "onTestFinished">,
  version: string,
): Promise<{ readonly version: string; readonly port: number }> {
  const server: Server = createServer(async (incoming, response) => {
    incoming.resume();
    await delay(answerMs);
    response.end(`${version}\n`);
  });
  // The proxies close first: a connection that we close under a proxy's request would look like its fault.
  server.keepAliveTimeout = 0;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  context.onTestFinished(async () => {
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  });
  return { version, port: (server.address() as AddressInfo).port };
}

export interface WireEnvoy extends EnvoyProcess {
  readonly proxy: WireProxy;
}

/** Starts an Envoy for each proxy; resolves when all of them serve. */
export async function startWireEnvoys(
  context: Pick<TestContext, "skip" | "onTestFinished">,
  { proxies }: Pick<WireMesh, "proxies">,
  xdsPort: number,
): Promise<readonly WireEnvoy[]> {
  const { path } = await envoyBinary(context);
  const envoys = await Promise.all(
    proxies.map(async (proxy) => {
      const { name, node, variant } = proxy;
      const envoy = await launchTestEnvoy({
        cleanup: context.onTestFinished,
        launcher: processLauncher(path),
        name,
        bootstrap: bootstrapFor({
          node,
          xds: { host: "127.0.0.1", port: xdsPort, variant },
          admin: { host: "127.0.0.1", port: 0 },
        }),
      });
      return { ...envoy, proxy };
    }),
  );
  await Promise.all(envoys.map((envoy) => envoy.ready()));
  return envoys;
}
