import { describe, expect, test } from "vitest";
import { decodeSpec } from "../support.ts";

const decode = (spec: unknown) => decodeSpec("ServiceEntry", spec);

const http = { number: 80, name: "http", protocol: "HTTP" };
const spec = { hosts: ["api.example.com"], ports: [http], resolution: "DNS" };
const withSpec = (more: object) => decode({ ...spec, ...more });

test("everything that is carried out", () => {
  expect(
    decode({
      hosts: ["api.example.com", "*.example.org"],
      addresses: ["192.0.2.1", "10.1.2.3/16", "FD00:0::1", "10.2.0.1/32"],
      ports: [
        { number: 80, name: "http", protocol: "http", targetPort: 8080 },
        { number: 443, name: "tls", protocol: "TLS" },
        { number: 8443, name: "https", protocol: "HTTPS" },
        { number: 81, name: "grpc-web", protocol: "gRPC-Web" },
      ],
      location: "MESH_INTERNAL",
      resolution: "STATIC",
      endpoints: [
        { address: "10.0.0.1", ports: { http: 8081 }, labels: { version: "v1" }, locality: "eu/a", weight: 3 },
        { address: "fd00::1", weight: 0 },
      ],
    }),
  ).toEqual({
    hosts: ["api.example.com", "*.example.org"],
    addresses: ["192.0.2.1", "10.1.0.0/16", "fd00::1", "10.2.0.1"],
    ports: [
      { number: 80, name: "http", protocol: "http", targetPort: 8080 },
      { number: 443, name: "tls", protocol: "tls" },
      { number: 8443, name: "https", protocol: "https" },
      { number: 81, name: "grpc-web", protocol: "grpc-web" },
    ],
    location: "MESH_INTERNAL",
    resolution: "STATIC",
    endpoints: [
      { address: "10.0.0.1", ports: { http: 8081 }, labels: { version: "v1" }, locality: "eu/a", weight: 3 },
      { address: "fd00::1", ports: {}, labels: {}, locality: "", weight: 1 },
    ],
  });
});

test("defaults", () => {
  expect(decode({ hosts: ["a.example.com"], ports: [{ number: 80, name: "a" }] })).toEqual({
    hosts: ["a.example.com"],
    addresses: [],
    ports: [{ number: 80, name: "a", protocol: "auto" }],
    location: "MESH_EXTERNAL",
    resolution: "NONE",
    endpoints: [],
  });
});

test.each<[string, object]>([
  ["names for DNS", { endpoints: [{ address: "eu.example.com" }, { address: "10.0.0.1" }] }],
  ["one name for DNS_ROUND_ROBIN", { resolution: "DNS_ROUND_ROBIN", endpoints: [{ address: "eu.example.com" }] }],
  ["a wildcard with endpoints", { hosts: ["*.example.com"], endpoints: [{ address: "eu.example.com" }] }],
  ["several hosts on HTTP", { hosts: ["a.b", "c.d"] }],
  ["no ports", { ports: [] }],
  ["an address for DNS", { addresses: ["192.0.2.1"] }],
  ["networks without resolution", { resolution: "NONE", addresses: ["10.0.0.0/8", "fd00::/64"] }],
  ["a wildcard without resolution", { resolution: "NONE", hosts: ["*.example.com"] }],
  [
    "several hosts on TCP without resolution",
    { resolution: "NONE", hosts: ["a.b", "c.d"], ports: [{ number: 5432, name: "db", protocol: "tcp" }] },
  ],
])("%s", (_name, more) => {
  expect(withSpec(more)).toMatchObject(more);
});

test.each(["TCP", undefined])("one host on a port of protocol %s", (protocol) => {
  expect(withSpec({ ports: [{ number: 5432, name: "db", protocol }] })).toMatchObject({ hosts: ["api.example.com"] });
});

describe("refused", () => {
  test.each([
    ["no hosts", { hosts: [] }, ["invalid-value /spec/hosts Expected at least 1 item, found 0."]],
    [
      "every host",
      { hosts: ["*"] },
      ['invalid-value /spec/hosts/0 A service cannot have the host "*". Name its hosts.'],
    ],
    [
      "a host twice",
      { hosts: ["a.b", "A.b"] },
      ['conflict /spec/hosts/1 The host "a.b" is there twice; item 0 has it too. Give each its own.'],
    ],
    [
      "a port's name twice",
      { ports: [http, { ...http, number: 81 }] },
      ['conflict /spec/ports/1/name The port name "http" is there twice; item 0 has it too. Give each its own.'],
    ],
    [
      "a port's number twice",
      { ports: [http, { ...http, name: "b" }] },
      ["conflict /spec/ports/1/number The port number 80 is there twice; item 0 has it too. Give each its own."],
    ],
    ["an unnamed port", { ports: [{ number: 80 }] }, ["missing-field /spec/ports/0/name The field name is missing."]],
    [
      "a database's protocol",
      { ports: [{ ...http, protocol: "Mongo" }] },
      [
        'unsupported-value /spec/ports/0/protocol "Mongo" is not carried out yet. Use HTTP, HTTP2, GRPC, GRPC-WEB, HTTPS, TLS, TCP or UDP.',
      ],
    ],
    [
      "a resolution that is not carried out",
      { resolution: "DYNAMIC_DNS" },
      [
        'unsupported-value /spec/resolution "DYNAMIC_DNS" is not carried out yet. Use NONE, STATIC, DNS or DNS_ROUND_ROBIN.',
      ],
    ],
    [
      "endpoints without resolution",
      { resolution: undefined, endpoints: [{ address: "10.0.0.1" }] },
      [
        "invalid-value /spec/endpoints With resolution NONE, which is the default, connections go where they were going: endpoints have no say. Use resolution: STATIC, or DNS for host names.",
      ],
    ],
    [
      "another port of endpoints without resolution",
      { resolution: "NONE", ports: [{ ...http, targetPort: 8080 }] },
      [
        "unsupported-field /spec/ports/0/targetPort With resolution NONE, targetPort is not carried out yet. Remove it.",
      ],
    ],
    [
      "a prefix that is too long",
      { resolution: "NONE", addresses: ["10.0.0.0/8", "10.0.0.0/33"] },
      [
        'invalid-value /spec/addresses/1 Expected an IP address, or a network such as 10.1.0.0/16, found "10.0.0.0/33". A prefix has 0 to 32 bits in IPv4, 0 to 128 in IPv6; 0.0.0.0 and :: are no address of a service.',
      ],
    ],
    [
      "one address, written in two ways",
      { addresses: ["fd00::1", "fd00:0::1"] },
      ['conflict /spec/addresses/1 The address "fd00::1" is there twice; item 0 has it too. Give each its own.'],
    ],
    [
      "one network, written in two ways",
      { resolution: "NONE", addresses: ["10.1.2.3/16", "10.1.0.0/16"] },
      ['conflict /spec/addresses/1 The address "10.1.0.0/16" is there twice; item 0 has it too. Give each its own.'],
    ],
    [
      "a network for DNS",
      { addresses: ["192.0.2.1", "10.1.0.0/16"] },
      [
        "invalid-value /spec/addresses/1 The network 10.1.0.0/16 needs the resolution NONE or STATIC, found DNS. List single addresses, or change the resolution.",
      ],
    ],
    [
      "too many addresses",
      { addresses: Array.from({ length: 257 }, (_, index) => `10.0.${index >> 8}.${index & 255}`) },
      ["invalid-value /spec/addresses Expected at most 256 items, found 257."],
    ],
    [
      "an unknown location",
      { location: "MESH_EXTRENAL" },
      [
        'invalid-value /spec/location Expected MESH_EXTERNAL or MESH_INTERNAL, found "MESH_EXTRENAL". Did you mean MESH_EXTERNAL?',
      ],
    ],
    [
      "a name for STATIC",
      { resolution: "STATIC", endpoints: [{ address: "10.0.0.1" }, { address: "a.b" }] },
      [
        'invalid-value /spec/endpoints/1/address Expected an IP address, because the resolution is STATIC, found "a.b". Use resolution: DNS for host names.',
      ],
    ],
    [
      "a wildcard to resolve",
      { hosts: ["a.b", "*.b"] },
      [
        'invalid-value /spec/hosts/1 The wildcard "*.b" cannot be resolved, and there are no endpoints. Add endpoints, or name the host.',
      ],
    ],
    [
      "two endpoints in turn",
      { resolution: "DNS_ROUND_ROBIN", endpoints: [{ address: "a.b" }, { address: "c.d" }] },
      [
        "invalid-value /spec/endpoints DNS_ROUND_ROBIN takes at most one endpoint, found 2. Use resolution: DNS for several.",
      ],
    ],
    [
      "a port of an endpoint that the service has not",
      { endpoints: [{ address: "a.b", ports: { htttp: 1 } }] },
      ['invalid-value /spec/endpoints/0/ports/htttp The ServiceEntry has no port named "htttp". Its ports are http.'],
    ],
    [
      "several hosts on TCP",
      { hosts: ["a.b", "c.d"], ports: [http, { number: 5432, name: "db", protocol: "TCP" }] },
      [
        "invalid-value /spec/ports/1 Several hosts cannot be told apart on a port that is neither HTTP nor TLS. Write one ServiceEntry for each host.",
      ],
    ],
    [
      "a socket",
      { endpoints: [{ address: "unix:///a" }] },
      ["unsupported-value /spec/endpoints/0/address Unix domain sockets are not carried out yet. Use an IP address."],
    ],
    ["no address", { endpoints: [{}] }, ["missing-field /spec/endpoints/0/address The field address is missing."]],
    [
      "a locality of four parts",
      { endpoints: [{ address: "a.b", locality: "a/b/c/d" }] },
      [
        'invalid-value /spec/endpoints/0/locality Expected a locality of the form region/zone/subzone, found "a/b/c/d".',
      ],
    ],
    [
      "a weight of -1",
      { endpoints: [{ address: "a.b", weight: -1 }] },
      ["invalid-value /spec/endpoints/0/weight Expected a whole number from 0 to 4294967295, found -1. Use 0 or more."],
    ],
  ])("%s", (_name, more, expected) => {
    expect(withSpec(more)).toEqual(expected);
  });

  test.each(["workloadSelector", "exportTo", "subjectAltNames"])("%s, by name", (name) => {
    expect(withSpec({ [name]: [] })).toEqual([
      `unsupported-field /spec/${name} The field ${name} is not carried out yet. Remove it.`,
    ]);
  });

  test.each(["network", "serviceAccount"])("endpoints.%s, by name", (name) => {
    expect(withSpec({ endpoints: [{ address: "a.b", [name]: "x" }] })).toEqual([
      `unsupported-field /spec/endpoints/0/${name} The field ${name} is not carried out yet. Remove it.`,
    ]);
  });
});
