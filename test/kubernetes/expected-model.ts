import type { Page } from "../../src/api/types/pages.ts";
import type { ServiceView } from "../../src/api/types/services.ts";
import type { ApiClient } from "../support/api-client.ts";
import type { KubeApi, KubeObject } from "../support/kube-api.ts";

/*
 * What a mesh has to know of a cluster's services, once as the cluster says it and once as Fairway says it: of both only what both can say in
 * the same words.
 */

export interface SeenService {
  readonly host: string;
  readonly addresses: readonly string[];
  /** `<name> <number>`. */
  readonly ports: readonly string[];
  readonly instances: readonly SeenInstance[];
}

export interface SeenInstance {
  readonly address: string;
  readonly ports: Readonly<Record<string, number>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly health: string;
}

interface KubeService extends KubeObject {
  readonly spec: {
    readonly clusterIPs?: readonly string[];
    readonly ports: readonly { readonly name?: string; readonly port: number }[];
  };
}

interface KubeSlice extends KubeObject {
  readonly metadata: KubeObject["metadata"] & { readonly labels: Readonly<Record<string, string>> };
  readonly ports: readonly { readonly name: string; readonly port: number }[] | null;
  readonly endpoints: readonly KubeEndpoint[] | null;
}

interface KubeEndpoint {
  readonly addresses: readonly [string];
  readonly conditions: { readonly ready: boolean; readonly serving: boolean; readonly terminating: boolean };
  readonly targetRef?: { readonly name: string };
}

/** What the cluster says; every endpoint is taken to be one instance, of one address. */
export async function servicesOfCluster(api: KubeApi): Promise<readonly SeenService[]> {
  const [services, slices, pods] = await Promise.all(
    ["/api/v1/services", "/apis/discovery.k8s.io/v1/endpointslices", "/api/v1/pods"].map(
      async (path) => (await api.list(path)).items,
    ),
  );
  const podLabels = new Map(pods?.map(({ metadata }) => [metadata.name, metadata["labels"] ?? {}]));
  return (services as readonly KubeService[])
    .map(({ metadata: { name, namespace = "" }, spec }) => ({
      host: `${name}.${namespace}.svc.cluster.local`,
      addresses: (spec.clusterIPs ?? []).filter((address) => address !== "None"),
      ports: spec.ports.map((port) => `${port.name ?? ""} ${port.port}`).sort(),
      instances: (slices as readonly KubeSlice[])
        .filter(({ metadata }) => metadata.namespace === namespace && metadata.labels[serviceLabel] === name)
        .flatMap(({ ports, endpoints }) =>
          (endpoints ?? []).map(({ addresses: [address], conditions, targetRef }) => ({
            address,
            ports: Object.fromEntries((ports ?? []).map((port) => [port.name, port.port])),
            labels: (podLabels.get(targetRef?.name ?? "") ?? {}) as SeenInstance["labels"],
            health: healthOf(conditions),
          })),
        )
        .filter(({ health }) => health !== "gone")
        .sort(byAddress),
    }))
    .sort(byHost);
}

const serviceLabel = "kubernetes.io/service-name";

function healthOf({ ready, serving, terminating }: KubeEndpoint["conditions"]): string {
  if (ready) return "healthy";
  if (!terminating) return "unhealthy";
  return serving ? "draining" : "gone";
}

/** What Fairway says. */
export async function servicesOfFairway(api: ApiClient): Promise<readonly SeenService[]> {
  const { items } = await api.json<Page<ServiceView>>("/api/v1/services?limit=1000");
  return items
    .map(({ host, addresses, ports, instances }) => ({
      host,
      addresses,
      ports: ports.map(({ name, number }) => `${name} ${number}`).sort(),
      instances: instances
        .map((instance) => ({
          address: instance.address,
          ports: { ...Object.fromEntries(ports.map(({ name, number }) => [name, number])), ...instance.ports },
          labels: instance.labels,
          health: instance.health,
        }))
        .sort(byAddress),
    }))
    .sort(byHost);
}

const byAddress = (a: SeenInstance, b: SeenInstance): number => a.address.localeCompare(b.address);
const byHost = (a: SeenService, b: SeenService): number => a.host.localeCompare(b.host);
