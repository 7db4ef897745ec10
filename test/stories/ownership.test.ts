import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { RuleObjectView, RuleStatusView } from "../../src/api/types/rules.ts";
import type { ProblemView } from "../../src/api/types/server.ts";
import { bytesJson } from "../../src/envoy/pack.ts";
import { resourceType } from "../../src/envoy/resource-types.ts";
import { type OperatorsServer, startOperatorsServer } from "../support/operators-server.ts";
import { reviewsSubsets, shopSidecar } from "../support/shop-rules.ts";
import { followWatch } from "../support/sse-client.ts";
import { waitFor } from "../support/wait-for.ts";
import { connectXds, type Received, takeEverything } from "../support/xds-client.ts";

/* Who owns a rule, and what proxies say of it: from a PUT to the line of the refusal. */

const yaml = "application/yaml";
const path = "/api/v1/namespaces/shop/virtualservices/reviews";
const node = { id: "sidecar~10.0.0.9~web-1.shop~shop.svc.cluster.local", userAgentName: "envoy" };

const route = (version: string): string => `# ${version}
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews, namespace: shop }
spec:
  hosts: [reviews]
  http:
    - route:
        - destination: { host: reviews, subset: ${version} }
`;

/** The subset that the routes of a response lead to. */
function subsetIn({ resources }: Received): string | undefined {
  const table = resources.get("9080")?.bytes ?? new Uint8Array();
  const json = JSON.stringify(bytesJson(resourceType("RDS").url, table));
  return /"cluster":"outbound\|9080\|([^|]*)\|reviews/.exec(json)?.[1];
}

async function setUp(context: Parameters<typeof startOperatorsServer>[0]) {
  const server = await startOperatorsServer(context);
  writeFileSync(join(server.rules, "mesh.yaml"), `${reviewsSubsets}---\n${shopSidecar}`);
  await waitFor(() => server.plane().ruleSet.value.rules.size === 2);
  const client = connectXds(server.plane().listens.xds.port);
  context.onTestFinished(() => client.close());
  return { server, stream: client.openDelta() };
}

const statusOf = ({ admin }: OperatorsServer): Promise<RuleStatusView> => admin.json<RuleStatusView>(`${path}/status`);
const reasonsOf = async (server: OperatorsServer): Promise<readonly string[]> =>
  (await statusOf(server)).conditions.map(({ reason }) => reason);
const statusWith = (server: OperatorsServer, ...reasons: readonly string[]): Promise<RuleStatusView> =>
  waitFor(
    async () => {
      const status = await statusOf(server);
      return status.conditions.map(({ reason }) => reason).join() === reasons.join() ? status : undefined;
    },
    { what: `the status ${reasons.join()}` },
  );

test("a rule of a directory is given out with where it is managed, and not changed here", async (context) => {
  const server = await startOperatorsServer(context);
  const { admin, adminToken, url, rules } = server;
  const watch = followWatch(context, { url: () => `${url}/api/v1/virtualservices`, token: adminToken });
  const file = join(rules, "reviews.yaml");
  const plain = route("v1").replace(", subset: v1", "");
  writeFileSync(file, `# ours\n---\n${plain}`);
  const given = await waitFor(async () => {
    const { metadata } = await admin.json<RuleObjectView>(path);
    return metadata;
  });
  expect(given).toMatchObject({
    updatedBy: "directory",
    managedBy: { kind: "directory", file, line: expect.any(Number) },
  });
  const { line } = given.managedBy ?? {};
  const writes: readonly (readonly [string, string, string | undefined])[] = [
    ["PUT", yaml, plain],
    ["DELETE", yaml, undefined],
    ["PATCH", "application/merge-patch+json", '{"metadata":{"labels":{"a":"b"}}}'],
  ];
  for (const [method, type, body] of writes) {
    const answer = await admin.send(method, path, {
      headers: { "content-type": type },
      ...(body !== undefined && { body }),
    });
    const problem = JSON.parse(answer.text) as ProblemView;
    expect([method, answer.status, problem.code], answer.text).toEqual([method, 409, "api/managed-elsewhere"]);
    expect(problem.detail).toContain(`${file}:${line}`);
    expect(problem.errors?.[0]?.hint).toContain("Edit it there");
  }
  expect((await admin.post("/api/v1/changesets", plain, yaml)).status).toBe(409);
  expect((await admin.post("/api/v1/namespaces/shop/virtualservices", plain, yaml)).status).toBe(409);

  // Whoever edits the files is heard by those who watch.
  writeFileSync(file, plain.replace("hosts: [reviews]", "hosts: [reviews, other]"));
  await waitFor(() => watch.events.length === 2);
  rmSync(file);
  await waitFor(() => watch.events.length === 3);
  expect(watch.events.map(({ type, object, id }) => [type, object?.metadata.updatedBy, id])).toEqual([
    ["ADDED", "directory", "1.1"],
    ["MODIFIED", "directory", "2.1"],
    ["DELETED", "directory", "3.1"],
  ]);
  expect((await admin.get(path)).status).toBe(404);
  expect((await admin.put(path, plain, yaml)).status).toBe(201);
});

test("a file for a rule that the store has takes it over until it is removed", async (context) => {
  const { server, stream } = await setUp(context);
  const { admin, rules } = server;
  expect((await admin.put(path, route("v1"), yaml)).status).toBe(201);
  await statusWith(server, "Valid", "NoProxies");
  expect(subsetIn(await takeEverything(stream, node))).toBe("v1");
  await statusWith(server, "Valid", "Everywhere");

  const file = join(rules, "reviews.yaml");
  writeFileSync(file, route("v2"));
  expect(subsetIn(await stream.accept("RDS"))).toBe("v2");
  const taken = await waitFor(async () => {
    const found = await admin.json<RuleObjectView>(path);
    return found.metadata.managedBy === undefined ? undefined : found;
  });
  expect(taken.metadata.managedBy).toMatchObject({ file });
  expect(JSON.stringify(taken.spec)).toContain("v2");
  const { items } = await admin.json<{ items: { code: string; message: string; hint: string }[] }>(
    "/api/v1/findings?severity=error",
  );
  expect(items).toMatchObject([{ code: "rule/managed-elsewhere", about: { name: "reviews" } }]);
  expect(items[0]?.message).toContain(file);
  expect((await admin.put(path, route("v1"), yaml)).status).toBe(409);

  rmSync(file);
  expect(subsetIn(await stream.accept("RDS"))).toBe("v1");
  const back = await waitFor(async () => {
    const found = await admin.json<RuleObjectView>(path);
    return found.metadata.managedBy === undefined ? found : undefined;
  });
  expect(JSON.stringify(back.spec)).toContain("v1");
  expect((await admin.get(path, { accept: yaml })).text).toBe(route("v1"));
  await statusWith(server, "Valid", "Everywhere");
  expect((await admin.put(path, route("v2"), yaml)).status).toBe(200);
});

test("what is written is sent to proxies, and what they say of it is its status", async (context) => {
  const { server, stream } = await setUp(context);
  const { admin } = server;
  expect((await admin.put(path, route("v1"), yaml)).status).toBe(201);
  await statusWith(server, "Valid", "NoProxies");
  expect(subsetIn(await takeEverything(stream, node))).toBe("v1");
  expect(await statusWith(server, "Valid", "Everywhere")).toMatchObject({
    delivery: { targeted: 1, acked: 1, pending: 0, refused: 0 },
  });

  expect((await admin.put(path, route("v2"), yaml)).status).toBe(200);
  const sent = await stream.next("RDS");
  expect(subsetIn(sent)).toBe("v2");
  expect(await statusWith(server, "Valid", "Pending")).toMatchObject({
    observedGeneration: 2,
    delivery: { targeted: 1, acked: 0, pending: 1, refused: 0 },
  });
  stream.ack(sent);
  await statusWith(server, "Valid", "Everywhere");

  expect((await admin.put(path, route("v1").replace("# v1\n", ""), yaml)).status).toBe(200);
  const words = "Only unique names for routes are supported: 9080";
  stream.nack(await stream.next("RDS"), words);
  const refused = await statusWith(server, "Valid", "Refused");
  expect(refused).toMatchObject({
    delivery: { targeted: 1, acked: 0, pending: 0, refused: 1 },
    refusals: [{ proxy: node.id, type: "RDS", resource: "9080", reason: words, line: expect.any(Number) }],
  });
  const [refusal] = refused.refusals;
  expect(route("v1").split("\n")[refusal?.line ?? -1]).toMatch(/route|destination|http/);
  expect(refusal?.pointer).toMatch(/^\/spec\/http/);
  expect(await reasonsOf(server)).toEqual(["Valid", "Refused"]);
});
