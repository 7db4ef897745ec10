import { readdirSync } from "node:fs";
import { create, fromJson, type JsonValue, toBinary } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { messageTypes } from "../../src/envoy/pack.ts";
import { referencesOf } from "../../src/envoy/references.ts";
import { resourceType, resourceTypes, type TypeName } from "../../src/envoy/resource-types.ts";
import { ListenerSchema } from "../../src/gen/envoy/config/listener/v3/listener_pb.ts";
import { compileGolden, goldenFolder } from "../support/golden.ts";

/** `TYPE name` of all that a resource names, given as proto JSON. */
function namedBy(type: TypeName, json: JsonValue): readonly string[] {
  const schema = messageTypes.getMessage(resourceType(type).url.slice("type.googleapis.com/".length));
  if (schema === undefined) throw new Error(`${type} has no message type`);
  return texts(referencesOf(type, toBinary(schema, fromJson(schema, json, { registry: messageTypes }))));
}

const texts = (references: ReturnType<typeof referencesOf>): readonly string[] =>
  references.map(({ type, name }) => `${type} ${name}`).sort();

const v3 = "type.googleapis.com/envoy";
const ads = { ads: {} };
const elsewhere = { pathConfigSource: { path: "/etc/a.yaml" } };
const filterChain = (name: string, config: JsonValue): JsonValue => ({
  filterChains: [{ filters: [{ name, typedConfig: config as { "@type": string } }] }],
});
const manager = (fields: { readonly [field: string]: JsonValue }): JsonValue =>
  filterChain("http", {
    "@type": `${v3}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    ...fields,
  });
const tcp = (fields: { readonly [field: string]: JsonValue }): JsonValue =>
  filterChain("tcp", { "@type": `${v3}.extensions.filters.network.tcp_proxy.v3.TcpProxy`, ...fields });
const secret = (name: string, source: JsonValue = ads): JsonValue => ({
  name: "tls",
  typedConfig: {
    "@type": `${v3}.extensions.transport_sockets.tls.v3.UpstreamTlsContext`,
    commonTlsContext: {
      tlsCertificateSdsSecretConfigs: [{ name, sdsConfig: source }],
      combinedValidationContext: { validationContextSdsSecretConfig: { name: "roots", sdsConfig: ads } },
    },
  },
});
const routes = (...list: JsonValue[]): JsonValue => ({
  name: "r",
  virtualHosts: [{ name: "v", domains: ["*"], routes: list }],
});

describe("what a resource names", () => {
  test.each<readonly [string, TypeName, JsonValue, readonly string[]]>([
    [
      "endpoints by the cluster's name",
      "CDS",
      { name: "a", type: "EDS", edsClusterConfig: { edsConfig: ads } },
      ["EDS a"],
    ],
    [
      "endpoints by a name of their own",
      "CDS",
      { name: "a", type: "EDS", edsClusterConfig: { edsConfig: { self: {} }, serviceName: "s" } },
      ["EDS s"],
    ],
    ["endpoints from a file", "CDS", { name: "a", type: "EDS", edsClusterConfig: { edsConfig: elsewhere } }, []],
    ["no endpoints of a static cluster", "CDS", { name: "a", type: "STATIC" }, []],
    [
      "members of an aggregate",
      "CDS",
      {
        name: "a",
        clusterType: {
          name: "envoy.clusters.aggregate",
          typedConfig: { "@type": `${v3}.extensions.clusters.aggregate.v3.ClusterConfig`, clusters: ["b", "c", "b"] },
        },
      },
      ["CDS b", "CDS c"],
    ],
    ["secrets", "CDS", { name: "a", transportSocket: secret("own") }, ["SDS own", "SDS roots"]],
    ["no secrets from a file", "CDS", { name: "a", transportSocket: secret("own", elsewhere) }, ["SDS roots"]],
    ["a route table", "LDS", manager({ rds: { routeConfigName: "r", configSource: ads } }), ["RDS r"]],
    ["no route table from a file", "LDS", manager({ rds: { routeConfigName: "r", configSource: elsewhere } }), []],
    [
      "clusters of a route table inside",
      "LDS",
      manager({ routeConfig: routes({ route: { cluster: "a" } }) }),
      ["CDS a"],
    ],
    [
      "a filter to be discovered",
      "LDS",
      manager({ httpFilters: [{ name: "f", configDiscovery: { configSource: ads } }] }),
      ["ECDS f"],
    ],
    [
      "no filter that has a default",
      "LDS",
      manager({
        httpFilters: [
          {
            name: "f",
            configDiscovery: {
              configSource: ads,
              defaultConfig: { "@type": `${v3}.extensions.filters.http.router.v3.Router` },
            },
          },
        ],
      }),
      [],
    ],
    [
      "network and listener filters to be discovered",
      "LDS",
      {
        listenerFilters: [{ name: "l", configDiscovery: { configSource: ads } }],
        filterChains: [{ filters: [{ name: "n", configDiscovery: { configSource: ads } }] }],
      },
      ["ECDS l", "ECDS n"],
    ],
    [
      "route tables of scopes inside",
      "LDS",
      manager({
        scopedRoutes: {
          name: "s",
          scopedRouteConfigurationsList: { scopedRouteConfigurations: [{ name: "x", routeConfigurationName: "r" }] },
        },
      }),
      ["RDS r"],
    ],
    [
      "nothing of scopes that are discovered",
      "LDS",
      manager({ scopedRoutes: { name: "s", rdsConfigSource: ads, scopedRds: { scopedRdsConfigSource: ads } } }),
      [],
    ],
    ["a TCP proxy's cluster", "LDS", tcp({ cluster: "a" }), ["CDS a"]],
    [
      "a TCP proxy's weighted clusters",
      "LDS",
      tcp({
        weightedClusters: {
          clusters: [
            { name: "a", weight: 1 },
            { name: "b", weight: 1 },
          ],
        },
      }),
      ["CDS a", "CDS b"],
    ],
    [
      "clusters, mirrors and weights of routes",
      "RDS",
      routes(
        { route: { cluster: "a", requestMirrorPolicies: [{ cluster: "m" }] } },
        {
          route: {
            weightedClusters: {
              clusters: [
                { name: "b", weight: 1 },
                { clusterHeader: "x", weight: 1 },
              ],
            },
          },
        },
        { route: { clusterHeader: "x" } },
        { redirect: {} },
      ),
      ["CDS a", "CDS b", "CDS m"],
    ],
    [
      "nothing of hosts on demand",
      "RDS",
      {
        name: "r",
        vhds: {
          configSource: { apiConfigSource: { apiType: "GRPC", grpcServices: [{ envoyGrpc: { clusterName: "xds" } }] } },
        },
      },
      [],
    ],
    [
      "clusters of a virtual host",
      "VHDS",
      { name: "v", domains: ["*"], routes: [{ route: { cluster: "a" } }] },
      ["CDS a"],
    ],
    ["the route table of a scope", "SRDS", { name: "s", routeConfigurationName: "r" }, ["RDS r"]],
    [
      "clusters of an extension",
      "ECDS",
      { name: "f", typedConfig: { "@type": `${v3}.extensions.filters.network.tcp_proxy.v3.TcpProxy`, cluster: "a" } },
      ["CDS a"],
    ],
  ])("%s", (_what, type, json, want) => {
    expect(namedBy(type, json)).toEqual(want);
  });
});

const cases = readdirSync(goldenFolder);

test.each(cases)("golden %s: the compiler notes what the bytes name", async (name) => {
  const { resources } = await compileGolden(name);
  const all = resourceTypes.flatMap(({ short }) => [...resources.resources[short].values()]);
  expect(all.length).toBeGreaterThan(0);
  for (const { type, name: resource, bytes, references } of all) {
    expect([type, resource, texts(referencesOf(type, bytes))]).toEqual([type, resource, texts(references)]);
  }
});

test("an extension that is not known or cannot be read is passed over, whatever is in it", () => {
  const known = [...messageTypes].filter(({ kind }) => kind === "message").map(({ typeName }) => typeName);
  const anyUrl = fc.oneof(fc.string(), fc.constantFrom(...known)).map((type) => `type.googleapis.com/${type}`);
  fc.assert(
    fc.property(anyUrl, fc.uint8Array({ maxLength: 40 }), (typeUrl, value) => {
      const listener = create(ListenerSchema, {
        name: "l",
        filterChains: [
          {
            filters: [
              { name: "f", configType: { case: "typedConfig", value: create(AnySchema, { typeUrl, value }) } },
              {
                name: "n",
                configType: {
                  case: "configDiscovery",
                  value: { configSource: { configSourceSpecifier: { case: "ads", value: {} } } },
                },
              },
            ],
          },
        ],
      });
      expect(texts(referencesOf("LDS", toBinary(ListenerSchema, listener)))).toContain("ECDS n");
    }),
    { numRuns: 300 },
  );
});

test("bytes that are no message of the type are an error", () => {
  expect(() => referencesOf("CDS", Uint8Array.of(0xff))).toThrow();
});
