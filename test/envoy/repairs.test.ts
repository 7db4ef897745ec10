import { fromJson, type JsonValue, toBinary } from "@bufbuild/protobuf";
import { expect, onTestFinished, test } from "vitest";
import { processLauncher } from "../../src/app/envoy/launch.ts";
import { systemClock } from "../../src/base/clock.ts";
import { contentHash } from "../../src/base/digest.ts";
import { createLog } from "../../src/base/log.ts";
import { createMetrics } from "../../src/base/metrics.ts";
import { repairReferences } from "../../src/compile/references.ts";
import { bootstrapFor } from "../../src/envoy/bootstrap.ts";
import { messageTypes } from "../../src/envoy/pack.ts";
import { referencesOf } from "../../src/envoy/references.ts";
import { createResourceSet, type Resource } from "../../src/envoy/resource-set.ts";
import { resourceType, type TypeName } from "../../src/envoy/resource-types.ts";
import { createXdsServer } from "../../src/xds/server.ts";
import { envoyBinary, launchTestEnvoy } from "../support/envoy.ts";
import { compileGolden } from "../support/golden.ts";
import { recordingRecorder, staticFeed } from "../support/static-feed.ts";
import { waitFor } from "../support/wait-for.ts";

/* What stands in for missing resources, at a real Envoy: nothing waits, and each listener answers as the record says. */

function raw(type: TypeName, name: string, json: JsonValue): Resource {
  const schema = messageTypes.getMessage(resourceType(type).url.slice("type.googleapis.com/".length));
  if (schema === undefined) throw new Error(`${type} has no message type`);
  const bytes = toBinary(schema, fromJson(schema, json, { registry: messageTypes }));
  return {
    type,
    name,
    bytes,
    version: contentHash(bytes),
    references: referencesOf(type, bytes),
    provenance: () => [],
  };
}

const listener = (name: string, routes: { readonly [field: string]: JsonValue }): Resource =>
  raw("LDS", name, {
    name,
    address: { socketAddress: { address: "127.0.0.1", portValue: 0 } },
    filterChains: [
      {
        filters: [
          {
            name: "http",
            typedConfig: {
              "@type":
                "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
              statPrefix: name,
              ...routes,
              httpFilters: [
                {
                  name: "envoy.filters.http.router",
                  typedConfig: { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
                },
              ],
            },
          },
        ],
      },
    ],
  });

const routesTo = (cluster: string): { readonly [field: string]: JsonValue } => ({
  routeConfig: {
    name: cluster,
    virtualHosts: [{ name: "all", domains: ["*"], routes: [{ match: { prefix: "/" }, route: { cluster } }] }],
    validateClusters: true,
  },
});

test("an Envoy warms at once, and answers 404 and 503 where something is missing", async (context) => {
  const { path } = await envoyBinary(context);
  const broken = [
    listener("no-table", { rds: { routeConfigName: "nowhere", configSource: { ads: {}, resourceApiVersion: "V3" } } }),
    listener("no-cluster", routesTo("nobody")),
    listener("no-endpoints", routesTo("empty")),
    raw("CDS", "empty", {
      name: "empty",
      type: "EDS",
      edsClusterConfig: { edsConfig: { ads: {}, resourceApiVersion: "V3" } },
    }),
  ];
  const { resources, repairs } = repairReferences(broken);
  expect(repairs.map(({ type, name }) => `${type} ${name}`).sort()).toEqual(["CDS nobody", "EDS empty", "RDS nowhere"]);

  const recorder = recordingRecorder();
  const server = createXdsServer({
    feed: staticFeed(createResourceSet(resources, repairs)),
    recorder,
    metrics: createMetrics(),
    log: createLog({ level: "silent", format: "json", write: () => {} }),
    clock: systemClock,
    identifier: "test",
  });
  onTestFinished(() => server.close());
  const xdsPort = await server.listen("127.0.0.1", 0);
  const { node } = await compileGolden("no-rules");
  const envoy = await launchTestEnvoy({
    cleanup: onTestFinished,
    launcher: processLauncher(path),
    bootstrap: bootstrapFor({
      node,
      xds: { host: "127.0.0.1", port: xdsPort, variant: "delta" },
      admin: { host: "127.0.0.1", port: 0 },
    }),
  });
  const started = performance.now();
  const admin = await envoy.ready();
  const answer = async (name: string): Promise<number> => {
    const { host, port } = await waitFor(
      async () => (await admin.listeners()).find((one) => one.name === name)?.address,
    );
    return (await fetch(`http://${host}:${port}/`)).status;
  };
  expect(await answer("no-table")).toBe(404);
  expect(await answer("no-cluster")).toBe(503);
  expect(await answer("no-endpoints")).toBe(503);
  // Envoy would have waited 15 s for each of them.
  expect(performance.now() - started).toBeLessThan(10_000);
  expect(recorder.events.filter(({ on }) => on === "refused")).toEqual([]);
});
