import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { ask, clusterOf, configurationOf, endpoint, filter, listenerOf, resultsOf } from "./configuration.ts";

const tcp = (message: JsonObject): JsonObject =>
  filter("tcp", "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy", { stat_prefix: "tcp", ...message });

const explained = (message: JsonObject, ...clusters: readonly JsonObject[]) =>
  ask(configurationOf({ listeners: [listenerOf(tcp(message))], clusters }), { url: "tcp://10.0.0.1:80" });

const db = "outbound|3306|v1|db.shop.svc.cluster.local";

test("all to one cluster, and the service behind its name", () => {
  const { outcomes, nearMisses } = explained({ cluster: db }, clusterOf(db, endpoint("10.0.0.1", 3306)));
  expect(nearMisses).toEqual([]);
  expect(outcomes).toMatchObject([
    {
      share: 1,
      result: {
        kind: "tunnel",
        cluster: db,
        service: { host: "db.shop.svc.cluster.local", port: 3306, subset: "v1", direction: "outbound" },
        leadsTo: { kind: "endpoints", endpoints: [{ address: "10.0.0.1:3306" }] },
      },
    },
  ]);
});

describe("the service behind a cluster's name", () => {
  test.each([
    ["outbound|80||a.b", { host: "a.b", port: 80, direction: "outbound" }],
    ["inbound|80||", { host: "", port: 80, direction: "inbound" }],
    ["one", undefined],
    ["outbound|x||a.b", undefined],
    ["outbound|80|a.b", undefined],
  ])("%s", (cluster, service) => {
    const [result] = resultsOf(explained({ cluster }, clusterOf(cluster)));
    expect(result?.kind === "tunnel" ? result.service : "no tunnel").toEqual(service);
  });
});

test("by weight to one of several; one with none gets none", () => {
  const clusters = [
    { name: "a", weight: 1 },
    { name: "b", weight: 0 },
    { name: "gone", weight: 3 },
  ];
  const { outcomes } = explained({ weighted_clusters: { clusters } }, clusterOf("a"), clusterOf("b"));
  expect(outcomes).toMatchObject([
    { share: 0.25, result: { kind: "tunnel", cluster: "a" } },
    { share: 0.75, result: { kind: "close", reason: 'the proxy has no cluster "gone"' } },
  ]);
});

describe("what ends a connection", () => {
  test("a cluster that is not there", () => {
    expect(resultsOf(explained({ cluster: "gone" }))).toEqual([
      { kind: "close", reason: 'the proxy has no cluster "gone"' },
    ]);
  });

  test("a chain without filters", () => {
    const configuration = configurationOf({ listeners: [listenerOf()] });
    expect(resultsOf(ask(configuration, { url: "tcp://10.0.0.1:80" }))).toEqual([
      { kind: "close", reason: "the filter chain has no filters" },
    ]);
  });

  test("nobody who listens", () => {
    const configuration = configurationOf({ listeners: [listenerOf(tcp({ cluster: "a" }))] });
    const { listener, outcomes } = ask(configuration, { url: "tcp://10.0.0.1:81" });
    expect(listener).toBeUndefined();
    expect(outcomes).toMatchObject([{ result: { kind: "close" } }]);
  });
});

test("a filter that is not known", () => {
  const own = filter("own", "example.filters.Own", { anything: [1, { "@type": "x/example.Inner", a: 1 }] });
  const configuration = configurationOf({ listeners: [listenerOf(own)] });
  expect(resultsOf(ask(configuration, { url: "tcp://10.0.0.1:80" }))).toEqual([
    { kind: "unknown", filter: "example.filters.Own" },
  ]);
});
