import { isDeepStrictEqual } from "node:util";
import { expect, test } from "vitest";
import { startFakeKubelet } from "../support/fake-kubelet.ts";
import { type KubeObject, pathOf } from "../support/kube-api.ts";
import { sharedKubernetes } from "../support/kube-shared.ts";
import { waitFor } from "../support/wait-for.ts";

const account = "mesh/fairway";
const kubernetes = sharedKubernetes({ serviceAccounts: [account], controllers: { maxEndpointsPerSlice: 2 } });

const config = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "one", namespace: "default" } };

test("the server says its version", async (context) => {
  const { admin } = await kubernetes(context);
  expect(await admin.get("/version")).toMatchObject({ gitVersion: expect.stringMatching(/^v1\.\d+\.\d+$/) });
});

test("a service account may sign in, and may do nothing until it is allowed to", async (context) => {
  const { as } = await kubernetes(context);
  const { status, body } = await as(account).send("GET", "/api/v1/services");
  expect({ status, body }).toMatchObject({ status: 403, body: { reason: "Forbidden" } });
});

const pod = (name: string) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: "shop", labels: { app: "reviews" } },
  spec: { nodeName: "node-1", containers: [{ name: "app", image: "none" }] },
});

interface Slice extends KubeObject {
  readonly endpoints: readonly { readonly addresses: readonly string[]; readonly conditions: object }[] | null;
}

test("pods of a service come into slices when they run, are marked when they go, and leave when they are gone", async (context) => {
  const { admin } = await kubernetes(context);
  const mayGo = Promise.withResolvers<void>();
  let addresses = 0;
  startFakeKubelet({
    api: admin,
    cleanup: context.onTestFinished,
    runner: { start: async () => [`10.244.0.${++addresses}`], stop: () => mayGo.promise },
  });
  context.onTestFinished(() => mayGo.resolve());
  await admin.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } });
  const spec = { selector: { app: "reviews" }, ports: [{ name: "http", port: 80, targetPort: 8080 }] };
  await admin.create({ apiVersion: "v1", kind: "Service", metadata: { name: "reviews", namespace: "shop" }, spec });
  const names = ["a", "b", "c"];
  for (const name of names) await admin.create(pod(name));

  const path = "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices";
  const endpoints = async () =>
    ((await admin.list(path)).items as readonly Slice[]).map((slice) => slice.endpoints ?? []);
  const states = async () =>
    new Map((await endpoints()).flat().map((each) => [each.addresses[0], each.conditions] as const));
  const running = { ready: true, serving: true, terminating: false };
  const becomes = (wanted: ReadonlyMap<string, object>) =>
    waitFor(async () => isDeepStrictEqual(new Map([...(await states())].sort()), wanted));

  await becomes(new Map([1, 2, 3].map((number) => [`10.244.0.${number}`, running])));
  expect((await endpoints()).map(({ length }) => length).sort()).toEqual([1, 2]);
  await admin.remove(pod("b"));
  await becomes(
    new Map([
      ["10.244.0.1", running],
      ["10.244.0.2", { ready: false, serving: true, terminating: true }],
      ["10.244.0.3", running],
    ]),
  );
  mayGo.resolve();
  await becomes(
    new Map([
      ["10.244.0.1", running],
      ["10.244.0.3", running],
    ]),
  );
});

test("a killed server comes back with its objects, and knows no version from before a compaction", async (context) => {
  const { admin, apiServer, compact } = await kubernetes(context);
  const { metadata } = await admin.create(config);
  await admin.patch(config, { data: { changed: "yes" } });
  await apiServer.kill();
  await expect(admin.get(pathOf(config))).rejects.toThrow("ECONNREFUSED");
  await compact();
  await apiServer.start();
  expect(await admin.get(pathOf(config))).toMatchObject({ data: { changed: "yes" } });
  const events: unknown[] = [];
  const path = "/api/v1/namespaces/default/configmaps";
  await admin.watch(path, metadata.resourceVersion ?? "", (event) => events.push(event), AbortSignal.timeout(10_000));
  expect(events).toMatchObject([{ type: "ERROR", object: { code: 410 } }]);
});
