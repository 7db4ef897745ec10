import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, type TestContext, test } from "vitest";
import { nodeIdOf } from "../../src/envoy/bootstrap.ts";
import type { CatalogEntry } from "../../src/model/catalog.ts";
import type { Health } from "../../src/model/instance.ts";
import type { Distribution } from "../../src/model/service.ts";
import { envoyLines, startEnvoy } from "../support/envoy.ts";
import { freePort } from "../support/free-port.ts";
import { host, instance, service } from "../support/mesh.ts";
import { createAsker } from "../support/traffic.ts";
import { waitFor } from "../support/wait-for.ts";
import { startWorldPlane } from "../support/world-plane.ts";

/* Where the requests of a sidecar in r1/z1, on the node n1, go: to instances that are near, while there are any. */

/** A server that answers with its name; its port. */
async function startBackend({ onTestFinished }: Pick<TestContext, "onTestFinished">, name: string): Promise<number> {
  const server = createServer((_, response) => response.end(name)).listen(0, "127.0.0.1");
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

const copies = {
  near: { locality: "r1/z1", node: "n1" },
  beside: { locality: "r1/z1", node: "n2" },
  next: { locality: "r1/z2", node: "n3" },
  far: { locality: "r2/z1", node: "n4" },
} as const;
type Name = keyof typeof copies;
const names = Object.keys(copies) as readonly Name[];

/** What is not named is healthy. */
type State = Readonly<Partial<Record<Name, Health | "gone">>>;

/** A sidecar whose application calls `reviews`, of which the test says who is there and how it is. */
async function startMesh(context: TestContext, line: (typeof envoyLines)[number], distribution: Distribution) {
  const ports = Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await startBackend(context, name)] as const)),
  );
  const port = await freePort();
  const hidden = service("books", []);
  const alias: CatalogEntry = {
    ...hidden,
    service: { ...hidden.service, ports: [], aliasOf: host("reviews.shop.svc.cluster.local") },
  };
  const reviews = (state: State): CatalogEntry => {
    const there = names.flatMap((name) => {
      const health = state[name] ?? "healthy";
      if (health === "gone") return [];
      return [instance(name, { ...copies[name], address: "127.0.0.1", ports: { http: ports[name] ?? 0 }, health })];
    });
    const { service: made, instances } = service("reviews", there, { port });
    return { service: { ...made, distribution }, instances };
  };
  const plane = await startWorldPlane(context, reviews({}), alias);
  const node = {
    id: nodeIdOf({ kind: "sidecar", ip: "127.0.0.1", name: "web", namespace: "shop", domain: "cluster.local" }),
    cluster: "web.shop",
    locality: { region: "r1", zone: "z1", subzone: "" },
    metadata: { NODE_NAME: "n1", INTERCEPTION_MODE: "NONE" },
  };
  await startEnvoy({ context, line, node, xdsPort: plane.port });
  const asker = createAsker(`http://127.0.0.1:${port}/`, "reviews");
  context.onTestFinished(async () => asker.close());
  const ask = async (count: number, to = "reviews"): Promise<readonly string[]> => {
    const answers: string[] = [];
    for (let i = 0; i < count; i++) {
      const { status, text } = await asker.ask({ host: to });
      answers.push(status === 200 ? text : String(status));
    }
    return answers;
  };
  return {
    ask,
    set: (state: State): void => plane.set(reviews(state), alias),
    /** Waits until many requests in a row are answered by these, and by each of them. */
    expectAll: (...wanted: readonly string[]): Promise<unknown> =>
      waitFor(
        async () => {
          expect([...new Set(await ask(40))].sort()).toEqual(wanted.toSorted());
          return true;
        },
        { withinMs: 20_000, what: `answers of ${wanted.join(", ")} alone` },
      ),
  };
}

describe.each(envoyLines)("Envoy %s", (line) => {
  test("uses its own zone, then the region, then others, and comes back", { timeout: 60_000 }, async (context) => {
    const { set, expectAll } = await startMesh(context, line, "prefer-same-zone");
    await expectAll("near", "beside");
    set({ near: "gone" });
    await expectAll("beside");
    set({ near: "unhealthy", beside: "unhealthy" });
    await expectAll("next");
    set({ near: "draining", beside: "unhealthy", next: "gone" });
    await expectAll("far");
    set({});
    await expectAll("near", "beside");
  });

  test("moves as much as the healthy ones of the zone do not cover", { timeout: 60_000 }, async (context) => {
    const { set, ask } = await startMesh(context, line, "prefer-same-zone");
    set({ beside: "unhealthy" });
    await waitFor(async () => {
      const answers = await ask(40);
      return !answers.includes("beside") && answers.includes("next");
    });
    const count = 1000;
    const near = (await ask(count)).filter((name) => name === "near").length;
    // Half of the zone is healthy, and takes 1.4 times its share; five standard deviations.
    expect(Math.abs(near - 0.7 * count)).toBeLessThan(5 * Math.sqrt(count * 0.7 * 0.3));
  });

  test("uses its own node first where the service wants that", { timeout: 60_000 }, async (context) => {
    const { set, expectAll } = await startMesh(context, line, "prefer-same-node");
    await expectAll("near");
    set({ near: "unhealthy" });
    await expectAll("beside");
    set({ near: "gone", beside: "gone" });
    await expectAll("next");
  });

  test("stays on its node where the service says so, and takes one that drains before none", {
    timeout: 60_000,
  }, async (context) => {
    const { set, expectAll } = await startMesh(context, line, "same-node");
    await expectAll("near");
    set({ near: "draining" });
    await expectAll("near");
    set({ near: "gone" });
    await expectAll("503");
  });

  test("leads an alias to its service", { timeout: 60_000 }, async (context) => {
    const { ask, expectAll } = await startMesh(context, line, "prefer-same-node");
    await expectAll("near");
    for (const name of ["books", "books.shop", "books.shop.svc.cluster.local"])
      expect(await ask(3, name), name).toEqual(["near", "near", "near"]);
  });
});
