import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { type ExplainedCluster, explainCluster } from "../../src/explain/endpoints.ts";
import { clusterOf, configurationOf, endpoint, filter, type Parts } from "./configuration.ts";

const explained = (name: string, parts: Parts): ExplainedCluster => explainCluster(configurationOf(parts), name);

/** Address and priority of each. */
const placesIn = (cluster: ExplainedCluster): readonly string[] =>
  cluster.kind === "endpoints" ? cluster.endpoints.map((one) => `${one.address} ${one.priority}`) : [cluster.kind];

test("one that is not there", () => {
  expect(explained("a", {})).toEqual({ kind: "missing" });
});

describe("where its endpoints are from", () => {
  const eds: JsonObject = { name: "a", type: "EDS", eds_cluster_config: { eds_config: { ads: {} } } };
  const assignment = (name: string): JsonObject => ({
    cluster_name: name,
    endpoints: [{ lb_endpoints: [endpoint("10.0.0.1")] }],
  });

  test("a resource of its own, by its name", () => {
    expect(placesIn(explained("a", { clusters: [eds], endpoints: [assignment("b"), assignment("a")] }))).toEqual([
      "10.0.0.1:80 0",
    ]);
  });

  test("a resource of its own, by another name", () => {
    const named: JsonObject = { ...eds, eds_cluster_config: { eds_config: { ads: {} }, service_name: "b" } };
    expect(placesIn(explained("a", { clusters: [named], endpoints: [assignment("b")] }))).toEqual(["10.0.0.1:80 0"]);
    expect(explained("a", { clusters: [named], endpoints: [assignment("a")] })).toEqual({
      kind: "endpoints",
      endpoints: [],
    });
  });

  test.each(["STATIC", "STRICT_DNS", "LOGICAL_DNS"])("itself: %s", (type) => {
    const cluster: JsonObject = { ...clusterOf("a", endpoint("a.example", 443), endpoint("::1", 1)), type };
    expect(placesIn(explained("a", { clusters: [cluster] }))).toEqual(["a.example:443 0", "[::1]:1 0"]);
  });

  test.each(["envoy.cluster.dns", "envoy.cluster.strict_dns", "envoy.cluster.logical_dns", "envoy.cluster.static"])(
    "itself: %s",
    (name) => {
      const cluster_type = filter(name, "envoy.extensions.clusters.dns.v3.DnsCluster");
      const { type: _, ...cluster } = clusterOf("a", endpoint("a.example"));
      expect(placesIn(explained("a", { clusters: [{ ...cluster, cluster_type }] }))).toEqual(["a.example:80 0"]);
    },
  );

  test("an endpoint of several addresses", () => {
    const both = {
      endpoint: {
        address: { socket_address: { address: "10.0.0.1", port_value: 80 } },
        additional_addresses: [{ address: { socket_address: { address: "fd00::1", port_value: 80 } } }],
      },
    };
    expect(explained("a", { clusters: [clusterOf("a", both)] })).toMatchObject({
      endpoints: [{ address: "10.0.0.1:80", otherAddresses: ["[fd00::1]:80"] }],
    });
  });

  test("a socket file", () => {
    const cluster = clusterOf("a", { endpoint: { address: { pipe: { path: "/run/app.sock" } } } });
    expect(placesIn(explained("a", { clusters: [cluster] }))).toEqual(["/run/app.sock 0"]);
  });

  test("the address that was dialled", () => {
    expect(explained("a", { clusters: [{ name: "a", type: "ORIGINAL_DST" }] })).toEqual({
      kind: "original-destination",
      isKnown: true,
    });
  });

  test("an address that the request names", () => {
    const cluster: JsonObject = { name: "a", type: "ORIGINAL_DST", original_dst_lb_config: { use_http_header: true } };
    expect(explained("a", { clusters: [cluster] })).toEqual({ kind: "other", type: "what the request says" });
  });

  test("a kind of its own", () => {
    const cluster_type = filter("example.clusters.own", "example.Own", { a: 1 });
    expect(explained("a", { clusters: [{ name: "a", cluster_type }] })).toEqual({
      kind: "other",
      type: "example.clusters.own",
    });
  });
});

test("priorities in their order, weights, places and health", () => {
  const cluster: JsonObject = {
    ...clusterOf("a"),
    load_assignment: {
      cluster_name: "a",
      endpoints: [
        { priority: 1, lb_endpoints: [endpoint("10.0.0.3", 80, { health_status: "UNHEALTHY" })] },
        {
          locality: { region: "r1", zone: "z1", sub_zone: "s1" },
          load_balancing_weight: 7,
          lb_endpoints: [
            endpoint("10.0.0.1", 80, { load_balancing_weight: 3, health_status: "HEALTHY" }),
            endpoint("10.0.0.2", 80, { health_status: "DRAINING" }),
          ],
        },
        { priority: 2, lb_endpoints: [endpoint("10.0.0.4", 80, { health_status: "DEGRADED" })] },
        { priority: 2, lb_endpoints: [endpoint("10.0.0.5", 80, { health_status: "TIMEOUT" })] },
      ],
    },
  };
  const locality = { region: "r1", zone: "z1", subzone: "s1" };
  const near = { locality, priority: 0, localityWeight: 7, origins: [] };
  const far = { weight: 1, origins: [] };
  expect(explained("a", { clusters: [cluster] })).toEqual({
    kind: "endpoints",
    endpoints: [
      { ...near, address: "10.0.0.1:80", weight: 3, health: "healthy" },
      { ...near, address: "10.0.0.2:80", weight: 1, health: "draining" },
      { ...far, address: "10.0.0.3:80", priority: 1, health: "unhealthy" },
      { ...far, address: "10.0.0.4:80", priority: 2, health: "degraded" },
      { ...far, address: "10.0.0.5:80", priority: 2, health: "timeout" },
    ],
  });
});

describe("an aggregate", () => {
  const aggregate = (name: string, ...clusters: readonly string[]): JsonObject => ({
    name,
    lb_policy: "CLUSTER_PROVIDED",
    cluster_type: filter("envoy.clusters.aggregate", "envoy.extensions.clusters.aggregate.v3.ClusterConfig", {
      clusters: [...clusters],
    }),
  });
  const withTwo: JsonObject = {
    ...clusterOf("two"),
    load_assignment: {
      cluster_name: "two",
      endpoints: [{ lb_endpoints: [endpoint("10.0.1.1")] }, { priority: 1, lb_endpoints: [endpoint("10.0.1.2")] }],
    },
  };
  const one = clusterOf("one", endpoint("10.0.0.1"));

  test("the endpoints of each after those of the one before", () => {
    const clusters = [aggregate("a", "two", "one", "two"), withTwo, one];
    expect(placesIn(explained("a", { clusters }))).toEqual([
      ...["10.0.1.1:80 0", "10.0.1.2:80 1", "10.0.0.1:80 2"],
      ...["10.0.1.1:80 3", "10.0.1.2:80 4"],
    ]);
  });

  test("clusters without endpoints, and those that are missing, take no place", () => {
    const clusters = [aggregate("a", "gone", "empty", "one"), clusterOf("empty"), one];
    expect(placesIn(explained("a", { clusters }))).toEqual(["10.0.0.1:80 0"]);
  });

  test("in an aggregate", () => {
    const clusters = [aggregate("a", "b", "one"), aggregate("b", "two"), withTwo, one];
    expect(placesIn(explained("a", { clusters }))).toEqual(["10.0.1.1:80 0", "10.0.1.2:80 1", "10.0.0.1:80 2"]);
  });

  test("that leads to itself comes to an end", () => {
    const clusters = [aggregate("a", "one", "a"), one];
    const places = placesIn(explained("a", { clusters }));
    expect(places[0]).toBe("10.0.0.1:80 0");
    expect(places.length).toBeLessThan(20);
  });
});
