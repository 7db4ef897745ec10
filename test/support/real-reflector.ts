import type { TestContext } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { createMetrics } from "../../src/base/metrics.ts";
import { createKubeClient, type KubeClient, type KubeLimits } from "../../src/kube/client.ts";
import { createReflector } from "../../src/kube/create-reflector.ts";
import { createKubeConfigAccess } from "../../src/kube/kube-config.ts";
import { createKubeMetrics } from "../../src/kube/metrics.ts";
import type { KubeResource, Reflector } from "../../src/kube/reflector.ts";
import type { ReflectorTimes } from "../../src/kube/times.ts";
import { metricOf, silentLog } from "../kube/support.ts";
import type { KubeApi } from "./kube-api.ts";

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
  /** The sizes of all maps that were handed over. */
  readonly sizes: readonly number[];
  readonly metric: (name: string) => Promise<Readonly<Record<string, number>>>;
}

interface Options<T extends object> {
  readonly kubeconfig: string;
  readonly resource: KubeResource<T>;
  readonly times?: Partial<ReflectorTimes>;
  readonly limits?: Partial<KubeLimits>;
  /** What the reflector asks goes through this. */
  readonly through?: (client: KubeClient) => KubeClient;
}

/** Pauses that a test can wait for. */
const quick: Partial<ReflectorTimes> = { minPauseMs: 50, maxPauseMs: 500, absentPauseMs: 200 };

/** A reflector of a real API server, in real time. */
export function reflectReal<T extends object = Data>(
  context: Pick<TestContext, "onTestFinished">,
  { kubeconfig, resource, times, limits = {}, through = (client) => client }: Options<T>,
): RealReflector<T> {
  const metrics = createMetrics();
  const clock = systemClock;
  const access = createKubeConfigAccess({ source: { kind: "file", file: kubeconfig }, clock, log: silentLog });
  const client = createKubeClient({ access, clock, userAgent: "fairway/test", limits });
  const reflector = createReflector({
    ...{ client: through(client), resource, clock, log: silentLog, times: { ...quick, ...times } },
    metrics: createKubeMetrics(metrics)("kubernetes", resource.plural),
  });
  context.onTestFinished(async () => {
    await reflector.close();
    client.close();
  });
  const sizes: number[] = [];
  reflector.objects.subscribe((objects) => sizes.push(objects?.size ?? 0));
  return {
    reflector,
    state: () => reflector.state.value.kind,
    kept: () =>
      [...(reflector.objects.value ?? [])].map(([key, one]) => `${key.split("/").at(-1)}=${(one as Data)["v"]}`),
    sizes,
    metric: (name) => metricOf(metrics, name),
  };
}

export const configMap = (namespace: string, name: string, v: string) => ({
  ...{ apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace } },
  data: { v },
});

/** What an API server has of a namespace, as `kept` tells it. */
export async function configMapsOf(admin: KubeApi, namespace: string): Promise<readonly string[]> {
  const { items } = await admin.list(`/api/v1/namespaces/${namespace}/configmaps`);
  return items.map((item) => `${item.metadata.name}=${(item["data"] as Data)["v"]}`).sort();
}

/** A way to a server whose bookmarks get lost; events are in lines, which chunks may cut. */
export const withoutBookmarks = (client: KubeClient): KubeClient => ({
  ...client,
  stream: async (request) => linesBut(await client.stream(request), '{"type":"BOOKMARK"'),
});

async function* linesBut(chunks: AsyncIterable<Buffer>, start: string): AsyncGenerator<Buffer> {
  let rest = "";
  for await (const chunk of chunks) {
    const lines = (rest + chunk.toString("latin1")).split("\n");
    rest = lines.pop() ?? "";
    const kept = lines.filter((line) => !line.startsWith(start));
    if (kept.length > 0) yield Buffer.from(kept.map((line) => `${line}\n`).join(""), "latin1");
  }
  if (rest !== "") yield Buffer.from(rest, "latin1");
}
