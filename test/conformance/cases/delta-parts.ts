import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { Cluster_DiscoveryType, ClusterSchema } from "../../../src/gen/envoy/config/cluster/v3/cluster_pb.ts";
import { type Case, type CaseContext, ensure } from "../case.ts";
import type { XdsStream } from "../client/stream.ts";
import { type RawResource, resource } from "../resources.ts";
import { gather, namesIn } from "./gather.ts";

/** What every client takes. */
const maxBytes = 4 * 1024 * 1024;
/** Of 16 KB each: more than one message can take. */
const count = 320;
const padding = "x".repeat(16 * 1024);

/** A cluster that is as large as one with many filters and hosts. */
function largeCluster(name: string, revision: number): RawResource {
  const cluster: MessageInitShape<typeof ClusterSchema> = {
    name,
    altStatName: padding,
    connectTimeout: { seconds: BigInt(revision), nanos: 0 },
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.EDS },
    edsClusterConfig: { edsConfig: { configSourceSpecifier: { case: "ads", value: {} }, resourceApiVersion: 2 } },
  };
  return { type: "CDS", name, bytes: toBinary(ClusterSchema, create(ClusterSchema, cluster)) };
}

const namesOf = ({ name }: CaseContext): readonly string[] =>
  Array.from({ length: count }, (_, index) => name(`large-${index}`));

/** Of what came after so many messages, no endpoints came before their cluster. */
function ensureOrder({ received }: XdsStream, names: readonly string[], after = 0): void {
  const firstOf = (type: "CDS" | "EDS"): ReadonlyMap<string, number> => {
    const mine = received.slice(after).filter((response) => response.type === type);
    return new Map(mine.toReversed().flatMap(({ resources, index }) => resources.map(({ name }) => [name, index])));
  };
  const [clusters, endpoints] = [firstOf("CDS"), firstOf("EDS")];
  const early = names.filter((one) => (endpoints.get(one) ?? 0) < (clusters.get(one) ?? 0));
  ensure(early.length === 0, `the endpoints of ${early.length} clusters, of ${names.length}, came before them`);
}

export const deltaPartCases: readonly Case[] = [
  {
    statement: "DEL-15",
    title: "clusters of 5 MB come in messages below 4 MiB, each once, and nothing is missing",
    variants: ["ads-delta", "single-delta"],
    types: ["CDS"],
    needs: ["state"],
    run: async (context) => {
      const names = namesOf(context);
      await context.put(...names.map((one) => largeCluster(one, 1)));
      const stream = context.open();
      stream.send("CDS");
      const { responses } = await gather(stream, "CDS", { present: names });
      const largest = Math.max(...responses.map(({ size }) => size));
      ensure(largest < maxBytes, `a message of ${largest} bytes`);
      const sent = responses.reduce((sum, { resources }) => sum + resources.length, 0);
      ensure(sent === count, `${sent} clusters were sent, of ${count}`);
      ensure(new Set(responses.map(({ nonce }) => nonce)).size === responses.length, "two parts have one nonce");
    },
  },
  ...(["as Envoy does: of each part, when it has come", "all at once"] as const).map(
    (how): Case => ({
      statement: "DEL-15",
      title: `endpoints are asked for ${how}; they come after their clusters, across all parts, also when all change`,
      variants: ["ads-delta"],
      types: ["CDS"],
      needs: ["state"],
      run: async (context) => {
        const { put, open } = context;
        const names = namesOf(context);
        const stateOf = (revision: number): readonly RawResource[] =>
          names.flatMap((one) => [largeCluster(one, revision), resource("EDS", one, revision)]);
        await put(...stateOf(1));
        const stream = open();
        stream.send("CDS");
        if (how === "all at once") stream.send("EDS", { subscribe: names });
        const asked = new Set<string>();
        const clusters = gather(stream, "CDS", { present: names }, (response) => {
          const parts = namesIn(response).filter((one) => !asked.has(one));
          for (const one of parts) asked.add(one);
          if (how !== "all at once") stream.send("EDS", { subscribe: parts });
        });
        await Promise.all([clusters, gather(stream, "EDS", { present: names })]);
        ensureOrder(stream, names);
        await stream.quiet(undefined, context.quietMs);
        const before = stream.received.length;
        await put(...stateOf(2));
        await Promise.all([gather(stream, "CDS", { present: names }), gather(stream, "EDS", { present: names })]);
        ensureOrder(stream, names, before);
        const largest = Math.max(...stream.received.map(({ size }) => size));
        ensure(largest < maxBytes, `a message of ${largest} bytes`);
      },
    }),
  ),
];
