import { describe, expect, type TestContext, test } from "vitest";
import type { CatalogEntry } from "../../src/model/catalog.ts";
import type { Instance } from "../../src/model/instance.ts";
import type { Service } from "../../src/model/service.ts";
import { startEcho } from "../support/echo-server.ts";
import { type GrpcLanguage, startGrpcClient } from "../support/grpc-client.ts";
import { host, instance, service } from "../support/mesh.ts";
import { waitFor } from "../support/wait-for.ts";
import { startWorldPlane } from "../support/world-plane.ts";

/* Real gRPC clients and services that want to be called from nearby, have aliases, or have addresses of both families. */

type Copy = Partial<Omit<Instance, "locality">> & { readonly locality?: string };

const hostname = "reviews.shop.svc.cluster.local";

/** The client's own workload says where the client is, which does not say it itself. */
const web = service("web", [instance("web-1", { address: "10.0.0.7", locality: "r1/z1", node: "n1" })], { port: 81 });

const alias = service("books", []);
const books: CatalogEntry = { ...alias, service: { ...alias.service, ports: [], aliasOf: host(hostname) } };

async function startMesh(context: TestContext, language: GrpcLanguage, more: Partial<Service>) {
  const names = ["near", "far"] as const;
  const ports = Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await startEcho(context, name)] as const)),
  );
  const reviews = (copies: Readonly<Record<string, Copy>>): CatalogEntry => {
    const all = Object.entries(copies).map(([name, copy]) =>
      instance(name, { address: "127.0.0.1", ports: { http: ports[name] ?? 0 }, ...copy }),
    );
    const { service: made, instances } = service("reviews", all);
    return { instances, service: { ...made, ...more } };
  };
  const plane = await startWorldPlane(context, web, books);
  const refusals: string[] = [];
  plane.ledger.subscribe((event) => {
    if (event.on === "refused") refusals.push(`${event.type}: ${event.reason}`);
  });
  const nodeId = "sidecar~10.0.0.7~web-1.shop~shop.svc.cluster.local";
  const client = await startGrpcClient(context, language, { xdsPort: plane.port, nodeId });
  return {
    client,
    set: (copies: Readonly<Record<string, Copy>>): void => plane.set(reviews(copies), web, books),
    refusals,
    /** Waits until this one answers, and it alone. */
    expectAll: (name: string): Promise<unknown> =>
      waitFor(
        async () => {
          const { answers } = await client.call(`${hostname}:9080`, { count: 20, deadlineMs: 2_000 });
          expect(answers).toEqual({ [name]: 20 });
          return true;
        },
        { withinMs: 20_000, what: `answers of ${name} alone` },
      ),
  };
}

describe.concurrent.each(["grpc-js", "grpcio"] as const)("%s", { timeout: 60_000 }, (language) => {
  test("uses what is near while it is healthy", async (context) => {
    const { set, expectAll, refusals } = await startMesh(context, language, { distribution: "prefer-same-zone" });
    const far = { locality: "r1/z2" };
    set({ near: { locality: "r1/z1" }, far });
    await expectAll("near");
    set({ near: { locality: "r1/z1", health: "unhealthy" }, far });
    await expectAll("far");
    set({ near: { locality: "r1/z1", health: "draining" }, far: { ...far, health: "unhealthy" } });
    await expectAll("near");
    expect(refusals).toEqual([]);
  });

  test("stays on its node where the service says so", async (context) => {
    const { set, expectAll, client } = await startMesh(context, language, { distribution: "same-node" });
    set({ near: { node: "n1" }, far: { node: "n2" } });
    await expectAll("near");
    set({ far: { node: "n2" } });
    await waitFor(async () => {
      const { errors } = await client.call(`${hostname}:9080`, { deadlineMs: 2_000 });
      return errors[0]?.code === 14;
    });
  });

  test("takes an endpoint of two addresses, and calls an alias", async (context) => {
    const { set, expectAll, client, refusals } = await startMesh(context, language, {});
    set({ near: { otherAddresses: ["::1"] } });
    await expectAll("near");
    for (const name of ["books:9080", "books.shop:9080", "books.shop.svc.cluster.local:9080"])
      expect((await client.call(name)).answers, name).toEqual({ near: 1 });
    expect(refusals).toEqual([]);
  });
});
