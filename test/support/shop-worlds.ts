import type { World } from "../../src/compile/world.ts";
import type { SimpleLoadBalancer } from "../../src/config/kinds/destination-rule.ts";
import type { Rule } from "../../src/config/rule.ts";
import type { CatalogEntry } from "../../src/model/catalog.ts";
import { serviceKey } from "../../src/model/service.ts";
import { host, instance, rule, world } from "./mesh.ts";

/** A small mesh that can be changed in many ways, and the changes. Both are plain data. */
export interface Shop {
  readonly services: Readonly<Partial<Record<ServiceName, ShopService>>>;
  /** The second port is open. */
  readonly second: boolean;
  /** Of every cluster. */
  readonly connectTimeoutMs: number;
}

export interface ShopService {
  /** Subsets that exist. */
  readonly subsets: readonly Version[];
  /** Where its requests go, in equal shares; all of them exist. */
  readonly routed: readonly Version[];
  readonly balancer: SimpleLoadBalancer;
  /** Which copies of each version run: at least one. */
  readonly copies: Readonly<Record<Version, readonly number[]>>;
}

export const versions = ["v1", "v2", "v3"] as const;
export type Version = (typeof versions)[number];
export const serviceNames = ["cart", "items", "users"] as const;
export type ServiceName = (typeof serviceNames)[number];

const firstService: ShopService = {
  subsets: ["v1"],
  routed: ["v1"],
  balancer: "ROUND_ROBIN",
  copies: { v1: [0], v2: [0], v3: [0] },
};

export const firstShop: Shop = {
  services: { cart: firstService, items: firstService },
  second: false,
  connectTimeoutMs: 10_000,
};

/** Where things of a shop are on this machine. */
export interface ShopPorts {
  /** What clients call: the port that is always open, and the second one. */
  readonly listeners: readonly [number, number];
  /** Where the copies answer. */
  readonly copies: readonly number[];
}

export const hostOf = (service: ServiceName): string => `${service}.shop.svc.cluster.local`;

/** What may be asked of a shop: each service on each open port. */
export const requestsOf = ({ services, second }: Shop, { listeners: [always, other] }: ShopPorts): readonly Target[] =>
  serviceNames
    .filter((name) => services[name] !== undefined)
    .flatMap((name) => [always, ...(second ? [other] : [])].map((port) => ({ port, host: hostOf(name) })));

export interface Target {
  readonly port: number;
  readonly host: string;
}

export function worldOf(shop: Shop, ports: ShopPorts): World {
  const entries = Object.entries(shop.services) as [ServiceName, ShopService][];
  return world({
    services: entries.map(([name, service]) => entryOf(name, service, ports)),
    rules: [...openPorts(shop, ports), ...entries.flatMap(([name, service]) => rulesOf(name, service))],
    mesh: { connectTimeoutMs: shop.connectTimeoutMs },
  });
}

function entryOf(name: ServiceName, { copies }: ShopService, ports: ShopPorts): CatalogEntry {
  const hostname = host(hostOf(name));
  return {
    service: {
      key: serviceKey("shop", hostname),
      hostname,
      namespace: "shop",
      ports: ports.listeners.map((number, index) => ({ name: `http-${index}`, number, protocol: "http" })),
      addresses: [],
      resolution: "instances",
      external: false,
      createdAt: 0,
      origin: { kind: "registry", registry: "test" },
    },
    instances: versions.flatMap((version, row) =>
      copies[version].map((copy) => {
        const port = ports.copies[(row * 2 + copy) % ports.copies.length] ?? 0;
        return instance(`${name}-${version}-${copy}`, {
          address: "127.0.0.1",
          ports: { "http-0": port, "http-1": port },
          labels: { version },
        });
      }),
    ),
  };
}

/** The same ports, opened by a sidecar for its application and by a gateway for everybody. */
function openPorts({ second }: Shop, { listeners }: ShopPorts): readonly Rule[] {
  const open = listeners.slice(0, second ? 2 : 1);
  return [
    rule("Sidecar", "default", {
      ingress: [],
      egress: open.map((number) => ({
        port: { number, protocol: "http", name: `http-${number}` },
        bind: "127.0.0.1",
        captureMode: "NONE",
        hosts: ["*/*"],
      })),
    }),
    rule("Gateway", "door", {
      selector: { app: "gw" },
      servers: open.map((number) => ({
        port: { number, protocol: "http", name: `http-${number}` },
        bind: "127.0.0.1",
        hosts: ["*"],
      })),
    }),
  ];
}

function rulesOf(name: ServiceName, { subsets, routed, balancer }: ShopService): readonly Rule[] {
  const share = Math.floor(100 / routed.length);
  return [
    rule("DestinationRule", name, {
      host: hostOf(name),
      trafficPolicy: { loadBalancer: { simple: balancer } },
      subsets: subsets.map((version) => ({ name: version, labels: { version } })),
    }),
    rule("VirtualService", name, {
      hosts: [hostOf(name)],
      gateways: ["mesh", "door"],
      http: [
        {
          match: [],
          route: routed.map((subset, index) => ({
            host: hostOf(name),
            subset,
            weight: index === 0 ? 100 - share * (routed.length - 1) : share,
          })),
        },
      ],
    }),
  ];
}
