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
        { ...ingress, port: { number: 9082, protocol: "http2" }, defaultEndpoint: "[::]:1" },
        { ...ingress, port: { number: 9083, protocol: "http2" }, defaultEndpoint: "0.0.0.0:80" },
      ],
      egress: [
        { ...egress, bind: "::1", hosts: ["*/*", "./reviews.shop.svc.cluster.local", "~/*", "shop/*.example.com"] },
      ],
    }),
  ).toEqual({
    workloadSelector: { app: "reviews" },
    ingress: [
      {
        port: { number: 9080, protocol: "http", name: "http" },
        bind: "0.0.0.0",
        defaultEndpoint: { address: "127.0.0.1", port: 8080 },
      },
      { port: { number: 9081, protocol: "grpc", name: "" }, defaultEndpoint: { address: "::1", port: 65535 } },
      { port: { number: 9082, protocol: "http2", name: "" }, defaultEndpoint: { address: "::", port: 1 } },
      { port: { number: 9083, protocol: "http2", name: "" }, defaultEndpoint: { address: "0.0.0.0", port: 80 } },
    ],
    egress: [
      {
        port: { number: 9080, protocol: "http", name: "http" },
        bind: "::1",
        hosts: ["*/*", "./reviews.shop.svc.cluster.local", "~/*", "shop/*.example.com"],
      },
    ],
  });
});

test("without a selector there is none; an empty one selects everything", () => {
  expect(decode({ egress: [egress] })).not.toHaveProperty("workloadSelector");
  expect(decode({ workloadSelector: {}, egress: [egress] })).toHaveProperty("workloadSelector", {});
});

describe("refused", () => {
  test.each([
    ["nothing", {}, ["invalid-value /spec The Sidecar says nothing. Give it ingress or egress listeners."]],
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
      "no capture mode",
      { ingress: [{ ...ingress, captureMode: undefined }] },
      [
        "missing-field /spec/ingress/0/captureMode The field captureMode is missing. Packet capture is not carried out yet: write captureMode: NONE.",
      ],
    ],
    [
      "packet capture",
      { egress: [{ ...egress, captureMode: "IPTABLES" }] },
      ['unsupported-value /spec/egress/0/captureMode "IPTABLES" is not carried out yet. Use NONE.'],
    ],
    [
      "the default capture mode",
      { egress: [{ ...egress, captureMode: "DEFAULT" }] },
      ['unsupported-value /spec/egress/0/captureMode "DEFAULT" is not carried out yet. Use NONE.'],
    ],
    [
      "a listener for all other ports",
      { egress: [{ hosts: ["./*"], captureMode: "NONE" }] },
      [
        "missing-field /spec/egress/0/port The field port is missing. A listener for all other ports needs packet capture, which is not carried out yet.",
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
        "missing-field /spec/ingress/0/defaultEndpoint The field defaultEndpoint is missing. Say where the application listens, for example 127.0.0.1:8080.",
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

  test.each(["outboundTrafficPolicy", "inboundConnectionPool"])("%s, by name", (name) => {
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
