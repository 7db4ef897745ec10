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

/** Who runs where in the example mesh: `gateway -> web -> [reviews, ratings]`, reviews in two versions. */
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

/** Chooses addresses and ports of this machine that are free now; the usual ones where it can, so that they stay the same. */
export async function planMesh(): Promise<MeshPlan> {
  const [web = loopback, first = loopback, second = loopback, rated = loopback] = await loopbackAddresses(4);
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
  ] = await freePorts([
    { address: loopback, preferred: 8080 },
    { address: loopback, preferred: 15_010 },
    { address: loopback, preferred: 15_080 },
    { address: loopback, preferred: 15_014 },
    { address: web, preferred: 8000 },
    { address: web, preferred: 9080 },
    { address: web, preferred: 9090 },
    { address: first, preferred: 9080 },
    { address: second, preferred: 9080 },
    { address: rated, preferred: 9090 },
  ]);
  return {
    namespace: "shop",
    gateway: { address: loopback, port: gateway },
    servicePorts: { web: webIn, reviews, ratings },
    workloads: [
      { service: "web", version: "v1", address: web, ingressPort: webIn, calls: ["reviews", "ratings"] },
      { service: "reviews", version: "v1", address: first, ingressPort: firstIn, calls: [] },
      { service: "reviews", version: "v2", address: second, ingressPort: secondIn, calls: [] },
      { service: "ratings", version: "v1", address: rated, ingressPort: ratedIn, calls: [] },
    ],
    controlPlane: { host: loopback, xds, api, metrics },
  };
}
