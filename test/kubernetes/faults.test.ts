import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import type { KubeObject } from "../support/kube-api.ts";
import type { Kubernetes } from "../support/kube-lab.ts";
import { waitFor } from "../support/wait-for.ts";
import { applyObjects, expectSameModel, registryOf } from "./cluster.ts";
import { servicesOfFairway } from "./expected-model.ts";
import { type FaultLab, sharedFaultLab } from "./fault-lab.ts";
import { catalogKinds, endpointSlice, hostOf, namespace, roleOf, service } from "./objects.ts";

/** In seconds: how long each fault lasts, and then with the times that users have. Default: one second, and times to match. */
const asked = process.env["FAIRWAY_KUBE_FAULT_SECONDS"];
const lastsMs = Number(asked ?? "1") * 1_000;
const shortTimes = { silenceMs: 2_000, minPauseMs: 200, maxPauseMs: 1_000 };

/** A watch is silent for three minutes before it is given up, and a list for ten seconds after that. */
const backWithinMs = asked === undefined ? 30_000 : 240_000;

const labOf = sharedFaultLab(asked === undefined ? shortTimes : undefined);

interface Fault {
  readonly name: string;
  readonly begin: (lab: FaultLab) => Promise<void>;
  readonly end: (lab: FaultLab) => Promise<void>;
  /** The API server takes no changes meanwhile. */
  readonly isDown?: true;
  /** Fairway is another process afterwards. */
  readonly restarts?: true;
}

const killed: Pick<Fault, "begin" | "end" | "isDown"> = {
  begin: ({ kubernetes }) => kubernetes.apiServer.kill(),
  end: ({ kubernetes }) => kubernetes.apiServer.start(),
  isDown: true,
};

const spoiled = (fault: "failing" | "overloaded" | "reset" | "silent"): Pick<Fault, "begin" | "end"> => ({
  begin: async ({ spoiler }) => spoiler.set(fault),
  end: async ({ spoiler }) => spoiler.set("none"),
});

/** Watches that are open keep what they may; new ones do not get it. */
async function cutAll({ spoiler }: FaultLab): Promise<void> {
  spoiler.set("reset");
  spoiler.set("none");
}

const faults: readonly Fault[] = [
  { name: "the API server is killed", ...killed },
  {
    name: "the API server is killed, and etcd compacted meanwhile",
    ...killed,
    begin: async (lab) => {
      await killed.begin(lab);
      await lab.kubernetes.compact();
    },
  },
  {
    name: "the API server stands still",
    begin: async ({ kubernetes }) => kubernetes.apiServer.pause(),
    end: async ({ kubernetes }) => kubernetes.apiServer.resume(),
    isDown: true,
  },
  { name: "every watch goes silent", ...spoiled("silent") },
  { name: "every request is answered with 500", ...spoiled("failing") },
  { name: "every request is answered with 429", ...spoiled("overloaded") },
  { name: "every connection is reset", ...spoiled("reset") },
  {
    name: "Fairway may not read endpoint slices any more",
    begin: async (lab) => {
      await applyObjects(lab.kubernetes, [roleOf({ "": catalogKinds[""] })]);
      await cutAll(lab);
    },
    end: ({ kubernetes }) => applyObjects(kubernetes, [roleOf()]),
  },
  {
    name: "Fairway is killed and started again while the API server is down",
    ...killed,
    begin: async (lab) => {
      await killed.begin(lab);
      await lab.fairway.kill();
      await lab.fairway.start();
    },
    restarts: true,
  },
];

let markers = 0;

/** What shows that Fairway has heard of services, slices and pods, and what no proxy may see. */
async function applyMarker(kubernetes: Kubernetes): Promise<string> {
  const name = `marker-${++markers}`;
  const metadata = { name, namespace };
  const hidden: KubeObject = service(name, { selector: null });
  await applyObjects(kubernetes, [
    { ...hidden, metadata: { ...metadata, annotations: { "networking.istio.io/exportTo": "~" } } },
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { ...metadata, labels: { marker: name } },
      spec: { containers: [{ name: "app", image: "none" }] },
    },
  ]);
  const pod = await kubernetes.admin.get(`/api/v1/namespaces/${namespace}/pods/${name}`);
  await kubernetes.admin.create(endpointSlice(name, [{ address: `10.244.254.${markers}`, pod }]));
  return name;
}

test.for(faults.map((fault) => [fault.name, fault] as const))(
  "%s: no request fails, nothing is sent, and what changed meanwhile is known",
  { timeout: 120_000 + lastsMs + 2 * backWithinMs },
  async ([name, { begin, end, isDown, restarts }], context) => {
    const lab = await labOf(context);
    const { kubernetes, fairway, witness, spoiler, load } = lab;
    const changesBefore = witness.changes();
    const bytesBefore = await fairway.pushedBytes();
    const requestsBefore = spoiler.requests();
    await load?.start();

    await begin(lab);
    const markedMeanwhile = isDown ? undefined : await applyMarker(kubernetes);
    await delay(lastsMs);
    const requests = spoiler.requests() - requestsBefore;
    await end(lab);
    const marker = markedMeanwhile ?? (await applyMarker(kubernetes));
    const begun = performance.now();
    const isBack = async () =>
      (await servicesOfFairway(fairway.api)).some(
        ({ host, instances: [instance] }) => host === hostOf(marker) && instance?.labels["marker"] === marker,
      );
    await waitFor(isBack, { withinMs: backWithinMs, what: `the return of Fairway (${marker})` });
    console.log(`${name}: back after ${Math.round(performance.now() - begun)} ms`);

    await expectSameModel(kubernetes, fairway.api);
    const isWell = async () => (await registryOf(fairway.api)).state === "LIVE";
    await waitFor(isWell, { withinMs: backWithinMs, what: "the end of the outage" });
    // Five kinds, each tried again after pauses that become longer.
    expect(requests).toBeLessThan(5 * (6 + lastsMs / 1_000));
    expect(witness.changes()).toBe(changesBefore);
    expect(await fairway.pushedBytes()).toBe(restarts ? 0 : bytesBefore);
    const { answers, failures } = (await load?.stop()) ?? { answers: Number.POSITIVE_INFINITY, failures: [] };
    expect(failures).toEqual([]);
    // A hundred a second on a quiet machine.
    expect(answers).toBeGreaterThan(lastsMs / 200);
  },
);
