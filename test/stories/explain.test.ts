import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Explanation } from "../../src/explain/explanation.ts";
import { fairway } from "../cli/terminal.ts";
import { startOperatorsServer } from "../support/operators-server.ts";
import { reviewsSubsets, shopSidecar } from "../support/shop-rules.ts";
import { waitFor } from "../support/wait-for.ts";
import { connectXds, takeEverything } from "../support/xds-client.ts";

/* A proxy is connected, and an operator asks where its requests go: by REST, by the command, and again after a change. */

const route = (v1: number, v2: number): string => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews, namespace: shop }
spec:
  hosts: [reviews]
  http:
    - match: [{ headers: { x-user: { exact: bob } } }]
      route: [{ destination: { host: reviews, subset: v2 } }]
    - route:
        - destination: { host: reviews, subset: v1 }
          weight: ${v1}
        - destination: { host: reviews, subset: v2 }
          weight: ${v2}
`;

test("where requests go, with the file and line behind it, and again after a change", async (context) => {
  const server = await startOperatorsServer(context);
  const { admin, rules } = server;
  const file = join(rules, "route.yaml");
  writeFileSync(join(rules, "mesh.yaml"), `${shopSidecar}---\n${reviewsSubsets}`);
  writeFileSync(file, route(90, 10));
  await waitFor(() => server.plane().ruleSet.value.rules.size === 3);

  const question = { proxy: "web-1.shop", url: "http://reviews:9080/" };
  const ask = async (part: object = {}): Promise<Explanation> => {
    const answer = await admin.post("/api/v1/explain", { ...question, ...part });
    if (answer.status !== 200) throw new Error(answer.text);
    return JSON.parse(answer.text);
  };
  await expect(ask()).rejects.toThrow("No such proxy is known.");

  const client = connectXds(server.plane().listens.xds.port);
  context.onTestFinished(() => client.close());
  const stream = client.openDelta();
  await takeEverything(stream, { id: "sidecar~10.0.0.9~web-1.shop~shop.svc.cluster.local", userAgentName: "envoy" });

  const sharesIn = ({ outcomes }: Explanation) =>
    outcomes.map(({ share, result }) => [result.kind === "forward" ? result.service?.subset : result.kind, share]);
  await waitFor(async () => sharesIn(await ask()).length === 2);
  const split = await ask();
  expect(sharesIn(split)).toEqual([
    ["v1", 0.9],
    ["v2", 0.1],
  ]);
  expect(split.outcomes[0]?.route?.origins).toEqual([
    {
      ...{ kind: "rule", rule: "VirtualService/shop/reviews", pointer: "/spec/http/1" },
      ...{ file, line: 9, column: 7 },
    },
  ]);
  expect(split.nearMisses[0]?.failed[0]).toMatchObject({
    asks: 'the header x-user is "bob"',
    origins: [{ file, line: 7, column: 15 }],
  });
  expect(sharesIn(await ask({ headers: { "x-user": "bob" } }))).toEqual([["v2", 1]]);

  const line = ["explain", "GET", "http://reviews:9080/", "--from", "web-1", "--server", server.url];
  const env = { FAIRWAY_TOKEN: server.adminToken };
  const printed = await fairway(line, { env });
  expect([printed.exit, printed.err]).toEqual([0, ""]);
  expect(printed.out).toContain("90 %  → reviews.shop.svc.cluster.local:9080, subset v1\n");
  expect(printed.out).toContain(`${file}:9:7  VirtualService/shop/reviews  /spec/http/1\n`);
  expect(printed.out).toContain("10.0.0.2:9080");
  const json = await fairway([...line, "-o", "json"], { env });
  expect(JSON.parse(json.out)).toEqual(split);

  // What a proxy would get now counts, whether it took it or not.
  writeFileSync(file, route(0, 100));
  await waitFor(async () => sharesIn(await ask()).length === 1);
  expect(sharesIn(await ask())).toEqual([["v2", 1]]);
});
