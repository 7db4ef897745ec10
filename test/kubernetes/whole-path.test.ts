import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Page } from "../../src/api/types/pages.ts";
import type { ProxyView } from "../../src/api/types/proxies.ts";
import type { Pod } from "../captured/pod.ts";
import type { ApiClient } from "../support/api-client.ts";
import { envoyBinary } from "../support/envoy.ts";
import { startFakeKubelet } from "../support/fake-kubelet.ts";
import { startKubernetes } from "../support/kube-lab.ts";
import { kubeBinaries } from "../support/kube-shared.ts";
import { needNetNamespaces } from "../support/net-namespaces.ts";
import { waitFor } from "../support/wait-for.ts";
import { applyObjects, expectSameModel, labFolder, prepare, waitForEndpoints } from "./cluster.ts";
import { startFairway } from "./fairway.ts";
import { account, hostOf, namespace, pod, service, servicePort } from "./objects.ts";
import { makePodMesh } from "./pod-mesh.ts";

const host = hostOf("reviews");
const metadata = { name: "reviews", namespace };

/** 90 of 100 requests to v1. */
const canary = [
  {
    apiVersion: "networking.istio.io/v1",
    kind: "DestinationRule",
    metadata,
    spec: { host, subsets: ["v1", "v2"].map((version) => ({ name: version, labels: { version } })) },
  },
  {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata,
    spec: {
      hosts: [host],
      http: [
        {
          route: [
            { destination: { host, subset: "v1" }, weight: 90 },
            { destination: { host, subset: "v2" }, weight: 10 },
          ],
        },
      ],
    },
  },
];

const drainSeconds = 2;
const reviewsPod = (name: string, version: string) =>
  pod(name, { app: "reviews", version, preStopSeconds: drainSeconds });

/** How often each pod answers, of the next `count` requests of a load. */
async function nextAnswers({ ask }: Pod, count: number): Promise<Readonly<Record<string, number>>> {
  const { answers: before } = await ask("load", null);
  const fresh = async () =>
    Object.fromEntries(
      Object.entries((await ask("load", null)).answers)
        .map(([who, number]) => [who, number - (before[who] ?? 0)] as const)
        .filter(([, number]) => number > 0),
    );
  const isEnough = (answers: Readonly<Record<string, number>>): boolean =>
    Object.values(answers).reduce((sum, number) => sum + number, 0) >= count;
  return waitFor(
    async () => {
      const answers = await fresh();
      return isEnough(answers) ? answers : undefined;
    },
    { withinMs: 60_000, what: `${count} answers` },
  );
}

/** When the last of the proxies took endpoints that it was sent after this time; in milliseconds after it. */
const lastAckAfter = (api: ApiClient, sinceMs: number): Promise<number> =>
  waitFor(
    async () => {
      const { items } = await api.json<Page<ProxyView>>("/api/v1/proxies");
      const acks = items.map(({ types: { EDS } }) => (EDS?.pending === 0 ? Date.parse(EDS.lastAckAt ?? "") : 0));
      const first = Math.min(...acks);
      return first > sinceMs ? Math.max(...acks) - sinceMs : undefined;
    },
    { what: "the ACK of all proxies" },
  );

test("objects become traffic: a split, a pod that comes, and one that goes without a failed request", {
  timeout: 120_000,
}, async (context) => {
  needNetNamespaces(context);
  const { path: binary } = await envoyBinary(context);
  const { onTestFinished: cleanup } = context;
  const binaries = await kubeBinaries(context);
  const cluster = await startKubernetes({ binaries, cleanup, serviceAccounts: [account], controllers: {} });
  const dir = labFolder(cleanup);
  const rules = join(dir, "rules");
  mkdirSync(rules);
  await prepare(cluster);
  const { api, xdsPort } = await startFairway({
    cleanup,
    dir,
    rules: [rules],
    kubeconfig: cluster.kubeconfig({ serviceAccount: account }),
  });
  const mesh = await makePodMesh({ cleanup, binary, dir, xdsPort });
  startFakeKubelet({ api: cluster.admin, cleanup, runner: mesh.runner });

  await applyObjects(cluster, [
    ...[service("web"), service("reviews"), pod("web-1", { app: "web" })],
    ...[reviewsPod("reviews-1", "v1"), reviewsPod("reviews-2", "v2")],
  ]);
  const reviews = await cluster.admin.get<{ readonly spec: { readonly clusterIP: string } }>(
    `/api/v1/namespaces/${namespace}/services/reviews`,
  );
  await waitForEndpoints(cluster, 3);
  const caller = mesh.pod("web-1");
  const load = { protocol: "http", host: reviews.spec.clusterIP, port: servicePort, authority: host } as const;
  await waitFor(async () => "who" in (await caller.ask("call", load)), { withinMs: 60_000, what: "the first answer" });
  await expectSameModel(cluster, api);

  writeFileSync(join(rules, "canary.yaml"), canary.map((rule) => JSON.stringify(rule)).join("\n---\n"));
  await caller.ask("startLoad", load);
  await waitFor(async () => ((await nextAnswers(caller, 60))["reviews-2"] ?? 0) < 20, {
    withinMs: 30_000,
    what: "the split",
  });
  const split = await nextAnswers(caller, 600);
  const total = (split["reviews-1"] ?? 0) + (split["reviews-2"] ?? 0);
  // Five standard deviations.
  expect(Math.abs((split["reviews-2"] ?? 0) / total - 0.1)).toBeLessThan(5 * Math.sqrt((0.1 * 0.9) / total));

  await applyObjects(cluster, [reviewsPod("reviews-3", "v1")]);
  await waitFor(async () => ((await nextAnswers(caller, 40))["reviews-3"] ?? 0) > 0, {
    withinMs: 60_000,
    what: "answers of the new pod",
  });
  const addedMs = await lastAckAfter(api, mesh.readyAt("reviews-3"));

  const deletedAt = Date.now();
  await cluster.admin.remove(reviewsPod("reviews-1", "v1"));
  const removedMs = await lastAckAfter(api, deletedAt);
  await waitFor(
    async () => (await cluster.admin.send("GET", `/api/v1/namespaces/${namespace}/pods/reviews-1`)).status === 404,
    { withinMs: 30_000, what: "the pod's end" },
  );
  expect(await nextAnswers(caller, 100)).not.toHaveProperty("reviews-1");
  expect((await caller.ask("stopLoad", null)).failures).toEqual([]);
  await expectSameModel(cluster, api);
  console.log(`from a ready pod to the last ACK ${addedMs} ms, from a deleted one ${removedMs} ms`);
});
