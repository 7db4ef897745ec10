import { describe, expect, test } from "vitest";
import { waitFor } from "../support/wait-for.ts";
import { type MeshOptions, sharedMesh } from "./mesh.ts";
import { families } from "./network.ts";
import type { Peer } from "./pod.ts";
import { client, hostOf, namespace, reviews } from "./services.ts";

const meshes: readonly MeshOptions[] = [
  { mode: "redirect", policy: "REGISTRY_ONLY", line: "1.40", families },
  { mode: "tproxy", policy: "ALLOW_ANY", line: "1.36", families },
];

const host = hostOf(reviews.name);

const metadata = { name: reviews.name, namespace };

const subsets = {
  apiVersion: "networking.istio.io/v1",
  kind: "DestinationRule",
  metadata,
  spec: { host, subsets: ["v1", "v2"].map((version) => ({ name: version, labels: { version } })) },
};

const weights = (v1: number, v2: number) => ({
  apiVersion: "networking.istio.io/v1",
  kind: "VirtualService",
  metadata,
  spec: {
    hosts: [host],
    http: [
      { route: Object.entries({ v1, v2 }).map(([subset, weight]) => ({ destination: { host, subset }, weight })) },
    ],
  },
});

/** Enough to see both of two that share the traffic. */
const someAnswers = 40;

/** Who gives the next answers of a load. */
async function answering({ ask }: Peer): Promise<readonly string[]> {
  const { answers: before } = await ask("load", null);
  const fresh = async () =>
    Object.entries((await ask("load", null)).answers).map(([who, count]) => [who, count - (before[who] ?? 0)] as const);
  const counts = await waitFor(async () => {
    const each = await fresh();
    return each.reduce((sum, [, count]) => sum + count, 0) >= someAnswers ? each : undefined;
  });
  return counts.filter(([, count]) => count > 0).map(([who]) => who);
}

describe.each(meshes)("$mode, $policy, Envoy $line", (options) => {
  const meshOf = sharedMesh(options);

  test("a canary moves captured requests from v1 to v2, and none fails", { timeout: 90_000 }, async (context) => {
    const mesh = await meshOf(context);
    const caller = mesh.at(client);
    const answeredBy = (...pods: readonly string[]) =>
      waitFor(async () => (await answering(caller)).toSorted().join() === pods.join(), { what: `answers by ${pods}` });

    await caller.ask("startLoad", { protocol: "http", host: reviews.virtual.ipv4, port: 9080, authority: host });
    await answeredBy("reviews-v1", "reviews-v2");
    await mesh.apply([subsets, weights(100, 0)]);
    await answeredBy("reviews-v1");
    await mesh.apply([weights(50, 50)]);
    await answeredBy("reviews-v1", "reviews-v2");
    await mesh.apply([weights(0, 100)]);
    await answeredBy("reviews-v2");
    expect(await caller.ask("stopLoad", null)).toMatchObject({ failures: [] });
  });
});
