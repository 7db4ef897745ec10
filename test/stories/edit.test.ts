import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, type TestContext, test } from "vitest";
import { type ControlPlane, startControlPlane } from "../../src/app/control-plane.ts";
import { createLog } from "../../src/base/log.ts";
import { bytesJson } from "../../src/envoy/pack.ts";
import { resourceType } from "../../src/envoy/resource-types.ts";
import { defaultMeshSettings } from "../../src/model/mesh-settings.ts";
import { reviewsSubsets, shopSidecar } from "../support/shop-rules.ts";
import { waitFor } from "../support/wait-for.ts";
import { connectXds, type Received, takeEverything } from "../support/xds-client.ts";

/* The whole pipeline: files on disk, a real gRPC stream, and what an operator reads. */

const catalog = `services:
  - host: reviews.shop.svc.cluster.local
    ports: [{ name: http, number: 9080 }]
    instances:
      - { id: a, address: 10.0.0.1, labels: { version: v1 } }
      - { id: b, address: 10.0.0.2, labels: { version: v2 } }
`;

const rules = (v1: string, v2: string): string => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews, namespace: shop }
spec:
  hosts: [reviews]
  http:
    - route:
        - destination: { host: reviews, subset: v1 }
          weight: ${v1}
        - destination: { host: reviews, subset: v2 }
          weight: ${v2}
---
${reviewsSubsets}---
${shopSidecar}`;

const node = {
  id: "sidecar~10.0.0.9~web-1.shop~shop.svc.cluster.local",
  userAgentName: "envoy",
  metadata: { INTERCEPTION_MODE: "NONE" },
};
const loopback = { host: "127.0.0.1", port: 0 };

async function setUp({ onTestFinished }: TestContext, first = { rules: rules("90", "10"), catalog }) {
  const dir = mkdtempSync(join(tmpdir(), "fairway-story-"));
  mkdirSync(join(dir, "rules"));
  const files = { rules: join(dir, "rules/reviews.yaml"), catalog: join(dir, "catalog.yaml") };
  writeFileSync(files.rules, first.rules);
  writeFileSync(files.catalog, first.catalog);
  const plane = await startControlPlane({
    rules: [join(dir, "rules")],
    catalog: [files.catalog],
    mesh: defaultMeshSettings,
    anonymous: "viewer",
    xds: loopback,
    api: loopback,
    metrics: loopback,
    log: createLog({ level: "silent", format: "json", write: () => {} }),
  });
  const client = connectXds(plane.listens.xds.port);
  onTestFinished(async () => {
    client.close();
    await plane.stop();
    rmSync(dir, { recursive: true, force: true });
  });
  return { plane, client, files };
}

const weights = (response: Received): readonly number[] => {
  const table = response.resources.get("9080")?.bytes ?? new Uint8Array();
  const json = JSON.stringify(bytesJson(resourceType("RDS").url, table));
  return [...json.matchAll(/"weight":(\d+)/g)].map(([, weight]) => Number(weight));
};

const read = async <T>(plane: ControlPlane, path: string): Promise<T> => {
  const answer = await fetch(`http://127.0.0.1:${plane.listens.api.port}/api/v1/${path}`);
  return (await answer.json()) as T;
};

test("a saved weight is one route table, and nothing else", async (context) => {
  const { client, files, plane } = await setUp(context);
  const stream = client.openDelta();
  expect(weights(await takeEverything(stream, node))).toEqual([90, 10]);
  writeFileSync(files.rules, rules("20", "80"));
  const changed = await stream.accept("RDS");
  expect([...changed.resources.keys()]).toEqual(["9080"]);
  expect(weights(changed)).toEqual([20, 80]);
  await stream.quiet(300);
  await waitFor(async () => {
    const { items } = await read<{ items: { types: Record<string, { pending: number }> }[] }>(plane, "proxies");
    return items[0]?.types["RDS"]?.pending === 0;
  });
});

test("a new instance is its service's endpoints, and nothing else", async (context) => {
  const { client, files } = await setUp(context);
  const stream = client.openDelta();
  await takeEverything(stream, node);
  writeFileSync(files.catalog, `${catalog}      - { id: c, address: 10.0.0.3, labels: { version: v2 } }\n`);
  const changed = await stream.accept("EDS");
  expect([...changed.resources.keys()].sort()).toEqual([
    "outbound|9080|v2|reviews.shop.svc.cluster.local",
    "outbound|9080||reviews.shop.svc.cluster.local",
  ]);
  await stream.quiet(300);
});

describe("what is wrong is told with its place, and the last valid version keeps serving", () => {
  const bad: readonly (readonly [string, string, object])[] = [
    [
      "a weight of -1",
      rules("-1", "10"),
      { code: "rule/invalid-value", line: 9, column: 19, pointer: "/spec/http/0/route/0/weight" },
    ],
    [
      "a lookahead",
      rules("90", "10").replace("    - route:", '    - match: [{ uri: { regex: "a(?!b)" } }]\n      route:'),
      { code: "rule/invalid-regex", line: 7, column: 31, pointer: "/spec/http/0/match/0/uri/regex" },
    ],
    [
      "an unknown field",
      rules("90", "10").replace("hosts: [reviews]", "hosts: [reviews]\n  gatways: [edge]"),
      { code: "rule/unknown-field", line: 6, column: 3, pointer: "/spec/gatways", hint: "Did you mean gateways?" },
    ],
    [
      "a field that is not carried out yet",
      rules("90", "10").replace("    - route:", "    - timeout: 5s\n      route:"),
      { code: "rule/unsupported-field", line: 7, column: 7, pointer: "/spec/http/0/timeout" },
    ],
    [
      "broken YAML on line 400",
      `${rules("90", "10")}${"# a comment\n".repeat(400 - rules("90", "10").split("\n").length)}  broken: }\n`,
      { code: "text/invalid-yaml", line: 400 },
    ],
  ];

  test.for(bad)("%s", async ([, text, want], context) => {
    const { client, files, plane } = await setUp(context);
    const stream = client.openDelta();
    await takeEverything(stream, node);
    writeFileSync(files.rules, text);
    const finding = await waitFor(async () => {
      const { items } = await read<{ items: { severity: string; file: string; line: number; hint?: string }[] }>(
        plane,
        "findings",
      );
      return items.find(({ severity }) => severity === "error");
    });
    expect(finding).toMatchObject({ file: files.rules, ...want });
    expect(finding.line).toBeGreaterThan(0);
    expect(finding.hint?.length).toBeGreaterThan(0);
    await stream.quiet(200);
    expect(plane.ruleSet.value.rules.has("VirtualService/shop/reviews" as never)).toBe(true);
    expect(weights(await takeEverything(client.openDelta(), node))).toEqual([90, 10]);
  });
});

test("a refusal lands in the ledger with its words and the line of the rule behind it", async (context) => {
  const { client, files, plane } = await setUp(context);
  const stream = client.openDelta();
  stream.send("CDS", { node });
  await stream.accept("CDS");
  stream.send("LDS");
  stream.nack(
    await stream.next("LDS"),
    "Error adding listener '127.0.0.1_9080': cannot bind '127.0.0.1:9080': Address in use",
  );
  const refusal = await waitFor(async () => {
    const { items } = await read<{ items: { refusals: object[] }[] }>(plane, "proxies");
    return items[0]?.refusals[0];
  });
  expect(refusal).toMatchObject({
    type: "LDS",
    resource: "127.0.0.1_9080",
    reason: expect.stringContaining("Address in use"),
    rules: [{ rule: "Sidecar/shop/default", file: files.rules, line: 27, pointer: "/spec/egress/0" }],
  });
  await stream.quiet(300);
});

test("nothing is served before there is a world, and readiness says why", async (context) => {
  const { client, files, plane } = await setUp(context, { rules: rules("90", "10"), catalog: "services: [" });
  const ready = () => fetch(`http://127.0.0.1:${plane.listens.metrics.port}/readyz`);
  expect((await ready()).status).toBe(503);
  const stream = client.openDelta();
  stream.send("CDS", { node });
  await stream.quiet(200);
  writeFileSync(files.catalog, catalog);
  expect((await stream.next("CDS")).resources.size).toBeGreaterThan(0);
  expect((await ready()).status).toBe(200);
});
