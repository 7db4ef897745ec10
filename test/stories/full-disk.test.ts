import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, type TestContext, test } from "vitest";
import type { NewTokenView } from "../../src/api/types/access.ts";
import type { RuleListView } from "../../src/api/types/rules.ts";
import type { ProblemView } from "../../src/api/types/server.ts";
import type { ControlPlane } from "../../src/app/control-plane.ts";
import { createApiClient } from "../support/api-client.ts";
import { temporaryFolder } from "../support/dev.ts";
import { reviewsRoute, routePath } from "../support/operators-server.ts";
import { openEventStream } from "../support/sse-client.ts";
import { waitFor } from "../support/wait-for.ts";
import { connectXds } from "../support/xds-client.ts";

const script = fileURLToPath(new URL("./full-disk-server.ts", import.meta.url));
const yaml = "application/yaml";

const hasNamespaces = (() => {
  try {
    execFileSync("unshare", ["-rm", "true"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

/** A server on a file system of 2 MiB, which can be filled. */
async function startOnSmallDisk(context: Pick<TestContext, "onTestFinished">) {
  const dir = temporaryFolder(context);
  const [disk, catalog] = [join(dir, "disk"), join(dir, "catalog.yaml")];
  mkdirSync(disk);
  writeFileSync(
    catalog,
    "services: [{ host: reviews.shop.svc.cluster.local, ports: [{ name: http, number: 9080 }], instances: [{ id: a, address: 10.0.0.1 }] }]\n",
  );
  const command = 'mount -t tmpfs -o size=2m tmpfs "$1" && exec "$3" "$4" "$1" "$2"';
  const child = spawn("unshare", ["-rm", "sh", "-c", command, "sh", disk, catalog, process.execPath, script], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  context.onTestFinished(async () => {
    child.stdin.end();
    await exited;
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => JSON.parse(String((await lines.next()).value));
  const { listens, token } = (await next()) as Pick<ControlPlane, "listens"> & { readonly token: NewTokenView };
  return {
    xds: listens.xds.port,
    url: `http://127.0.0.1:${listens.api.port}`,
    token: token.token,
    does: async (line: "fill" | "clear" | "start read-only"): Promise<unknown> => {
      child.stdin.write(`${line}\n`);
      return next();
    },
  };
}

test.skipIf(!hasNamespaces)(
  "a full disk: writes are refused with what to do, the rest goes on, and so do writes when there is room (needs `unshare`)",
  async (context) => {
    const { xds, url, token, does } = await startOnSmallDisk(context);
    const api = createApiClient({ url, token });
    const watch = await openEventStream({ url: `${url}/api/v1/virtualservices`, token });
    context.onTestFinished(watch.cut);
    expect((await api.put(routePath("a"), reviewsRoute("a", "before"), yaml)).status).toBe(201);

    await does("fill");
    const large = reviewsRoute("a", "x".repeat(900)) + `# ${"y".repeat(1_000)}\n`.repeat(300);
    const refusals = [
      await api.put(routePath("a"), large, yaml),
      await api.put(routePath("b"), reviewsRoute("b", "while full") + large.slice(large.indexOf("# y")), yaml),
      await api.post("/api/v1/changesets", large, yaml),
    ];
    for (const { status, text, headers } of refusals) {
      expect([status, headers.get("content-type")], text).toEqual([507, "application/problem+json"]);
      const problem = JSON.parse(text) as ProblemView;
      expect(problem).toMatchObject({ code: "store/full", hint: expect.any(String) });
      expect(problem.detail).toContain("fairway.db");
    }

    const list = await api.json<RuleListView>("/api/v1/virtualservices");
    expect([list.revision, list.items.map(({ metadata }) => metadata.name)]).toEqual([1, ["a"]]);
    expect((await api.get(routePath("a"), { accept: yaml })).text).toBe(reviewsRoute("a", "before"));
    const client = connectXds(xds);
    context.onTestFinished(client.close);
    const stream = client.openDelta();
    stream.send("CDS", { node: { id: "sidecar~10.0.0.9~web-1.shop~shop.svc.cluster.local", userAgentName: "envoy" } });
    expect([...(await stream.accept("CDS")).resources.keys()]).toContain(
      "outbound|9080||reviews.shop.svc.cluster.local",
    );

    await does("clear");
    expect((await api.put(routePath("a"), large, yaml)).status).toBe(200);
    expect((await api.put(routePath("b"), reviewsRoute("b", "after"), yaml)).status).toBe(201);
    await waitFor(() => watch.messages.at(-1)?.id === "3.1");
    expect(watch.messages.map(({ event, id }) => `${event} ${id}`)).toEqual([
      "BOOKMARK 0",
      "ADDED 1.1",
      "MODIFIED 2.1",
      "ADDED 3.1",
    ]);

    expect(await does("start read-only")).toMatchObject({ code: "store/read-only", hint: expect.any(String) });
  },
);
