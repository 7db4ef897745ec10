import { fromBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "vitest";
import { compileVirtualInbound, type InboundPort } from "../../src/compile/inbound.ts";
import { fromSetting } from "../../src/compile/origins.ts";
import { outboundPolicyOf, type SidecarSettings, sidecarSettings } from "../../src/compile/sidecar-settings.ts";
import { listenerFiltersAt } from "../../src/envoy/listener-messages.ts";
import { asSeenBy, type Connection } from "../../src/explain/connection.ts";
import { chooseChain } from "../../src/explain/filter-chain.ts";
import { type Listener, ListenerSchema } from "../../src/gen/envoy/config/listener/v3/listener_pb.ts";
import { HttpConnectionManagerSchema } from "../../src/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts";
import { TcpProxySchema } from "../../src/gen/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.ts";
import { defaultMeshSettings, type MeshSettings } from "../../src/model/mesh-settings.ts";
import type { Protocol } from "../../src/model/port.ts";
import type { InterceptionMode } from "../../src/model/proxy.ts";

/* What becomes of captured connections to a workload, as Envoy chooses chains. */

function settingsFor(interception: InterceptionMode, mesh: Partial<MeshSettings> = {}): SidecarSettings {
  const all = { ...defaultMeshSettings, ...mesh };
  return sidecarSettings(all, outboundPolicyOf(all, undefined), interception, "ipv4");
}

const inbound = (ports: readonly InboundPort[], settings = settingsFor("redirect")): Listener =>
  fromBinary(ListenerSchema, compileVirtualInbound(settings, ports).bytes);

const portOf = (port: number, protocol: Protocol, servicePort = 80): InboundPort => ({
  ...{ port, protocol, servicePort },
  origin: fromSetting("test"),
});

type Bytes = "http" | "tls" | "other";

const starts = {
  http: { transportProtocol: "raw_buffer", applicationProtocols: ["http/1.1"] },
  tls: { transportProtocol: "tls", applicationProtocols: ["h2", "http/1.1"], serverName: "a.example.com" },
  other: { transportProtocol: "raw_buffer", applicationProtocols: [] },
} as const satisfies Record<Bytes, Partial<Connection>>;

/** Request by request (with the virtual host), or as it is; and to which cluster. */
function taken(listener: Listener, port: number, bytes: Bytes): string {
  const connection: Connection = {
    destination: { address: "10.0.0.9", port },
    source: { address: "10.0.0.1", port: 40_000 },
    ...starts[bytes],
  };
  const { outcome } = chooseChain(listener, asSeenBy(listener, connection));
  const config = outcome.kind === "none" ? undefined : outcome.chain.filters[0]?.configType;
  if (config?.case !== "typedConfig") return "nowhere";
  const bytesTo = anyUnpack(config.value, TcpProxySchema)?.clusterSpecifier.value;
  if (bytesTo !== undefined) return `bytes to ${bytesTo}`;
  const { routeSpecifier } = anyUnpack(config.value, HttpConnectionManagerSchema) ?? {};
  return routeSpecifier?.case === "routeConfig"
    ? `${routeSpecifier.value.virtualHosts[0]?.name} to ${routeSpecifier.value.name}`
    : "nowhere";
}

const each = (listener: Listener, port: number) =>
  (["http", "tls", "other"] as const).map((bytes) => taken(listener, port, bytes));

describe("a connection to the workload", () => {
  const listener = inbound([
    ...[portOf(8080, "http", 80), portOf(8081, "grpc", 81), portOf(8090, "auto", 90), portOf(8091, "auto", 91)],
    ...[
      portOf(9000, "tcp"),
      portOf(9443, "tls"),
      portOf(9444, "https"),
      portOf(3306, "auto"),
      portOf(9306, "auto", 3306),
    ],
  ]);
  const requests = (port: number, servicePort: number) => `inbound|http|${servicePort} to inbound|${port}||`;
  const bytes = (port: number) => `bytes to inbound|${port}||`;

  test.for<readonly [port: number, what: string, want: readonly string[]]>([
    [8080, "HTTP, whatever it begins with", [requests(8080, 80), requests(8080, 80), requests(8080, 80)]],
    [8081, "gRPC", [requests(8081, 81), requests(8081, 81), requests(8081, 81)]],
    [8090, "undeclared", [requests(8090, 90), bytes(8090), bytes(8090)]],
    [8091, "another undeclared", [requests(8091, 91), bytes(8091), bytes(8091)]],
    [9000, "TCP", [bytes(9000), bytes(9000), bytes(9000)]],
    [9443, "TLS", [bytes(9443), bytes(9443), bytes(9443)]],
    [9444, "HTTPS", [bytes(9444), bytes(9444), bytes(9444)]],
    [3306, "undeclared, where servers speak first", [bytes(3306), bytes(3306), bytes(3306)]],
    [9306, "undeclared, called where servers speak first", [bytes(9306), bytes(9306), bytes(9306)]],
    [7777, "of no service", Array.from({ length: 3 }, () => "bytes to InboundPassthroughCluster")],
    [15_006, "the sidecar's own", Array.from({ length: 3 }, () => "bytes to BlackHoleCluster")],
  ])("at port %i: %s", ([port, , want]) => {
    expect(each(listener, port)).toEqual(want);
  });

  test("is looked at only where its port is undeclared", () => {
    const looked = [8080, 8081, 8090, 8091, 9000, 9443, 3306, 9306, 7777, 15_006].filter((port) =>
      listenerFiltersAt(listener, port).has("http"),
    );
    expect(looked).toEqual([8090, 8091]);
    const unlooked = inbound([portOf(8080, "http"), portOf(9000, "tcp")]);
    expect(unlooked.listenerFilters.map(({ name }) => name)).toEqual(["envoy.filters.listener.original_dst"]);
    expect(unlooked.listenerFiltersTimeout).toBeUndefined();
  });

  test("to a service's port that is the sidecar's own is not passed round in circles", () => {
    const own = inbound([portOf(7006, "http")], settingsFor("redirect", { proxyInboundListenPort: 7006 }));
    expect(each(own, 7006)).toEqual(Array.from({ length: 3 }, () => "bytes to BlackHoleCluster"));
  });

  test("keeps its source with TPROXY, and only there", () => {
    const ports = [portOf(8090, "auto")];
    const names = ({ listenerFilters }: Listener) => listenerFilters.map(({ name }) => name.replace(/^.*\./, ""));
    expect(names(inbound(ports, settingsFor("tproxy")))).toEqual(["original_dst", "original_src", "http_inspector"]);
    expect(inbound(ports, settingsFor("tproxy")).transparent).toBe(true);
    expect(names(inbound(ports))).toEqual(["original_dst", "http_inspector"]);
    expect(inbound(ports).transparent).toBeUndefined();
  });
});
