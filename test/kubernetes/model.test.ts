import { expect, test } from "vitest";
import { startFakeKubelet } from "../support/fake-kubelet.ts";
import { sharedKubernetes } from "../support/kube-shared.ts";
import { startKubeSpoiler } from "../support/kube-spoiler.ts";
import { waitFor } from "../support/wait-for.ts";
import { applyObjects, expectSameModel, labFolder, prepare, registryOf } from "./cluster.ts";
import { servicesOfCluster, servicesOfFairway } from "./expected-model.ts";
import { startFairway } from "./fairway.ts";
import { account, endpointSlice, hostOf, pod, service } from "./objects.ts";

const kubernetes = sharedKubernetes({ serviceAccounts: [account], controllers: { maxEndpointsPerSlice: 2 } });

test("services are the cluster's, object by object, at first and after each change", {
  timeout: 120_000,
}, async (context) => {
  const cluster = await kubernetes(context);
  const { onTestFinished: cleanup } = context;
  const { admin } = cluster;
  await prepare(cluster);
  const mayEnd = Promise.withResolvers<void>();
  let addresses = 0;
  startFakeKubelet({
    api: admin,
    cleanup,
    runner: { start: async () => [`10.244.0.${++addresses}`], stop: () => mayEnd.promise },
  });
  cleanup(() => mayEnd.resolve());
  const reviews = ["a", "b", "c"].map((name) => pod(`reviews-${name}`, { app: "reviews" }));
  const settings = ["0", "1"].map((name) => pod(`ratings-${name}`, { app: "ratings", version: "v2" }));
  await applyObjects(cluster, [service("reviews"), service("ratings", { clusterIP: "None" }), ...reviews, ...settings]);
  const clusterHas = (app: string, ...healths: readonly string[]) =>
    waitFor(
      async () => {
        const found = (await servicesOfCluster(admin)).find(({ host }) => host === hostOf(app));
        return (
          found?.instances
            .map(({ health }) => health)
            .sort()
            .join() === healths.join()
        );
      },
      { what: `${app}: ${healths}` },
    );
  await clusterHas("reviews", "healthy", "healthy", "healthy");
  await clusterHas("ratings", "healthy", "healthy");

  const { api } = await startFairway({
    cleanup,
    dir: labFolder(cleanup),
    kubeconfig: cluster.kubeconfig({ serviceAccount: account }),
  });
  await expectSameModel(cluster, api);

  await applyObjects(cluster, [pod("reviews-d", { app: "reviews", version: "v2" })]);
  await clusterHas("reviews", "healthy", "healthy", "healthy", "healthy");
  await expectSameModel(cluster, api);

  await admin.patch(pod("reviews-a", { app: "reviews" }), { metadata: { labels: { version: "v3" } } });
  await admin.patch(service("ratings"), { spec: { ports: [{ name: "grpc", port: 7000 }] } });
  await expectSameModel(cluster, api);

  await admin.remove(pod("reviews-b", { app: "reviews" }));
  await clusterHas("reviews", "draining", "healthy", "healthy", "healthy");
  await expectSameModel(cluster, api);
  mayEnd.resolve();
  await clusterHas("reviews", "healthy", "healthy", "healthy");
  await expectSameModel(cluster, api);

  await admin.remove(service("ratings"));
  await expectSameModel(cluster, api);
  expect((await servicesOfCluster(admin)).map(({ host }) => host)).not.toContain(hostOf("ratings"));
});

test("most of what went while nobody looked is held and announced, until it is released", {
  timeout: 120_000,
}, async (context) => {
  const cluster = await kubernetes(context);
  const { onTestFinished: cleanup } = context;
  const { admin } = cluster;
  await prepare(cluster);
  const endpoints = Array.from({ length: 30 }, (_, index) => ({ address: `10.244.9.${index + 1}` }));
  await applyObjects(cluster, [service("many", { selector: null }), endpointSlice("many", endpoints)]);
  const spoiler = await startKubeSpoiler(cleanup, cluster.server);
  const { api } = await startFairway({
    cleanup,
    dir: labFolder(cleanup),
    kubeconfig: cluster.kubeconfig({ serviceAccount: account, url: spoiler.url }),
  });
  await expectSameModel(cluster, api);
  const instances = async () =>
    (await servicesOfFairway(api)).find(({ host }) => host === hostOf("many"))?.instances.length;

  spoiler.set("reset");
  await waitFor(async () => (await registryOf(api)).state === "OUTAGE", { what: "the outage" });
  await admin.replace(endpointSlice("many", endpoints.slice(0, 3)));
  spoiler.set("none");
  await waitFor(async () => (await registryOf(api)).state === "SUSPECT", {
    withinMs: 30_000,
    what: "the suspicion",
  });
  const { held, instances: served } = await registryOf(api);
  expect({ held: held?.instances, many: await instances() }).toEqual({ held: 27, many: 30 });
  expect(served).toBeGreaterThanOrEqual(30);
  await api.post("/api/v1/registries/kubernetes:release");
  await expectSameModel(cluster, api);
  expect(await instances()).toBe(3);
});
