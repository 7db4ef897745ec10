import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import type { ProblemView } from "../../src/api/types/server.ts";
import { type OperatorsServer, startOperatorsServer } from "../support/operators-server.ts";
import { reviewsSubsets, shopSidecar } from "../support/shop-rules.ts";
import { waitFor } from "../support/wait-for.ts";

/* A server that holds changes to tests of where requests go. */

const path = "/api/v1/namespaces/shop/virtualservices/reviews";

const ground = `${reviewsSubsets}---\n${shopSidecar}`;

/** Bob's requests to one subset, everybody's to another. */
const routes = (bobs: string, others: string): string => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews, namespace: shop }
spec:
  hosts: [reviews]
  http:
    - match: [{ headers: { x-user: { exact: bob } } }]
      route: [{ destination: { host: reviews, subset: ${bobs} } }]
    - route: [{ destination: { host: reviews, subset: ${others} } }]
`;

const tests = (bobs: string): string => `proxy: { id: sidecar~10.0.0.9~web-1.shop~shop.svc.cluster.local }
tests:
  - name: bob sees ${bobs}
    request: { url: "http://reviews:9080/", headers: { x-user: bob } }
    expect: { subset: ${bobs} }
`;

async function setUp(context: Parameters<typeof startOperatorsServer>[0]): Promise<OperatorsServer> {
  const server = await startOperatorsServer(context, { routeTests: tests("v2") });
  writeFileSync(join(server.rules, "ground.yaml"), ground);
  await waitFor(() => server.plane().ruleSet.value.rules.size === 2);
  return server;
}

const put = ({ admin }: OperatorsServer, text: string, query = "") =>
  admin.send("PUT", `${path}${query}`, { body: text, headers: { "content-type": "application/yaml" } });

test("a change after which a test fails that holds now is refused, and nothing is stored", async (context) => {
  const server = await setUp(context);
  // The test fails before as well: nobody is kept from mending.
  expect((await put(server, routes("v1", "v1"))).status).toBe(201);
  expect((await put(server, routes("v2", "v1"))).status).toBe(200);
  for (const query of ["", "?dryRun=true"]) {
    const refused = await put(server, routes("v1", "v2"), query);
    expect(refused.status).toBe(422);
    const { code, errors } = JSON.parse(refused.text) as ProblemView;
    expect([code, errors]).toEqual([
      "api/breaks-route-tests",
      [
        {
          message: 'The route test "bob sees v2": expected subset v2, but it goes to subset v1.',
          source: { file: join(dirname(server.rules), "tests.yaml"), line: 5, column: 23 },
        },
      ],
    ]);
  }
  expect((await server.admin.get(path)).text).toContain("v2");
  expect((await put(server, routes("v2", "v2"))).status).toBe(200);
  expect((await server.admin.send("DELETE", path)).status).toBe(422);
});

test("tests that are changed count at once", async (context) => {
  const server = await setUp(context);
  expect((await put(server, routes("v2", "v1"))).status).toBe(201);
  writeFileSync(join(dirname(server.rules), "tests.yaml"), tests("v1"));
  await waitFor(async () => (await put(server, routes("v1", "v1"))).status === 200);
  expect((await put(server, routes("v2", "v1"))).status).toBe(422);
  // What cannot be read leaves the tests that were read before.
  writeFileSync(join(dirname(server.rules), "tests.yaml"), "tests: [");
  expect((await put(server, routes("v2", "v1"))).status).toBe(422);
});
