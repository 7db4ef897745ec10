import { describe, expect, test } from "vitest";
import { decodeSpec } from "../support.ts";

const decode = (spec: unknown) => decodeSpec("Sidecar", spec);

const port = { number: 9080, protocol: "HTTP", name: "http" };
const ingress = { port, captureMode: "NONE", defaultEndpoint: "127.0.0.1:8080" };
const egress = { port, captureMode: "NONE", hosts: ["*/*"] };

test("everything that is carried out", () => {
  expect(
    decode({
      workloadSelector: { labels: { app: "reviews" } },
      ingress: [
        { ...ingress, bind: "0.0.0.0" },
        { ...ingress, port: { number: 9081, protocol: "grpc" }, defaultEndpoint: "[::1]:65535" },
        { port: { number: 9082, protocol: "http2" }, captureMode: "DEFAULT", defaultEndpoint: "[::]:1" },
        { port: { number: 9083, protocol: "http2" }, captureMode: "IPTABLES", defaultEndpoint: "0.0.0.0:80" },
        { port: { number: 9084, protocol: "http" } },
      ],
      egress: [
        { ...egress, bind: "::1", hosts: ["*/*", "./reviews.shop.svc.cluster.local", "~/*", "shop/*.example.com"] },
        { port: { number: 9081, protocol: "http" }, hosts: ["./*"] },
        { hosts: ["shop/*"] },
      ],
      outboundTrafficPolicy: { mode: "ALLOW_ANY" },
    }),
  ).toEqual({
    workloadSelector: { app: "reviews" },
    ingress: [
      {
        port: { number: 9080, protocol: "http", name: "http" },
        bind: "0.0.0.0",
        captureMode: "NONE",
        defaultEndpoint: { address: "127.0.0.1", port: 8080 },
      },
      {
        port: { number: 9081, protocol: "grpc", name: "" },
        captureMode: "NONE",
        defaultEndpoint: { address: "::1", port: 65535 },
      },
      {
        port: { number: 9082, protocol: "http2", name: "" },
        captureMode: "DEFAULT",
        defaultEndpoint: { address: "::", port: 1 },
      },
      {
        port: { number: 9083, protocol: "http2", name: "" },
        captureMode: "DEFAULT",
        defaultEndpoint: { address: "0.0.0.0", port: 80 },
      },
      { port: { number: 9084, protocol: "http", name: "" }, captureMode: "DEFAULT" },
    ],
    egress: [
      {
        port: { number: 9080, protocol: "http", name: "http" },
        bind: "::1",
        captureMode: "NONE",
        hosts: ["*/*", "./reviews.shop.svc.cluster.local", "~/*", "shop/*.example.com"],
      },
      { port: { number: 9081, protocol: "http", name: "" }, captureMode: "DEFAULT", hosts: ["./*"] },
      { captureMode: "DEFAULT", hosts: ["shop/*"] },
    ],
    outboundTrafficPolicy: "ALLOW_ANY",
  });
});

test("without a selector there is none; an empty one selects everything", () => {
  expect(decode({ egress: [egress] })).not.toHaveProperty("workloadSelector");
  expect(decode({ workloadSelector: {}, egress: [egress] })).toHaveProperty("workloadSelector", {});
});

test.each<[string, unknown]>([
  ["REGISTRY_ONLY", {}],
  ["REGISTRY_ONLY", { mode: null }],
  ["ALLOW_ANY", { mode: "ALLOW_ANY" }],
])("the policy for what no registry knows may stand alone: %s is %j", (mode, outboundTrafficPolicy) => {
  expect(decode({ outboundTrafficPolicy })).toEqual({ ingress: [], egress: [], outboundTrafficPolicy: mode });
});

test.each([null, undefined])("a policy of %j is the mesh's", (outboundTrafficPolicy) => {
  expect(decode({ egress: [egress], outboundTrafficPolicy })).not.toHaveProperty("outboundTrafficPolicy");
});

test.each<[string, object, object]>([
  ["calls to it are captured", { ...ingress, bind: "127.0.0.1", captureMode: "DEFAULT" }, egress],
  ["its own calls are captured", { ...ingress, bind: "127.0.0.1" }, { ...egress, captureMode: "DEFAULT" }],
  ["one is bound to the workload's own address", ingress, egress],
])("one port on both sides: %s", (_name, ingress, egress) => {
  expect(decode({ ingress: [ingress], egress: [egress] })).toHaveProperty("egress.0.port.number", 9080);
});

describe("refused", () => {
  test.each([
    [
      "nothing",
      {},
      [
        "invalid-value /spec The Sidecar says nothing. Give it ingress or egress listeners, or an outboundTrafficPolicy.",
      ],
    ],
    [
      "a port twice",
      { ingress: [ingress, { ...ingress, bind: "::1" }] },
      [
        "conflict /spec/ingress/1/port/number The port number 9080 is there twice; item 0 has it too. Give each its own.",
      ],
    ],
    [
      "one address on both sides",
      { ingress: [{ ...ingress, bind: "127.0.0.1" }], egress: [egress] },
      [
        "conflict /spec/egress/0/port/number Port 9080 of 127.0.0.1 is taken already: ingress listener 0 listens there. Give one of the two another bind address or port.",
      ],
    ],
    [
      "an unknown capture mode",
      { egress: [{ ...egress, captureMode: "TPROXY" }] },
      ['invalid-value /spec/egress/0/captureMode Expected DEFAULT, IPTABLES or NONE, found "TPROXY".'],
    ],
    [
      "a listener for all other ports before another",
      { egress: [{ hosts: ["./*"] }, egress] },
      [
        "missing-field /spec/egress/0/port A listener without a port takes all ports that are left, so only the last one may be without. Name its port, or move it to the end.",
      ],
    ],
    [
      "two listeners for all other ports",
      { egress: [{ hosts: ["./*"] }, { hosts: ["shop/*"] }] },
      [
        "missing-field /spec/egress/0/port A listener without a port takes all ports that are left, so only the last one may be without. Name its port, or move it to the end.",
      ],
    ],
    [
      "an address without a port",
      { egress: [{ bind: "127.0.0.1", hosts: ["./*"] }] },
      [
        "conflict /spec/egress/0/bind A listener for all other ports is bound to no address of its own. Remove it, or name a port.",
      ],
    ],
    [
      "an egress port twice",
      { egress: [egress, { ...egress, bind: "::1" }] },
      [
        "conflict /spec/egress/1/port/number The port number 9080 is there twice; item 0 has it too. Give each its own.",
      ],
    ],
    [
      "a policy that is not carried out",
      { outboundTrafficPolicy: { mode: "ALLOW_ANY_DYNAMIC_DNS" } },
      [
        'unsupported-value /spec/outboundTrafficPolicy/mode "ALLOW_ANY_DYNAMIC_DNS" is not carried out yet. Use REGISTRY_ONLY or ALLOW_ANY.',
      ],
    ],
    [
      "a proxy for what no registry knows",
      { outboundTrafficPolicy: { mode: "ALLOW_ANY", egressProxy: { host: "a" } } },
      [
        "unsupported-field /spec/outboundTrafficPolicy/egressProxy The field egressProxy is not carried out yet. Remove it.",
      ],
    ],
    [
      "no hosts",
      { egress: [{ ...egress, hosts: [] }] },
      ["invalid-value /spec/egress/0/hosts Expected at least 1 item, found 0."],
    ],
    [
      "a host without a namespace",
      { egress: [{ ...egress, hosts: ["reviews"] }] },
      [
        'invalid-value /spec/egress/0/hosts/0 Expected namespace/host, where namespace is a name or one of * . ~, found "reviews".',
      ],
    ],
    [
      "a namespace left out",
      { egress: [{ ...egress, hosts: ["~shop/*"] }] },
      ["unsupported-value /spec/egress/0/hosts/0 Leaving out a namespace is not carried out yet. Name those you want."],
    ],
    [
      "no default endpoint",
      { ingress: [{ ...ingress, defaultEndpoint: undefined }] },
      [
        "missing-field /spec/ingress/0/defaultEndpoint The field defaultEndpoint is missing. Say where the application listens, for example 127.0.0.1:8080: only a captured listener knows what was dialled.",
      ],
    ],
    [
      "a foreign default endpoint",
      { ingress: [{ ...ingress, defaultEndpoint: "10.0.0.1:80" }] },
      [
        'invalid-value /spec/ingress/0/defaultEndpoint Expected 127.0.0.1:PORT, 0.0.0.0:PORT, [::1]:PORT or [::]:PORT, found "10.0.0.1:80".',
      ],
    ],
    [
      "a port out of range",
      { ingress: [{ ...ingress, defaultEndpoint: "127.0.0.1:65536" }] },
      [
        'invalid-value /spec/ingress/0/defaultEndpoint Expected 127.0.0.1:PORT, 0.0.0.0:PORT, [::1]:PORT or [::]:PORT, found "127.0.0.1:65536".',
      ],
    ],
    [
      "a socket",
      { ingress: [{ ...ingress, defaultEndpoint: "unix:///a" }] },
      [
        "unsupported-value /spec/ingress/0/defaultEndpoint Unix domain sockets are not carried out yet. Use 127.0.0.1:PORT.",
      ],
    ],
    [
      "a bind that is no address",
      { egress: [{ ...egress, bind: "localhost" }] },
      ['invalid-value /spec/egress/0/bind Expected an IP address, found "localhost".'],
    ],
    [
      "TCP",
      { egress: [{ ...egress, port: { number: 1, protocol: "TCP" } }] },
      ['unsupported-value /spec/egress/0/port/protocol "TCP" is not carried out yet. Use HTTP, HTTP2 or GRPC.'],
    ],
  ])("%s", (_name, spec, expected) => {
    expect(decode(spec)).toEqual(expected);
  });

  test.each(["inboundConnectionPool"])("%s, by name", (name) => {
    expect(decode({ egress: [egress], [name]: {} })).toEqual([
      `unsupported-field /spec/${name} The field ${name} is not carried out yet. Remove it.`,
    ]);
  });

  test.each(["tls", "connectionPool"])("ingress.%s, by name", (name) => {
    expect(decode({ ingress: [{ ...ingress, [name]: {} }] })).toEqual([
      `unsupported-field /spec/ingress/0/${name} The field ${name} is not carried out yet. Remove it.`,
    ]);
  });
});
