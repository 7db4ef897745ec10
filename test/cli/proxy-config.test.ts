import { expect, test } from "vitest";
import { proxy } from "../api/fixture.ts";
import { page, startApi } from "./api-server.ts";
import { fairway } from "./terminal.ts";

const resource = (type: string, name: string, config: object, state?: string) => ({
  type,
  name,
  version: "v",
  ...(state !== undefined && { state }),
  config,
  rules: [],
});

const socket = (address: string, portValue: number) => ({ socketAddress: { address, portValue } });

const reviews = "outbound|9080||reviews.shop.svc.cluster.local";
const canary = "outbound|9080|v2|reviews.shop.svc.cluster.local";

const resources = [
  resource("CDS", reviews, { type: "EDS" }, "accepted"),
  resource("CDS", canary, { type: "STRICT_DNS", lbPolicy: "LEAST_REQUEST" }, "pending"),
  resource(
    "EDS",
    reviews,
    {
      endpoints: [
        {
          locality: { region: "r1", zone: "z1" },
          lbEndpoints: [
            { endpoint: { address: socket("10.0.0.1", 9080) }, loadBalancingWeight: 3 },
            { endpoint: { address: socket("::1", 9080) }, healthStatus: "DRAINING" },
          ],
        },
      ],
    },
    "accepted",
  ),
  resource("EDS", canary, {}),
  resource(
    "LDS",
    "0.0.0.0_9080",
    {
      address: socket("0.0.0.0", 9080),
      filterChains: [
        {
          filters: [
            {
              name: "envoy.filters.network.http_connection_manager",
              typedConfig: { rds: { routeConfigName: "9080" } },
            },
          ],
        },
      ],
      defaultFilterChain: {
        filters: [{ name: "envoy.filters.network.tcp_proxy", typedConfig: { cluster: "PassthroughCluster" } }],
      },
    },
    "refused",
  ),
  resource(
    "RDS",
    "9080",
    {
      virtualHosts: [
        {
          domains: ["reviews", "reviews.shop", "10.1.1.1"],
          routes: [
            { match: { prefix: "/api", headers: [{ name: "x-user" }] }, route: { cluster: canary } },
            {
              match: { prefix: "/" },
              route: {
                weightedClusters: {
                  clusters: [
                    { name: reviews, weight: 90 },
                    { name: canary, weight: 10 },
                  ],
                },
              },
            },
          ],
        },
        { domains: ["*"], routes: [{ match: { safeRegex: { regex: "/a.*" } }, directResponse: { status: 404 } }] },
      ],
    },
    "accepted",
  ),
];

const serve = () =>
  startApi({
    "GET /api/v1/proxies": () =>
      page([proxy("sidecar~1", { name: "web-1" }), proxy("2", { name: "x" }), proxy("3", { name: "x" })]),
    "GET /api/v1/proxies/sidecar~1/config": ({ query: { type, name } }) => ({
      json: {
        proxy: "sidecar~1",
        resources: resources.filter(
          (one) => (type === undefined || one.type === type) && (name === undefined || one.name === name),
        ),
      },
    }),
  });

test("all of it", async () => {
  const { flag } = await serve();
  const { exit, out, err } = await fairway(`proxy-config web-1.shop ${flag}`);
  expect([exit, err]).toEqual([0, ""]);
  await expect(out).toMatchFileSnapshot("expected/proxy-config.txt");
});

test("one part, one resource", async () => {
  const { flag, seen } = await serve();
  const { out } = await fairway([
    "proxy-config",
    "web-1",
    "cluster",
    "--name",
    canary,
    "-o",
    "json",
    ...flag.split(" "),
  ]);
  expect(seen.at(-1)?.query).toEqual({ type: "CDS", name: canary });
  expect(JSON.parse(out).resources).toEqual([resources[1]]);
  expect(await fairway(`proxy-config web-1 routes --name none ${flag}`)).toEqual({
    exit: 1,
    out: "There is nothing of it.\n",
    err: "",
  });
});

test.each([
  ["proxy-config web-9", 1, "no proxy web-9 is known"],
  ["proxy-config x", 2, "2 proxies have the name x\n  Say which: 2, 3."],
  ["proxy-config web-1 rutes", 2, '"rutes" is no part of a proxy\'s configuration'],
])("%s", async (line, exit, message) => {
  const { flag } = await serve();
  const answer = await fairway(`${line} ${flag}`);
  expect([answer.exit, answer.err.startsWith(`fairway: ${message}`)], answer.err).toEqual([exit, true]);
});
