import type { KubeClient } from "../../../src/kube/client.ts";

/** A mesh as objects: services with as many pods each, which a bench writes by itself, as controllers and kubelets would. */
export interface KubeMesh {
  readonly services: number;
  readonly podsOfEach: number;
}

const namespaces = 20;
const nodes = 100;
/** What the server is asked at a time. */
const atOnce = 16;
const endpointsOfSlice = 100;

const serviceName = (service: number): string => `service-${service}`;
const namespaceOf = (service: number): string => `ns-${service % namespaces}`;
const podName = (service: number, pod: number): string => `${serviceName(service)}-6d5f8c7b9-${pod}`;
const nodeName = (index: number): string => `node-${index % nodes}`;
const range = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);

const at = (namespace: string, plural: string): string => `/api/v1/namespaces/${namespace}/${plural}`;
const slicesAt = (namespace: string): string => `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`;
const merge = "application/merge-patch+json";

const serviceObject = (service: number) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: serviceName(service), labels: { app: serviceName(service) } },
  spec: { selector: { app: serviceName(service) }, ports: [{ name: "http", port: 80, targetPort: 8080 }] },
});

const podObject = (service: number, pod: number) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name: podName(service, pod),
    labels: { app: serviceName(service), version: "v1", "pod-template-hash": "6d5f8c7b9" },
  },
  spec: {
    nodeName: nodeName(service + pod),
    serviceAccountName: "default",
    containers: [{ name: "app", image: "app" }],
  },
});

const nodeObject = (index: number) => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: {
    name: nodeName(index),
    labels: { "topology.kubernetes.io/region": "region-1", "topology.kubernetes.io/zone": `zone-${index % 3}` },
  },
});

/** Of `10.128.0.0/9`; a pod that comes back has another one. */
const addressOf = (index: number): string => `10.${128 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;

/** One pod, as its slice tells of it. */
interface KnownPod {
  readonly name: string;
  readonly uid: string;
  readonly address: string;
  readonly node: string;
}

const endpointOf = ({ name, uid, address, node }: KnownPod, namespace: string, ready: boolean) => ({
  addresses: [address],
  conditions: { ready, serving: ready, terminating: !ready },
  nodeName: node,
  targetRef: { kind: "Pod", name, namespace, uid },
});

export interface WrittenMesh {
  /** One pod ends and comes back under its name, with all that is told of that. */
  readonly restart: (service: number) => Promise<void>;
}

/** Writes it all. */
export async function writeMesh(client: KubeClient, { services, podsOfEach }: KubeMesh): Promise<WrittenMesh> {
  let addresses = 0;
  const post = (path: string, body: unknown) => client.send({ method: "POST", path, body });
  const patch = (path: string, body: unknown) => client.send({ method: "PATCH", path, body, contentType: merge });

  const runPod = async (service: number, pod: number): Promise<KnownPod> => {
    const [path, name, address] = [at(namespaceOf(service), "pods"), podName(service, pod), addressOf(addresses++)];
    const { metadata } = await post(path, podObject(service, pod));
    const ready = { type: "Ready", status: "True" };
    const status = { phase: "Running", podIP: address, podIPs: [{ ip: address }], conditions: [ready] };
    await patch(`${path}/${name}/status`, { status });
    return { name, uid: (metadata as { readonly uid: string }).uid, address, node: nodeName(service + pod) };
  };

  const writeService = async (service: number): Promise<readonly KnownPod[]> => {
    const namespace = namespaceOf(service);
    await post(at(namespace, "services"), serviceObject(service));
    const pods: KnownPod[] = [];
    for (const pod of range(podsOfEach)) pods.push(await runPod(service, pod));
    for (const part of range(Math.ceil(podsOfEach / endpointsOfSlice))) {
      await post(slicesAt(namespace), {
        apiVersion: "discovery.k8s.io/v1",
        kind: "EndpointSlice",
        metadata: { name: sliceName(service, part), labels: { "kubernetes.io/service-name": serviceName(service) } },
        addressType: "IPv4",
        ports: [{ name: "http", port: 8080, protocol: "TCP" }],
        endpoints: partOf(pods, part).map((pod) => endpointOf(pod, namespace, true)),
      });
    }
    return pods;
  };

  for (const index of range(namespaces)) {
    await post("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: namespaceOf(index) } });
  }
  for (const index of range(nodes)) await post("/api/v1/nodes", nodeObject(index));
  const written = new Map<number, readonly KnownPod[]>();
  const left = range(services).values();
  const worker = async (): Promise<void> => {
    for (const service of left) written.set(service, await writeService(service));
  };
  await Promise.all(range(atOnce).map(worker));

  const restart = async (service: number): Promise<void> => {
    const namespace = namespaceOf(service);
    const [old, ...others] = written.get(service) ?? [];
    if (old === undefined) throw new Error(`there is no service ${service}`);
    const slicePath = `${slicesAt(namespace)}/${sliceName(service, 0)}`;
    const tell = (pods: readonly KnownPod[], going?: KnownPod) =>
      patch(slicePath, {
        endpoints: [
          ...partOf(pods, 0).map((pod) => endpointOf(pod, namespace, true)),
          ...(going ? [endpointOf(going, namespace, false)] : []),
        ],
      });
    await tell(others, old);
    await client.send({
      method: "DELETE",
      path: `${at(namespace, "pods")}/${old.name}`,
      query: { gracePeriodSeconds: "0" },
    });
    await tell(others);
    const come = await runPod(service, 0);
    const all = [come, ...others];
    written.set(service, all);
    await tell(all);
  };
  return { restart };
}

const sliceName = (service: number, part: number): string => `${serviceName(service)}-${part}`;

const partOf = (pods: readonly KnownPod[], part: number): readonly KnownPod[] =>
  pods.slice(part * endpointsOfSlice, (part + 1) * endpointsOfSlice);
