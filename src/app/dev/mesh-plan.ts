import { freePorts, loopbackAddresses } from "./loopback.ts";

/** One copy of an example service with its sidecar. */
export interface WorkloadPlan {
  readonly service: string;
  readonly version: string;
  /** Its own address; the sidecar listens there. */
  readonly address: string;
  /** Where the sidecar takes calls to it. */
  readonly ingressPort: number;
  /** Services that it calls, each through a listener of its sidecar on the service's port. */
  readonly calls: readonly string[];
}

/** What its proxy is called: `reviews-v2`. */
export const proxyNameOf = ({ service, version }: Pick<WorkloadPlan, "service" | "version">): string =>
  `${service}-${version}`;

/** Who runs where in the example mesh: `gateway -> web -> [reviews, ratings]`, both of them in two versions. */
export interface MeshPlan {
  readonly namespace: string;
  readonly gateway: { readonly address: string; readonly port: number };
  /** Service name to the port number that its clients call. */
  readonly servicePorts: Readonly<Record<string, number>>;
  readonly workloads: readonly WorkloadPlan[];
  readonly controlPlane: {
    readonly host: string;
    readonly xds: number;
    readonly api: number;
    readonly metrics: number;
  };
}

const loopback = "127.0.0.1";

export interface PlanOptions {
  /** Try the well-known ports first; default true. False: whatever the system gives. */
  readonly usualPorts?: boolean;
}

/** Chooses addresses and ports of this machine that are free now; the usual ones where it can, so that they stay the same. */
export async function planMesh({ usualPorts = true }: PlanOptions = {}): Promise<MeshPlan> {
  const [web = loopback, first = loopback, second = loopback, rated = loopback, ratedAnew = loopback] =
    await loopbackAddresses(5);
  const [
    gateway = 0,
    xds = 0,
    api = 0,
    metrics = 0,
    webIn = 0,
    reviews = 0,
    ratings = 0,
    firstIn = 0,
    secondIn = 0,
    ratedIn = 0,
    ratedAnewIn = 0,
  ] = await freePorts(
    [
      [loopback, 8080] as const,
      [loopback, 15_010] as const,
      [loopback, 15_080] as const,
      [loopback, 15_014] as const,
      [web, 8000] as const,
      [web, 9080] as const,
      [web, 9090] as const,
      [first, 9080] as const,
      [second, 9080] as const,
      [rated, 9090] as const,
      [ratedAnew, 9090] as const,
    ].map(([address, preferred]) => (usualPorts ? { address, preferred } : { address })),
  );
  return {
    namespace: "shop",
    gateway: { address: loopback, port: gateway },
    servicePorts: { web: webIn, reviews, ratings },
    workloads: [
      { service: "web", version: "v1", address: web, ingressPort: webIn, calls: ["reviews", "ratings"] },
      { service: "reviews", version: "v1", address: first, ingressPort: firstIn, calls: [] },
      { service: "reviews", version: "v2", address: second, ingressPort: secondIn, calls: [] },
      { service: "ratings", version: "v1", address: rated, ingressPort: ratedIn, calls: [] },
      { service: "ratings", version: "v2", address: ratedAnew, ingressPort: ratedAnewIn, calls: [] },
    ],
    controlPlane: { host: loopback, xds, api, metrics },
  };
}
