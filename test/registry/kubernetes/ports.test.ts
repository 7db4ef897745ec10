import { expect, test } from "vitest";
import { createFakeCluster, serviceOf } from "./fake-cluster.ts";
import { endpoint, httpPort, pod, service, slice } from "./manifests.ts";

/* The numbers are those of the list of edge cases in the reference; what the API server decides is tested with a real one. */

const protocolsOf = (ports: readonly object[]) =>
  serviceOf(service("reviews", { ports })).ports.map(({ protocol }) => protocol);

test("15: one number over TCP, UDP and SCTP", () => {
  const ports = [
    { name: "dns", port: 53, protocol: "UDP" },
    { name: "dns-tcp", port: 53, protocol: "TCP" },
    { name: "sig", port: 53, protocol: "SCTP" },
  ];
  expect(serviceOf(service("dns", { ports })).ports).toEqual([
    { name: "dns", number: 53, protocol: "udp" },
    { name: "dns-tcp", number: 53, protocol: "tcp" },
    { name: "sig", number: 53, protocol: "sctp" },
  ]);
});

test.each([
  ["grpc", "tcp", "grpc"],
  ["HTTPS", "http", "https"],
  ["kubernetes.io/h2c", "tcp", "http2"],
  ["kubernetes.io/ws", "tcp", "http"],
  ["kubernetes.io/wss", "http", "https"],
  ["example.com/own", "http", "auto"],
])("16: appProtocol %s beats the name %s", (appProtocol, name, protocol) => {
  expect(protocolsOf([{ name, port: 80, appProtocol }])).toEqual([protocol]);
});

test.each([
  ["http", "http"],
  ["http-x", "http"],
  ["httpx", "auto"],
  ["grpc-web-foo", "grpc-web"],
  ["grpc-foo", "grpc"],
  ["mongo-db", "tcp"],
  ["redis", "tcp"],
  ["web", "auto"],
])("17: a port with the name %s speaks %s", (name, protocol) => {
  expect(protocolsOf([{ name, port: 80 }])).toEqual([protocol]);
});

test("18: a well-known port without a name", () => {
  expect(protocolsOf([{ port: 3306 }])).toEqual(["tcp"]);
});

test("19: a port gets another name: the service changes, its slices follow", () => {
  const cluster = createFakeCluster();
  cluster.apply(service("reviews"), pod("r-1"), slice("reviews-1", [endpoint("r-1", "10.0.0.1")]));
  cluster.apply(service("reviews", { ports: [{ ...httpPort, name: "grpc" }] }));
  expect(cluster.service("reviews")?.ports).toEqual([{ name: "grpc", number: 80, protocol: "grpc" }]);
  expect(cluster.instances("reviews")).toMatchObject([{ ports: {}, lacks: ["grpc"] }]);
  cluster.apply(slice("reviews-1", [endpoint("r-1", "10.0.0.1")], { ports: [{ name: "grpc", port: 8080 }] }));
  expect(cluster.instances("reviews")).toMatchObject([{ ports: { grpc: 8080 } }]);
  expect(cluster.instances("reviews")[0]).not.toHaveProperty("lacks");
});

test("20: pods listen on numbers of their own, and one does not listen at all", () => {
  const cluster = createFakeCluster();
  cluster.apply(
    service("reviews"),
    ...["r-1", "r-2", "r-3"].map((name) => pod(name)),
    slice("reviews-1", [endpoint("r-1", "10.0.0.1")]),
    slice("reviews-2", [endpoint("r-2", "10.0.0.2")], { ports: [{ name: "http", port: 9090 }] }),
    slice("reviews-3", [endpoint("r-3", "10.0.0.3")], { ports: [] }),
  );
  expect(cluster.instances("reviews")).toMatchObject([
    { id: "r-1", ports: { http: 8080 } },
    { id: "r-2", ports: { http: 9090 } },
    { id: "r-3", ports: {}, lacks: ["http"] },
  ]);
});

test("21: two ports of a service lead to one of its instances", () => {
  const cluster = createFakeCluster();
  const ports = [
    { name: "http", port: 80 },
    { name: "tcp-raw", port: 81 },
  ];
  cluster.apply(
    service("reviews", { ports }),
    pod("r-1"),
    slice("reviews-1", [endpoint("r-1", "10.0.0.1")], {
      ports: [
        { name: "http", port: 8080 },
        { name: "tcp-raw", port: 8080 },
      ],
    }),
  );
  expect(cluster.instances("reviews")).toMatchObject([{ ports: { http: 8080, "tcp-raw": 8080 } }]);
});
