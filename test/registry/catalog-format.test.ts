import { expect, test } from "vitest";
import { decode } from "../../src/base/decode.ts";
import { catalogDocument } from "../../src/registry/catalog-format.ts";
import { protocolOfPort } from "../../src/registry/port-protocol.ts";

const decoder = catalogDocument({ registry: "file", domain: "mesh.test" });
const http = [{ name: "http", number: 80 }];
const entriesOf = (...services: object[]) => {
  const result = decode(decoder, { services });
  return result.ok ? result.value : expect.fail(JSON.stringify(result.problems));
};
const problemsOf = (...services: object[]) => {
  const result = decode(decoder, { services });
  return result.problems.map(({ pointer, code, message }) => `${pointer} ${code}: ${message}`);
};

test("all fields of a service and an instance", () => {
  const entries = entriesOf({
    host: "Reviews.shop.svc.cluster.local",
    namespace: "other",
    addresses: ["10.96.0.1", "FD00:0::1", "10.97.1.1/16"],
    headless: false,
    ports: [{ name: "web", number: 9080, protocol: "GRPC-Web" }],
    external: true,
    instances: [
      {
        id: "reviews-v1-1",
        address: "127.0.0.11",
        ports: { web: 34567 },
        labels: { app: "reviews", empty: "" },
        locality: "r1/z1",
        weight: 0,
        health: "draining",
      },
    ],
  });
  expect(entries).toEqual([
    {
      service: {
        key: "other/reviews.shop.svc.cluster.local",
        hostname: "reviews.shop.svc.cluster.local",
        namespace: "other",
        addresses: ["10.96.0.1", "fd00::1", "10.97.0.0/16"],
        ports: [{ name: "web", number: 9080, protocol: "grpc-web" }],
        resolution: "instances",
        external: true,
        createdAt: 0,
        origin: { kind: "registry", registry: "file" },
      },
      instances: [
        {
          id: "reviews-v1-1",
          address: "127.0.0.11",
          ports: { web: 34567 },
          labels: { app: "reviews", empty: "" },
          locality: { region: "r1", zone: "z1", subzone: "" },
          weight: 0,
          health: "draining",
          registry: "file",
        },
      ],
    },
  ]);
});

test("what is not given", () => {
  const [entry] = entriesOf({ host: "a.example.com", ports: http, instances: [{ address: "10.0.0.1" }] });
  expect(entry?.service).toMatchObject({ namespace: "default", external: false, addresses: [] });
  expect(entry?.instances).toEqual([
    {
      id: "10.0.0.1:80",
      address: "10.0.0.1",
      ports: {},
      labels: {},
      locality: { region: "", zone: "", subzone: "" },
      weight: 1,
      health: "healthy",
      registry: "file",
    },
  ]);
});

test.each([
  [{ host: "reviews.shop.svc.cluster.local" }, "shop/reviews.shop.svc.cluster.local"],
  [{ host: "reviews.shop.svc.cluster.local", namespace: "bank" }, "bank/reviews.shop.svc.cluster.local"],
  [{ host: "api.example.com" }, "default/api.example.com"],
  [{ name: "reviews", namespace: "shop" }, "shop/reviews.shop.svc.mesh.test"],
  [{ name: "reviews" }, "default/reviews.default.svc.mesh.test"],
])("%j is %s", (names, key) => {
  expect(entriesOf({ ...names, ports: http })[0]?.service.key).toBe(key);
});

test.each([
  [{ address: "10.0.0.1" }, "10.0.0.1:80,9000"],
  [{ address: "10.0.0.1", ports: { admin: 1 } }, "10.0.0.1:80,1"],
  [{ address: "::1" }, "[::1]:80,9000"],
  [{ address: "a.example.com" }, "a.example.com:80,9000"],
])("the id of %j is %s", (item, id) => {
  const ports = [...http, { name: "admin", number: 9000 }];
  expect(entriesOf({ host: "a", ports, instances: [item] })[0]?.instances[0]?.id).toBe(id);
});

test.each([
  [["10.0.0.1", "::1"], "instances"],
  [[], "instances"],
  [["10.0.0.1", "a.example.com"], "dns"],
])("addresses %j are found by %s", (addresses, resolution) => {
  const instances = addresses.map((address) => ({ address }));
  expect(entriesOf({ host: "a", ports: http, instances })[0]?.service.resolution).toBe(resolution);
});

test.each([
  [["10.0.0.1", "::1"], "original-destination"],
  [[], "original-destination"],
])("of a headless service clients choose from %j", (addresses, resolution) => {
  const instances = addresses.map((address) => ({ address }));
  const [entry] = entriesOf({ host: "a", headless: true, ports: http, instances });
  expect(entry?.service).toMatchObject({ resolution, addresses: [] });
});

test.each([
  ["http", "http"],
  ["http-web", "http"],
  ["http2-x", "http2"],
  ["grpc", "grpc"],
  ["grpc-web", "grpc-web"],
  ["grpc-web-x", "grpc-web"],
  ["grpc-api", "grpc"],
  ["tcp-metrics", "tcp"],
  ["https", "https"],
  ["web", "auto"],
  ["webhttp", "auto"],
  ["mongo-db", "tcp"],
  ["redis", "tcp"],
  ["http_proxy", "http"],
  ["", "auto"],
])("a port named %j speaks %s", (name, protocol) => {
  expect(protocolOfPort(name, 9080)).toBe(protocol);
});

test.each([
  ["mail", 25, "tcp"],
  ["dns", 53, "tcp"],
  ["mysql", 3306, "tcp"],
  ["mongo", 27017, "tcp"],
  ["http", 3306, "http"],
  ["mysql", 3307, "tcp"],
  ["db", 3307, "auto"],
])("a port named %j with the number %d speaks %s", (name, number, protocol) => {
  expect(protocolOfPort(name, number)).toBe(protocol);
});

test("what is declared counts more than name and number", () => {
  const [entry] = entriesOf({ host: "a", ports: [{ name: "tcp", number: 3306, protocol: "HTTP2" }] });
  expect(entry?.service.ports).toEqual([{ name: "tcp", number: 3306, protocol: "http2" }]);
});

const at = "/services/0";
test.each<[string, object, string[]]>([
  ["no host", { ports: http }, [`${at} missing-field: The service has no host.`]],
  ["host and name", { host: "a", name: "a", ports: http }, [`${at} conflict: It has both a host and a name.`]],
  [
    "a wildcard",
    { host: "*.a.com", ports: http },
    [`${at}/host invalid-value: Expected a host name, found "*.a.com".`],
  ],
  ["no ports", { host: "a" }, [`${at}/ports missing-field: The field ports is missing.`]],
  [
    "an empty list of ports",
    { host: "a", ports: [] },
    [`${at}/ports invalid-value: Expected at least 1 item, found 0.`],
  ],
  [
    "ports twice",
    { host: "a", ports: [...http, { name: "http", number: 81 }, { name: "web", number: 80 }] },
    [
      `${at}/ports/1/name conflict: The port name "http" is already that of item 0.`,
      `${at}/ports/2/number conflict: The port number 80 is already that of item 0.`,
    ],
  ],
  [
    "an unknown protocol",
    { host: "a", ports: [{ ...http[0], protocol: "spdy" }] },
    [`${at}/ports/0/protocol invalid-value: Expected a protocol, found "spdy".`],
  ],
  [
    "addresses that are none",
    { host: "a", ports: http, addresses: ["10.0.0.0/33", "a.example.com", "0.0.0.0"] },
    ["10.0.0.0/33", "a.example.com", "0.0.0.0"].map(
      (found, index) =>
        `${at}/addresses/${index} invalid-value: Expected an IP address, or a network such as 10.1.0.0/16, found "${found}".`,
    ),
  ],
  [
    "one address, written in two ways",
    { host: "a", ports: http, addresses: ["fd00::1", "fd00:0::1"] },
    [`${at}/addresses/1 conflict: The address "fd00::1" is already that of item 0.`],
  ],
  [
    "addresses of a headless service",
    { host: "a", ports: http, addresses: ["10.0.0.1"], headless: true },
    [`${at}/addresses conflict: A headless service has no addresses of its own: its clients dial the instances.`],
  ],
  [
    "an instance with a name in a headless service",
    { host: "a", ports: http, headless: true, instances: [{ address: "10.0.0.1" }, { address: "a.example.com" }] },
    [
      `${at}/instances/1/address invalid-value: Expected an IP address, because clients of a headless service dial its instances, found "a.example.com".`,
    ],
  ],
  [
    "an instance with a name beside a network",
    { host: "a", ports: http, addresses: ["10.0.0.0/8"], instances: [{ address: "a.example.com" }] },
    [
      `${at}/instances/0/address invalid-value: Expected an IP address, because the service has a network for an address, found "a.example.com".`,
    ],
  ],
  [
    "instances with one id, one of them by default",
    { host: "a", ports: http, instances: [{ address: "10.0.0.1" }, { id: "10.0.0.1:80", address: "10.0.0.2" }] },
    [`${at}/instances/1/id conflict: The instance id "10.0.0.1:80" is already that of item 0.`],
  ],
  [
    "a port that the service does not have",
    { host: "a", ports: http, instances: [{ address: "10.0.0.1", ports: { htp: 1 } }] },
    [`${at}/instances/0/ports/htp invalid-value: The service has no port "htp".`],
  ],
  [
    "everything wrong with an instance at once",
    {
      host: "a",
      ports: http,
      instances: [
        {
          address: "10.0.0.256",
          weight: -1,
          health: "sick",
          locality: "a/b/c/d",
          labels: { a: 1 },
          ports: { http: 0 },
        },
        { address: "10.0.0.1:80" },
        {},
      ],
    },
    [
      `${at}/instances/0/address invalid-value: Expected an IP address or a host name, found "10.0.0.256".`,
      `${at}/instances/0/ports/http invalid-value: Expected a whole number from 1 to 65535, found 0.`,
      `${at}/instances/0/labels/a invalid-type: Expected a text, found 1.`,
      `${at}/instances/0/locality invalid-value: Expected a locality like region/zone/subzone, found "a/b/c/d".`,
      `${at}/instances/0/weight invalid-value: Expected a whole number from 0 to 4294967295, found -1.`,
      `${at}/instances/0/health invalid-value: Expected healthy, unhealthy or draining, found "sick".`,
      `${at}/instances/1/address invalid-value: Expected an IP address or a host name, found "10.0.0.1:80".`,
      `${at}/instances/2/address missing-field: The field address is missing.`,
    ],
  ],
])("%s", (_what, service, problems) => {
  expect(problemsOf(service)).toEqual(problems);
});

test("hints name what was meant", () => {
  const result = decode(decoder, {
    services: [{ host: "a", ports: http, instances: [{ address: "10.0.0.1", ports: { htpp: 1 } }] }],
  });
  expect(result.problems.map(({ hint }) => hint)).toEqual(["Did you mean http?"]);
});
