import { setTimeout as delay } from "node:timers/promises";
import type { Cleanup } from "./envoy.ts";
import type { KubeApi, KubeObject } from "./kube-api.ts";
import { follow } from "./kube-follow.ts";

/** A pod, as far as a kubelet's work goes. */
export interface KubePod extends KubeObject {
  readonly metadata: KubeObject["metadata"] & { readonly uid: string };
  readonly spec: { readonly nodeName?: string; readonly containers: readonly KubeContainer[] };
}

interface KubeContainer {
  readonly ports?: readonly { readonly containerPort: number }[];
  readonly lifecycle?: { readonly preStop?: { readonly sleep?: { readonly seconds: number } } };
}

/** What runs pods. */
export interface PodRunner {
  /** Resolves with the pod's addresses when it is ready to serve. */
  readonly start: (pod: KubePod) => Promise<readonly string[]>;
  /** The pod was deleted, and its `preStop` is over. Resolves when nothing of it runs any more. */
  readonly stop: (pod: KubePod) => Promise<void>;
}

export interface FakeKubeletOptions {
  readonly api: KubeApi;
  readonly cleanup: Cleanup;
  /** Default: addresses of 10.244.0.0/16, one after the other, where nothing runs. */
  readonly runner?: PodRunner;
}

interface RunningPod {
  readonly addresses: Promise<readonly string[]>;
  isEnding: boolean;
}

const retryMs = 200;

/**
 * The kubelet of every node: it runs the pods that have one, and says what became of them as a kubelet does. When a pod runs: its
 * addresses, and that it is ready; when it was deleted: that it is not ready any more, and then it is removed. A node that is not there is
 * made: without it no endpoint slice has the pod.
 */
export function startFakeKubelet({ api, cleanup, runner = addressesOnly() }: FakeKubeletOptions): void {
  const running = new Map<string, RunningPod>();
  const work = new Set<Promise<void>>();
  let isClosed = false;

  /** Tells the server until it has heard, or knows better. */
  const tell = async (message: () => Promise<unknown>): Promise<void> => {
    while (!isClosed) {
      const problem = await message().then(() => undefined, String);
      if (problem === undefined || /: (404|409) /.test(problem)) return;
      await delay(retryMs);
    }
  };
  const report = (pod: KubePod, addresses: readonly string[], isReady: boolean): Promise<void> =>
    tell(() =>
      api.patch(pod, { metadata: { uid: pod.metadata.uid }, status: podStatus(addresses, isReady) }, "status"),
    );

  const run = async (pod: KubePod, nodeName: string): Promise<void> => {
    const addresses = runner.start(pod);
    running.set(pod.metadata.uid, { addresses, isEnding: false });
    await tell(() => api.create(nodeNamed(nodeName)));
    await report(pod, await addresses, true);
  };
  const end = async (pod: KubePod, state: RunningPod): Promise<void> => {
    state.isEnding = true;
    const addresses = await state.addresses;
    await delay(preStopMsOf(pod));
    await runner.stop(pod);
    await report(pod, addresses, false);
    await tell(() => api.remove(pod, { graceSeconds: 0, uid: pod.metadata.uid }));
    running.delete(pod.metadata.uid);
  };
  const actionFor = (pod: KubePod, isGone: boolean): Promise<void> | undefined => {
    const state = running.get(pod.metadata.uid);
    if (isGone || pod.metadata.deletionTimestamp !== undefined) {
      return state === undefined || state.isEnding ? undefined : end(pod, state);
    }
    const { nodeName } = pod.spec;
    return state === undefined && nodeName !== undefined ? run(pod, nodeName) : undefined;
  };

  const stop = follow(api, "/api/v1/pods", (object, isGone) => {
    const action = actionFor(object as KubePod, isGone);
    if (action === undefined) return;
    work.add(action);
    void action.finally(() => work.delete(action));
  });
  cleanup(async () => {
    isClosed = true;
    await stop();
    await Promise.all(work);
  });
}

const nodeNamed = (name: string) => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: { name, labels: { "kubernetes.io/hostname": name } },
});

const preStopMsOf = ({ spec: { containers } }: KubePod): number =>
  Math.max(...containers.map(({ lifecycle }) => lifecycle?.preStop?.sleep?.seconds ?? 0)) * 1_000;

/** What a kubelet says of a pod that runs. */
export const podStatus = ([address, ...others]: readonly string[], isReady: boolean) => ({
  phase: "Running",
  podIP: address,
  podIPs: [address, ...others].map((ip) => ({ ip })),
  conditions: ["PodScheduled", "Initialized", "ContainersReady", "Ready"].map((type) => ({
    type,
    status: isReady || !type.endsWith("Ready") ? "True" : "False",
  })),
});

function addressesOnly(): PodRunner {
  let given = 0;
  return {
    start: async () => {
      given++;
      return [`10.244.${given >> 8}.${given & 0xff}`];
    },
    stop: async () => {},
  };
}
