import { describe, expect, test } from "vitest";
import { decodeSpec } from "../support.ts";

const decode = (spec: unknown) => decodeSpec("Gateway", spec);

const port = { number: 80, protocol: "HTTP", name: "http" };
const server = { port, hosts: ["*"] };
const withServer = (more: object) => decode({ servers: [{ ...server, ...more }] });

test("everything that is carried out", () => {
  expect(
    decode({
      selector: { istio: "ingressgateway" },
      servers: [
        { port, hosts: ["*", "example.com", "./a.example.com", "*/b.example.com", "shop/*.example.com"] },
        { port: { number: 8080, protocol: "grpc", name: "grpc" }, bind: "127.0.0.1", hosts: ["*"] },
        { port: { number: 8080, protocol: "Http2", name: "h2" }, bind: "::1", hosts: ["*"] },
      ],
    }),
  ).toEqual({
    selector: { istio: "ingressgateway" },
    servers: [
      {
        port: { number: 80, protocol: "http", name: "http" },
        hosts: ["*", "example.com", "./a.example.com", "*/b.example.com", "shop/*.example.com"],
      },
      { port: { number: 8080, protocol: "grpc", name: "grpc" }, bind: "127.0.0.1", hosts: ["*"] },
      { port: { number: 8080, protocol: "http2", name: "h2" }, bind: "::1", hosts: ["*"] },
    ],
  });
  expect(decode({ servers: [server] })).toMatchObject({ selector: {} });
});

test("the name of a server is dropped with a warning", () => {
  expect(withServer({ name: "x" })).toEqual([
    "warning: dropped-field /spec/servers/0/name The field name is descriptive only and was dropped.",
    { selector: {}, servers: [{ port: { number: 80, protocol: "http", name: "http" }, hosts: ["*"] }] },
  ]);
});

describe("refused", () => {
  test.each([
    ["no servers", { servers: [] }, ["invalid-value /spec/servers Expected at least 1 item, found 0."]],
    ["no port", { servers: [{ hosts: ["*"] }] }, ["missing-field /spec/servers/0/port The field port is missing."]],
    [
      "a port's name twice",
      { servers: [server, server] },
      ['conflict /spec/servers/1/port/name The port name "http" is there twice; item 0 has it too. Give each its own.'],
    ],
  ])("%s", (_name, spec, expected) => {
    expect(decode(spec)).toEqual(expected);
  });

  const at = "/spec/servers/0";
  test.each([
    [
      "an unnamed port",
      { port: { number: 80, protocol: "HTTP" } },
      [`missing-field ${at}/port/name The field name is missing.`],
    ],
    [
      "a port of TLS",
      { port: { ...port, protocol: "https" } },
      [`unsupported-value ${at}/port/protocol "https" is not carried out yet. Use HTTP, HTTP2 or GRPC.`],
    ],
    [
      "an unknown protocol",
      { port: { ...port, protocol: "HTTTP" } },
      [`invalid-value ${at}/port/protocol Expected HTTP, HTTP2 or GRPC, found "HTTTP". Did you mean HTTP?`],
    ],
    [
      "a target port",
      { port: { ...port, targetPort: 8080 } },
      [`unsupported-field ${at}/port/targetPort The field targetPort is not carried out yet. Remove it.`],
    ],
    [
      "tls",
      { tls: { mode: "SIMPLE" } },
      [`unsupported-field ${at}/tls The field tls is not carried out yet. Remove it.`],
    ],
    [
      "a default endpoint",
      { defaultEndpoint: "" },
      [`unsupported-field ${at}/defaultEndpoint The field defaultEndpoint is not carried out yet. Remove it.`],
    ],
    [
      "a host name to bind to",
      { bind: "localhost" },
      [`invalid-value ${at}/bind Expected an IP address, found "localhost".`],
    ],
    [
      "a socket to bind to",
      { bind: "unix:///a" },
      [`unsupported-value ${at}/bind Unix domain sockets are not carried out yet. Use an IP address.`],
    ],
    ["no hosts", { hosts: [] }, [`invalid-value ${at}/hosts Expected at least 1 item, found 0.`]],
    [
      "a host that is none",
      { hosts: ["a b"] },
      [`invalid-value ${at}/hosts/0 Expected a host name or a wildcard such as *.example.com, found "a b".`],
    ],
    [
      "a host that is none, in a namespace",
      { hosts: ["shop/a b"] },
      [`invalid-value ${at}/hosts/0 Expected a host name or a wildcard such as *.example.com, found "a b".`],
    ],
    [
      "no host in a namespace",
      { hosts: ["shop/"] },
      [`invalid-value ${at}/hosts/0 Expected a text of 1 to 1024 characters, found an empty one.`],
    ],
    [
      "a namespace that is none",
      { hosts: ["~/a"] },
      [`invalid-value ${at}/hosts/0 Expected namespace/host, where namespace is a name or one of * ., found "~/a".`],
    ],
  ])("%s", (_name, more, expected) => {
    expect(withServer(more)).toEqual(expected);
  });
});
