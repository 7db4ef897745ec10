import { expect, test } from "vitest";
import type { RegistryView } from "../../src/api/types/registries.ts";
import type { KubeObject } from "../support/kube-api.ts";
import { sharedKubernetes } from "../support/kube-shared.ts";
import { waitFor } from "../support/wait-for.ts";
import { applyObjects, labFolder, prepare } from "./cluster.ts";
import { type Fairway, startFairway } from "./fairway.ts";
import { account, hostOf, namespace, podPort, service } from "./objects.ts";

// No controllers: the test writes what they would, or have forgotten.
const kubernetes = sharedKubernetes({ serviceAccounts: [account] });

/** Of a service without a selector: ten instances, or as many as a server remembers. */
const slice = (count: number): KubeObject => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { name: "reviews-1", namespace, labels: { "kubernetes.io/service-name": "reviews" } },
  ...{ addressType: "IPv4", ports: [{ name: "http", port: podPort }] },
  ...{ endpoints: Array.from({ length: count }, (_, i) => ({ addresses: [`10.244.0.${i + 1}`] })) },
});

async function registryOf({ api }: Fairway): Promise<RegistryView> {
  return api.json<RegistryView>("/api/v1/registries/kubernetes");
}

async function instancesOf({ api }: Fairway): Promise<number> {
  const path = `/api/v1/services/${hostOf("reviews")}`;
  const { status, text } = await api.get(path);
  return status === 200 ? JSON.parse(text).instances.length : 0;
}

test("a start while the cluster is away serves what was there; a tenth of it afterwards is held, until somebody releases it", {
  timeout: 120_000,
}, async (context) => {
  const cluster = await kubernetes(context);
  const { onTestFinished: cleanup } = context;
  await prepare(cluster);
  await applyObjects(cluster, [service("reviews", { selector: null }), slice(10)]);
  const kubeconfig = cluster.kubeconfig({ serviceAccount: account });
  // A server that has just been started allows nobody anything for a moment.
  const times = { minPauseMs: 50, maxPauseMs: 500 };
  const fairway = await startFairway({ cleanup, dir: labFolder(cleanup), kubeconfig, times });
  await waitFor(async () => (await instancesOf(fairway)) === 10);
  const served = await registryOf(fairway);
  await fairway.stop();

  await cluster.apiServer.kill();
  await fairway.start();
  await waitFor(async () => (await registryOf(fairway)).state === "OUTAGE");
  const { services, asOf, problems } = await registryOf(fairway);
  expect([services, await instancesOf(fairway)]).toEqual([served.services, 10]);
  expect(Date.parse(asOf ?? "")).toBeLessThanOrEqual(Date.now());
  expect(problems.map(({ code }) => code)).toContain("catalog/outdated");
  expect((await fairway.api.get("/readyz")).status).toBe(200);

  await cluster.apiServer.start();
  await waitFor(async () => (await registryOf(fairway)).state === "LIVE", { withinMs: 60_000 });
  await fairway.stop();
  await cluster.admin.replace(slice(1));
  await fairway.start();
  await waitFor(async () => (await registryOf(fairway)).state === "SUSPECT");
  expect((await registryOf(fairway)).held).toMatchObject({ services: 1, instances: 9, items: [{ reason: "shrunk" }] });
  expect(await instancesOf(fairway)).toBe(10);
  expect((await fairway.api.post("/api/v1/registries/kubernetes:release")).status).toBe(200);
  await waitFor(async () => (await instancesOf(fairway)) === 1);
  expect((await registryOf(fairway)).state).toBe("LIVE");
});
