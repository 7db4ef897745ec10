import { afterAll, expect, type TestContext, test } from "vitest";
import type { Instance } from "../../src/model/instance.ts";
import type { Service } from "../../src/model/service.ts";
import type { RegistrySource } from "../../src/registry/source.ts";
import { address, httpPort, type Manifest, namespace, pod, service, slice } from "../registry/kubernetes/manifests.ts";
import { startFakeKubelet } from "../support/fake-kubelet.ts";
import type { KubeApi, KubeObject } from "../support/kube-api.ts";
import { sharedKubernetes } from "../support/kube-shared.ts";
import { waitFor } from "../support/wait-for.ts";
import { createCleaner } from "../support/with-cleanup.ts";
import { becomesEqual, startKubernetesRegistry } from "./real-registry.ts";

/* What the API server and its controllers decide. The numbers are those of the list of edge cases in the reference. */

const kubernetes = sharedKubernetes({
  controllers: { maxEndpointsPerSlice: 3 },
  apiServerFlags: { "endpoint-reconciler-type": "lease" },
});
const { cleanup, clean } = createCleaner();
afterAll(clean);

interface Lab {
  readonly admin: KubeApi;
  readonly registry: RegistrySource;
}
let started: Lab | undefined;

/** A namespace of its own for each test, in one cluster with one registry. */
async function inNamespace(context: TestContext, name: string) {
  const { admin, kubeconfig } = await kubernetes(context);
  if (started === undefined) {
    startFakeKubelet({ api: admin, cleanup, runner: dualStackAddresses() });
    started = { admin, registry: startKubernetesRegistry({ kubeconfig: kubeconfig(), cleanup }) };
  }
  const { registry } = started;
  const placed = ({ metadata, ...rest }: Manifest): KubeObject => {
    const { uid: _, ...kept } = metadata;
    return {
      ...rest,
      metadata: { ...kept, ...(metadata.namespace !== undefined && { namespace: name }) },
    } as KubeObject;
  };
  await admin.create(placed(namespace(name)));
  const key = (of: string) => `${name}/${of}.${name}.svc.cluster.local` as Service["key"];
  const instances = (of: string): readonly Instance[] => registry.catalog.value?.instances.get(key(of)) ?? [];
  return {
    admin,
    registry,
    create: async (...manifests: readonly Manifest[]) => {
      for (const one of manifests) await admin.create(placed(one));
    },
    remove: (manifest: Manifest) => admin.remove(placed(manifest)),
    service: (of: string): Promise<Service> => waitFor(() => registry.catalog.value?.services.get(key(of))),
    isGone: (of: string) => waitFor(() => registry.catalog.value?.services.has(key(of)) === false),
    instances,
    /** How many instances it gets, and then which. */
    instancesOf: async (of: string, count: number) => {
      await waitFor(() => instances(of).length === count, { what: `${count} instances of ${of}` });
      return instances(of);
    },
    /** The catalog is that of the server's objects, of which there is nothing to complain. */
    equals: async () => {
      await becomesEqual(registry, admin);
      expect(registry.health.value).toMatchObject({ state: "LIVE", problems: [] });
    },
  };
}

function dualStackAddresses() {
  let given = 0;
  return {
    start: async () => {
      given++;
      return [`10.244.0.${given}`, `fd00:244::${given.toString(16)}`];
    },
    stop: async () => {},
  };
}

const ownAddress = { clusterIP: undefined };
const selecting = { ...ownAddress, selector: { app: "reviews" } };

test("1: a port without a name; the server gives address, families and node ports", async (context) => {
  const shop = await inNamespace(context, "case-1");
  await shop.create(service("reviews", { ...ownAddress, type: "NodePort", ports: [{ port: 80 }] }));
  expect(await shop.service("reviews")).toMatchObject({
    addresses: [expect.stringMatching(/^10\.0\./)],
    ports: [{ name: "", number: 80, protocol: "auto" }],
    nodePorts: { "": expect.any(Number) },
    resolution: "instances",
  });
  await shop.equals();
});

test("2: two ports without names are refused", async (context) => {
  const shop = await inNamespace(context, "case-2");
  const ports = [{ port: 80 }, { port: 81 }];
  await expect(shop.create(service("reviews", { ...ownAddress, ports }))).rejects.toThrow(/ports\[0\].name: Required/);
});

test("9: a ClusterIP cannot become headless, and can become an ExternalName", async (context) => {
  const shop = await inNamespace(context, "case-9");
  await shop.create(service("reviews", ownAddress));
  await shop.service("reviews");
  const patch = (spec: object) =>
    shop.admin.patch(
      { apiVersion: "v1", kind: "Service", metadata: { name: "reviews", namespace: "case-9" } },
      { spec },
    );
  await expect(patch({ clusterIP: "None", clusterIPs: ["None"] })).rejects.toThrow(/may not change once set/);
  await patch({ type: "ExternalName", externalName: "a.example.com", clusterIP: null, clusterIPs: null });
  await waitFor(async () => (await shop.service("reviews")).aliasOf === "a.example.com");
  expect(await shop.service("reviews")).toMatchObject({ addresses: [], ports: [] });
});

test("12, 41: both families, IPv6 first, and one again", async (context) => {
  const shop = await inNamespace(context, "case-12");
  await shop.create(
    service("reviews", { ...selecting, ipFamilyPolicy: "RequireDualStack", ipFamilies: ["IPv6", "IPv4"] }),
    pod("r-1"),
  );
  expect((await shop.service("reviews")).addresses).toEqual([
    expect.stringMatching(/^fd00:10::/),
    expect.stringMatching(/^10\.0\./),
  ]);
  await waitFor(() => shop.instances("reviews")[0]?.otherAddresses);
  expect(shop.instances("reviews")).toMatchObject([
    {
      id: "r-1",
      address: expect.stringMatching(/^fd00:244::/),
      otherAddresses: [expect.stringMatching(/^10\.244/)],
      ports: { http: 8080 },
      health: "healthy",
      node: "node-a",
    },
  ]);
  await shop.admin.patch(
    { apiVersion: "v1", kind: "Service", metadata: { name: "reviews", namespace: "case-12" } },
    { spec: { ipFamilyPolicy: "SingleStack" } },
  );
  await waitFor(async () => (await shop.service("reviews")).addresses.length === 1);
  await waitFor(() => shop.instances("reviews")[0]?.otherAddresses === undefined);
  await shop.equals();
});

test("20: a target port by name is another number in another pod, and missing in a third", async (context) => {
  const shop = await inNamespace(context, "case-20");
  const listening = (name: string, containerPort?: number) =>
    pod(name, {
      spec: {
        containers: [
          { name: "app", image: "app", ports: containerPort === undefined ? [] : [{ name: "web", containerPort }] },
        ],
      },
    });
  await shop.create(
    service("reviews", { ...selecting, ports: [{ name: "http", port: 80, targetPort: "web" }] }),
    listening("r-1", 8080),
    listening("r-2", 9090),
    listening("r-3"),
  );
  expect(await shop.instancesOf("reviews", 3)).toMatchObject([
    { id: "r-1", ports: { http: 8080 } },
    { id: "r-2", ports: { http: 9090 } },
    { id: "r-3", ports: {}, lacks: ["http"] },
  ]);
});

test("38, 33: eight pods over several slices; one goes, and its slice with it", async (context) => {
  const shop = await inNamespace(context, "case-38");
  const names = Array.from({ length: 8 }, (_, i) => `r-${i}`);
  await shop.create(service("reviews", selecting), ...names.map((name) => pod(name)));
  expect((await shop.instancesOf("reviews", 8)).map(({ id }) => id)).toEqual(names);
  const { items } = await shop.admin.list("/apis/discovery.k8s.io/v1/namespaces/case-38/endpointslices");
  expect(items.length).toBeGreaterThan(2);
  await shop.remove(pod("r-0"));
  expect((await shop.instancesOf("reviews", 7)).map(({ id }) => id)).toEqual(names.slice(1));
  await shop.equals();
});

test.for([
  ["IPv4", "127.0.0.1", /may not be in the loopback range/],
  ["IPv4", "169.254.0.1", /may not be in the link-local range/],
  ["IPv6", "::1", /may not be in the loopback range/],
] as const)("51: an %s endpoint %s is refused", async ([addressType, at, message], context) => {
  const shop = await inNamespace(context, `case-51-${addressType.toLowerCase()}-${at.replaceAll(/[.:]/g, "-")}x`);
  await expect(shop.create(slice("reviews-1", [address(at)], { addressType }))).rejects.toThrow(message);
});

test("53: the server's own slice", async (context) => {
  const { registry } = await inNamespace(context, "case-53");
  const key = "default/kubernetes.default.svc.cluster.local" as Service["key"];
  await waitFor(() => registry.catalog.value?.instances.get(key));
  expect(registry.catalog.value?.instances.get(key)).toMatchObject([{ id: "192.0.2.1", address: "192.0.2.1" }]);
});

test("54: Endpoints by hand are mirrored into a slice", async (context) => {
  const shop = await inNamespace(context, "case-54");
  await shop.create(service("db", { ...ownAddress, ports: [httpPort] }));
  await shop.admin.create({
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: { name: "db", namespace: "case-54" },
    subsets: [{ addresses: [{ ip: "192.168.1.7" }, { ip: "192.168.1.8" }], ports: [{ name: "http", port: 5432 }] }],
  });
  expect(await shop.instancesOf("db", 2)).toMatchObject([
    { id: "192.168.1.7", ports: { http: 5432 }, labels: {}, health: "healthy" },
    { id: "192.168.1.8" },
  ]);
});

test("58: a namespace is deleted with everything in it", async (context) => {
  const shop = await inNamespace(context, "case-58");
  // Services go when the pods have gone, for which the server waits by what the pods say.
  const short = { spec: { terminationGracePeriodSeconds: 1 } };
  await shop.create(
    service("reviews", selecting),
    service("ratings", ownAddress),
    pod("r-1", short),
    pod("r-2", short),
  );
  await shop.instancesOf("reviews", 2);
  await shop.admin.remove({ apiVersion: "v1", kind: "Namespace", metadata: { name: "case-58" } });
  await shop.isGone("reviews");
  await shop.isGone("ratings");
  expect(shop.instances("reviews")).toEqual([]);
  await shop.equals();
});
