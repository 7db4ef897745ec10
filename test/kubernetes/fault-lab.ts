import { afterAll, type TestContext } from "vitest";
import type { ReflectorTimes } from "../../src/kube/times.ts";
import { type Cleanup, envoyBinary } from "../support/envoy.ts";
import { startFakeKubelet } from "../support/fake-kubelet.ts";
import type { KubeBinaries } from "../support/kube-binaries.ts";
import { type Kubernetes, startKubernetes } from "../support/kube-lab.ts";
import { kubeBinaries } from "../support/kube-shared.ts";
import { type KubeSpoiler, startKubeSpoiler } from "../support/kube-spoiler.ts";
import { whyNoNetNamespaces } from "../support/net-namespaces.ts";
import { waitFor } from "../support/wait-for.ts";
import { createCleaner } from "../support/with-cleanup.ts";
import { applyObjects, expectSameModel, labFolder, prepare, waitForEndpoints } from "./cluster.ts";
import { type Fairway, startFairway } from "./fairway.ts";
import { account, hostOf, namespace, pod, service, servicePort } from "./objects.ts";
import { makePodMesh, type PodMesh } from "./pod-mesh.ts";
import { startWitness, type Witness } from "./witness.ts";

/** A cluster, Fairway that reaches it through a proxy that a test may spoil, and whoever depends on Fairway. */
export interface FaultLab {
  readonly kubernetes: Kubernetes;
  readonly spoiler: KubeSpoiler;
  readonly fairway: Fairway;
  readonly witness: Witness;
  /** Requests between two pods; undefined: none can be run here. */
  readonly load: Load | undefined;
}

export interface Load {
  readonly start: () => Promise<void>;
  /** What came of it since its start. */
  readonly stop: () => Promise<{ readonly answers: number; readonly failures: readonly string[] }>;
}

/** One for all tests of a file, started by the first of them that is not skipped. */
export function sharedFaultLab(times: LabOptions["times"]): (context: TestContext) => Promise<FaultLab> {
  const { cleanup, clean } = createCleaner();
  let lab: Promise<FaultLab> | undefined;
  afterAll(clean);
  return async (context) => {
    const binaries = await kubeBinaries(context);
    const withoutPods = whyNoNetNamespaces();
    if (withoutPods !== undefined) console.warn(`without requests between pods: ${withoutPods}`);
    const envoy = withoutPods === undefined ? (await envoyBinary(context)).path : undefined;
    lab ??= startLab({ cleanup, binaries, envoy, times });
    return lab;
  };
}

interface LabOptions {
  readonly cleanup: Cleanup;
  readonly binaries: KubeBinaries;
  /** The path of an Envoy; undefined: pods are addresses only. */
  readonly envoy: string | undefined;
  /** Of the reflectors; undefined: those that users have. */
  readonly times: Partial<ReflectorTimes> | undefined;
}

const pods = [pod("web-1", { app: "web" }), ...["1", "2"].map((name) => pod(`reviews-${name}`, { app: "reviews" }))];

async function startLab({ cleanup, binaries, envoy, times }: LabOptions): Promise<FaultLab> {
  const kubernetes = await startKubernetes({ binaries, cleanup, serviceAccounts: [account], controllers: {} });
  const dir = labFolder(cleanup);
  await prepare(kubernetes);
  const spoiler = await startKubeSpoiler(cleanup, kubernetes.server);
  const kubeconfig = kubernetes.kubeconfig({ serviceAccount: account, url: spoiler.url });
  const fairway = await startFairway({ cleanup, dir, kubeconfig, ...(times && { times }) });
  const { xdsPort, api } = fairway;
  const mesh = envoy === undefined ? undefined : await makePodMesh({ cleanup, binary: envoy, dir, xdsPort });
  startFakeKubelet({ api: kubernetes.admin, cleanup, ...(mesh && { runner: mesh.runner }) });
  await applyObjects(kubernetes, [service("web"), service("reviews"), ...pods]);
  await waitForEndpoints(kubernetes, pods.length);
  await expectSameModel(kubernetes, api);

  const id = `sidecar~10.244.255.1~witness.${namespace}~${namespace}.svc.cluster.local`;
  const witness = startWitness({ cleanup, node: { id, userAgentName: "witness" }, xdsPort });
  await waitFor(() => witness.isComplete(), { what: "the endpoints of the witness" });
  return { kubernetes, spoiler, fairway, witness, load: mesh && (await loadBetween(kubernetes, mesh)) };
}

async function loadBetween({ admin }: Kubernetes, mesh: PodMesh): Promise<Load> {
  const path = `/api/v1/namespaces/${namespace}/services/reviews`;
  const { spec } = await admin.get<{ readonly spec: { readonly clusterIP: string } }>(path);
  const caller = mesh.pod("web-1");
  const call = { protocol: "http", host: spec.clusterIP, port: servicePort, authority: hostOf("reviews") } as const;
  await waitFor(async () => "who" in (await caller.ask("call", call)), { withinMs: 30_000, what: "the first answer" });
  return {
    start: async () => {
      await caller.ask("startLoad", call);
    },
    stop: async () => {
      const { answers, failures } = await caller.ask("stopLoad", null);
      return { answers: Object.values(answers).reduce((sum, count) => sum + count, 0), failures };
    },
  };
}
