import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import type { Resource } from "../../src/envoy/resource-set.ts";
import { assignment, byRds, edsCluster, httpListener, oneHost, overAds, routeTable } from "../support/raw-config.ts";
import { everyoneIsAt, startOrigin, startRawEnvoy, startRawPlane } from "../support/raw-plane.ts";
import { typedStruct } from "../support/raw-resources.ts";
import { createAsker } from "../support/traffic.ts";
import { waitFor } from "../support/wait-for.ts";

/* Clusters that a wildcard leaves out, and that a real Envoy asks for when a request needs them. Only delta has them. */

/** How long Envoy keeps a request waiting for its cluster: an answer has to be faster. */
const envoyWaitsMs = 3_000;
/** Fast enough for an answer of "there is none" to have been the reason. */
const quickMs = 1_500;

const onDemand: JsonObject = {
  name: "envoy.filters.http.on_demand",
  typed_config: typedStruct("envoy.extensions.filters.http.on_demand.v3.OnDemand", {
    odcds: { source: overAds, timeout: `${envoyWaitsMs / 1_000}s` },
  }),
};

/** Requests say themselves where they go. */
const byHeader: JsonObject = { match: { prefix: "/" }, route: { cluster_header: "x-to" } };

const fixed: readonly Resource[] = [
  httpListener("main", byRds("main", overAds), { filters: [onDemand] }),
  routeTable("main", oneHost([byHeader])),
];

const hidden = (name: string, port: number, timeout = "1s"): readonly Resource[] => [
  { ...edsCluster(name, overAds, { connect_timeout: timeout }), onDemand: true },
  assignment(name, [port]),
];
const far = (port: number, timeout?: string): readonly Resource[] => hidden("far", port, timeout);

describe.concurrent.each(["1.40", "1.36"] as const)("Envoy %s", (line) => {
  test("TYP-05 a cluster is fetched when a request needs it, changes and goes; an unknown one fails quickly", {
    timeout: 30_000,
  }, async (context) => {
    const [v1, v2] = await Promise.all([startOrigin(context, "v1"), startOrigin(context, "v2")]);
    const near = [edsCluster("near", overAds), assignment("near", [v1])];
    const plane = await startRawPlane(context, [...fixed, ...near, ...far(v1)], { removalGraceMs: 50 });
    const envoy = await startRawEnvoy(context, plane, { name: `demand-${line}`, variant: "delta", line });
    const { ask, close } = createAsker(await envoy.urlOf("main"));
    context.onTestFinished(close);
    const askFor = async (cluster: string) => {
      const begun = performance.now();
      const { status, text } = await ask({ "x-to": cluster });
      return { status, text, quick: performance.now() - begun < quickMs };
    };
    const held = async () => {
      const { configs = [] } = (await (await envoy.admin()).configDump()) as {
        readonly configs?: readonly {
          readonly dynamic_active_clusters?: readonly { readonly cluster: { readonly name: string } }[];
        }[];
      };
      const clusters = configs.flatMap(({ dynamic_active_clusters = [] }) => dynamic_active_clusters);
      return clusters.map(({ cluster }) => cluster.name).sort();
    };

    expect(await held()).toEqual(["near"]);
    expect(plane.sends.filter((send) => send.includes("far"))).toEqual([]);
    expect(await askFor("near")).toEqual({ status: 200, text: "v1", quick: true });
    expect(await askFor("far")).toEqual({ status: 200, text: "v1", quick: true });
    await everyoneIsAt(plane, [envoy]);
    expect(await askFor("nowhere")).toMatchObject({ status: 503, quick: true });

    // Its endpoints, then the cluster itself.
    plane.set([...fixed, ...near, ...far(v2)]);
    await waitFor(async () => (await askFor("far")).text === "v2", { what: "the change of endpoints" });
    plane.set([...fixed, ...near, ...far(v1, "2s")]);
    await waitFor(async () => (await askFor("far")).text === "v1", { what: "the change of the cluster" });
    await waitFor(async () => plane.sends.filter((send) => send === "CDS far").length === 2);

    plane.set([...fixed, ...near]);
    await waitFor(async () => (await held()).join() === "near", { what: "the removal" });
    // Envoy does not ask again for what it was told is gone, and waits in vain (envoy#47201); what comes back in time is used.
    expect(await askFor("far")).toMatchObject({ status: 503 });
    const waiting = askFor("far");
    plane.set([...fixed, ...near, ...far(v2)]);
    expect(await waiting).toMatchObject({ status: 200, text: "v2" });

    // What was asked for and is not there comes when it is.
    plane.set([...fixed, ...near, ...far(v2), ...hidden("nowhere", v1)]);
    await waitFor(async () => (await askFor("nowhere")).text === "v1", { what: "what was not there" });
    await everyoneIsAt(plane, [envoy]);
    expect(plane.refusals).toEqual([]);
  });
});
