import type { TestContext } from "vitest";
import { createLog } from "../../src/base/log.ts";
import { createMetrics, type Metrics } from "../../src/base/metrics.ts";
import type { KubeAccess } from "../../src/kube/access.ts";
import { createKubeClient, type KubeClient, type KubeLimits } from "../../src/kube/client.ts";
import { createReflector } from "../../src/kube/create-reflector.ts";
import { createKubeMetrics } from "../../src/kube/metrics.ts";
import type { RestartReason } from "../../src/kube/plan.ts";
import type { KubeResource, Reflector } from "../../src/kube/reflector.ts";
import type { ReflectorTimes } from "../../src/kube/times.ts";
import { createFakeClock, type FakeClock } from "../support/fake-clock.ts";
import { type FakeKubeApi, startFakeKubeApi } from "../support/fake-kube-api.ts";
import { waitFor } from "../support/wait-for.ts";

/** Of a thing, only this is kept. */
export interface Thing {
  readonly color: string;
}

export const things: KubeResource<Thing> = {
  base: "/api/v1",
  plural: "things",
  project: (object) => ({ color: String(object["color"]) }),
};

export const thing = (name: string, color = "red", uid?: string) => ({
  metadata: { name, namespace: "shop", ...(uid !== undefined && { uid }) },
  color,
});

export const silentLog = createLog({ level: "silent", format: "json", write: () => {} });

export const loginTo = (server: string): KubeAccess => ({
  login: async () => ({ server, user: "tester", headers: {}, tls: {} }),
  refused: () => {},
});

export interface Reflecting<T extends object> {
  readonly reflector: Reflector<T>;
  readonly clock: FakeClock;
  readonly client: KubeClient;
  /** Every map that was handed over. */
  readonly maps: readonly (readonly string[])[];
  /** `things`: of what is kept; each `name=color`. */
  readonly kept: () => readonly string[];
  readonly state: () => string;
  readonly metric: (name: string) => Promise<Readonly<Record<string, number>>>;
  /** Lets fake time pass, as much at a time as `stepMs`, until something is so. */
  readonly passUntil: (condition: () => unknown, stepMs?: number) => Promise<void>;
}

interface ReflectingOptions<T extends object> {
  readonly resource?: KubeResource<T>;
  readonly limits?: Partial<KubeLimits>;
  readonly times?: Partial<ReflectorTimes>;
  readonly access?: KubeAccess;
  readonly random?: () => number;
}

/** A reflector of the fake server, in fake time, without jitter. */
export function reflect<T extends object = Thing>(
  api: Pick<FakeKubeApi, "server">,
  context: Pick<TestContext, "onTestFinished">,
  options: ReflectingOptions<T> = {},
): Reflecting<T> {
  const clock = createFakeClock();
  const metrics = createMetrics();
  const resource = options.resource ?? (things as KubeResource<object> as KubeResource<T>);
  const client = createKubeClient({
    access: options.access ?? loginTo(api.server),
    clock,
    userAgent: "fairway/test",
    ...(options.limits && { limits: options.limits }),
  });
  const reflector = createReflector({
    ...{ client, resource, clock, log: silentLog, random: options.random ?? (() => 0) },
    metrics: createKubeMetrics(metrics)("kubernetes", resource.plural),
    ...(options.times && { times: options.times }),
  });
  context.onTestFinished(async () => {
    await reflector.close();
    client.close();
  });
  const maps: (readonly string[])[] = [];
  const textOf = (objects: Reflector<T>["objects"]["value"]): readonly string[] =>
    [...(objects ?? [])].map(([key, one]) => `${key.replace("shop/", "")}=${(one as Thing).color}`);
  reflector.objects.subscribe((objects) => maps.push(textOf(objects)));
  return {
    ...{ reflector, clock, client },
    maps,
    kept: () => textOf(reflector.objects.value),
    state: () => reflector.state.value.kind,
    metric: (name) => metricOf(metrics, name),
    passUntil: async (condition, stepMs = 1_000) => {
      const isSo = await Promise.resolve(condition());
      if (!isSo)
        await waitFor(() => {
          clock.advance(stepMs);
          return condition();
        });
    },
  };
}

/** A reflector that has read `a` and `b`, and watches. */
export async function watching(context: Pick<TestContext, "onTestFinished">, options?: ReflectingOptions<Thing>) {
  const api = await startFakeKubeApi(context);
  api.put(thing("a"));
  api.put(thing("b"));
  const reflecting = reflect(api, context, options);
  await waitFor(() => reflecting.state() === "live");
  const watch = () => {
    const [first] = api.watches();
    if (first === undefined) throw new Error("nobody watches");
    return first;
  };
  /** Resolves in the pause after the so many-th failure of this sort. */
  const failed = (reason: RestartReason, times = 1) =>
    waitFor(async () => (await reflecting.metric("fairway_kube_restarts_total"))[reason] === times);
  const [states, unsubscribe] = [[] as string[], reflecting.reflector.state.subscribe(({ kind }) => states.push(kind))];
  context.onTestFinished(unsubscribe);
  return { api, watch, failed, states, ...reflecting };
}

/** A metric of the reflector by its last label; without one the name is empty. */
export async function metricOf(metrics: Metrics, name: string): Promise<Readonly<Record<string, number>>> {
  const { text } = await metrics.expose();
  const lines = text.matchAll(
    new RegExp(`^${name}\\{registry="kubernetes",resource="[^"]*",?([^}]*)\\} (\\S+)$`, "gm"),
  );
  return Object.fromEntries(
    [...lines].map(([, label = "", value]) => [/"(.*)"/.exec(label)?.[1] ?? "", Number(value)]),
  );
}
