import type { TestContext } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { createMetrics } from "../../src/base/metrics.ts";
import { createKubeClient } from "../../src/kube/client.ts";
import { createReflector } from "../../src/kube/create-reflector.ts";
import { createKubeConfigAccess } from "../../src/kube/kube-config.ts";
import { createKubeMetrics } from "../../src/kube/metrics.ts";
import type { KubeResource, Reflector } from "../../src/kube/reflector.ts";
import type { ReflectorTimes } from "../../src/kube/times.ts";
import { metricOf, silentLog } from "../kube/support.ts";

/** Of a ConfigMap, its data. */
export interface Data {
  readonly [name: string]: string;
}

export const configMaps = (namespace: string): KubeResource<Data> => ({
  base: "/api/v1",
  plural: "configmaps",
  namespace,
  project: (object) => ({ ...(object["data"] as Data) }),
});

export interface RealReflector<T extends object> {
  readonly reflector: Reflector<T>;
  readonly state: () => string;
  /** `name=value` of each object's `v`. */
  readonly kept: () => readonly string[];
  /** How many maps were handed over. */
  readonly maps: () => number;
  readonly metric: (name: string) => Promise<Readonly<Record<string, number>>>;
}

interface Options<T extends object> {
  readonly kubeconfig: string;
  readonly resource: KubeResource<T>;
  readonly times?: Partial<ReflectorTimes>;
}

/** Pauses that a test can wait for. */
const quick: Partial<ReflectorTimes> = { minPauseMs: 50, maxPauseMs: 500, forbiddenPauseMs: 200, absentPauseMs: 200 };

/** A reflector of a real API server, in real time. */
export function reflectReal<T extends object = Data>(
  context: Pick<TestContext, "onTestFinished">,
  { kubeconfig, resource, times }: Options<T>,
): RealReflector<T> {
  const metrics = createMetrics();
  const clock = systemClock;
  const access = createKubeConfigAccess({ source: { kind: "file", file: kubeconfig }, clock, log: silentLog });
  const client = createKubeClient({ access, clock, userAgent: "fairway/test" });
  const reflector = createReflector({
    ...{ client, resource, clock, log: silentLog, times: { ...quick, ...times } },
    metrics: createKubeMetrics(metrics)("kubernetes", resource.plural),
  });
  context.onTestFinished(async () => {
    await reflector.close();
    client.close();
  });
  let maps = 0;
  reflector.objects.subscribe(() => {
    maps += 1;
  });
  return {
    reflector,
    state: () => reflector.state.value.kind,
    kept: () =>
      [...(reflector.objects.value ?? [])].map(([key, one]) => `${key.split("/").at(-1)}=${(one as Data)["v"]}`),
    maps: () => maps,
    metric: (name) => metricOf(metrics, name),
  };
}
