import { type Addresses, addressesOf, type Family, virtualAddressesOf } from "./network.ts";
import type { Speech } from "./peers/exchange.ts";

export interface PortPlan {
  readonly name: string;
  readonly number: number;
  /** Where its pods listen; default: the same. */
  readonly target?: number;
  readonly speaks: Speech;
}

/** A namespace and its number in the network. */
export interface Place {
  readonly name: string;
  readonly number: number;
}

export interface PodPlan extends Place {
  readonly version: string;
}

export interface ServicePlan {
  readonly name: string;
  /** None: it is headless. */
  readonly virtual?: Addresses;
  readonly ports: readonly PortPlan[];
  readonly pods: readonly PodPlan[];
  /** What its pods listen on and no registry knows. */
  readonly undeclared?: Readonly<Record<number, Speech>>;
}

export const namespace = "shop";

export const hostOf = (service: string): string => `${service}.${namespace}.svc.cluster.local`;

export const client: PodPlan = { name: "web-1", version: "v1", number: 3 };

export const web = {
  name: "web",
  virtual: virtualAddressesOf(1),
  ports: [{ name: "http", number: 80, target: 8080, speaks: "http" }],
  pods: [client],
} satisfies ServicePlan;

export const reviews = {
  name: "reviews",
  virtual: virtualAddressesOf(2),
  ports: [
    { name: "http", number: 9080, target: 8080, speaks: "http" },
    { name: "http2", number: 9091, target: 18_091, speaks: "http2" },
    { name: "grpc", number: 9090, speaks: "grpc" },
    { name: "tls", number: 8443, target: 18_443, speaks: "tls" },
    { name: "tcp", number: 7000, speaks: "bytes" },
    { name: "tcp-greeting", number: 7001, target: 17_001, speaks: "greeting" },
    { name: "something", number: 7070, target: 17_070, speaks: "any" },
    { name: "database", number: 3306, speaks: "greeting" },
  ],
  pods: [
    { name: "reviews-v1", version: "v1", number: 4 },
    { name: "reviews-v2", version: "v2", number: 5 },
  ],
  undeclared: { 5000: "any", 5001: "greeting" },
} satisfies ServicePlan & { readonly pods: readonly [PodPlan, PodPlan] };

export const ratings: ServicePlan = {
  name: "ratings",
  ports: [
    { name: "tcp", number: 6000, speaks: "bytes" },
    { name: "http", number: 9080, speaks: "http" },
  ],
  pods: [
    { name: "ratings-0", version: "v1", number: 6 },
    { name: "ratings-1", version: "v1", number: 7 },
  ],
};

export const services: readonly ServicePlan[] = [web, reviews, ratings];

/** What the pods of a service listen on. */
export const listensOf = ({ ports, undeclared }: ServicePlan): Readonly<Record<number, Speech>> => ({
  ...Object.fromEntries(ports.map(({ number, target = number, speaks }) => [target, speaks])),
  ...undeclared,
});

/** Whom no registry knows, and who has no sidecar. */
export const outside = {
  name: "outside",
  number: 8,
  ports: { 5000: "any", 5001: "greeting", 7000: "bytes", 9080: "http", 9090: "bytes", 9091: "tls" } satisfies Record<
    number,
    Speech
  >,
};

/** The catalog that a registry has of them: each address of a pod is an instance. */
export const catalogOf = (families: readonly Family[]) => ({
  services: services.map(({ name, virtual, ports, pods }) => ({
    host: hostOf(name),
    ...(virtual === undefined ? { headless: true } : { addresses: families.map((family) => virtual[family]) }),
    ports: ports.map((port) => ({ name: port.name, number: port.number })),
    instances: pods.flatMap((each) =>
      families.map((family) => ({
        address: addressesOf(each.number)[family],
        labels: { app: name, version: each.version },
        ports: Object.fromEntries(ports.map((port) => [port.name, port.target ?? port.number])),
      })),
    ),
  })),
});
