import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { durationMs } from "@bufbuild/protobuf/wkt";
import { status } from "@grpc/grpc-js";
import type { TypeName } from "../../../src/envoy/resource-types.ts";
import { NodeSchema } from "../../../src/gen/envoy/config/core/v3/base_pb.ts";
import {
  LoadStatsRequestSchema,
  type LoadStatsResponse,
  LoadStatsResponseSchema,
} from "../../../src/gen/envoy/service/load_stats/v3/lrs_pb.ts";
import type { SideCallClient } from "../../support/side-client.ts";
import { type Case, type CaseContext, ensure, ensureNames } from "../case.ts";
import type { Connection } from "../client/connection.ts";
import { resource } from "../resources.ts";
import { allTypes, allVariants, type VariantName } from "../variants.ts";
import { accepted, has } from "./offers.ts";

/** Where neither matters: these services have no variants. */
const once = { variants: ["ads-sotw"] satisfies readonly VariantName[], types: ["CDS"] satisfies readonly TypeName[] };

const maxIdentifierLength = 256;
const secretLooking = /password|passwd|secret|token|private|bearer|-----BEGIN/i;

function ensureIdentifier(found: string): void {
  ensure(found !== "", "the response has no control_plane.identifier");
  ensure(found.length <= maxIdentifierLength, `an identifier of ${found.length} characters`);
  ensure(!secretLooking.test(found), `the identifier looks as if there were a secret in it: ${found}`);
}

const lrsPath = "/envoy.service.load_stats.v3.LoadReportingService/StreamLoadStats";
const hdsPath = "/envoy.service.health.v3.HealthDiscoveryService";
const sendsAllClusters = "envoy.lrs.supports_send_all_clusters";

type Lrs = SideCallClient<typeof LoadStatsRequestSchema, typeof LoadStatsResponseSchema>;

const beginLrs = (connection: Connection): Lrs =>
  connection.begin(lrsPath, { request: LoadStatsRequestSchema, answer: LoadStatsResponseSchema });

const nodeOf = ({ node }: CaseContext, features: readonly string[] = []) =>
  create(NodeSchema, { id: node.id, userAgentName: "envoy", clientFeatures: [...features] });

/** A report of so many requests to each cluster. */
const report = (issued: Readonly<Record<string, number>>) => ({
  clusterStats: Object.entries(issued).map(([clusterName, count]) => ({
    clusterName,
    upstreamLocalityStats: [{ totalIssuedRequests: BigInt(count), totalSuccessfulRequests: BigInt(count) }],
    totalDroppedRequests: 1n,
  })),
});

/** The first answer to a node that can send all clusters; the call goes on. */
async function greeted(context: CaseContext): Promise<Lrs> {
  const call = beginLrs(context.connect());
  call.send({ node: nodeOf(context, [sendsAllClusters]) });
  await call.next();
  return call;
}

const intervalOf = ({ loadReportingInterval }: LoadStatsResponse): number =>
  loadReportingInterval === undefined ? 0 : durationMs(loadReportingInterval);

async function issuedBy({ server, node }: CaseContext, cluster: string): Promise<number | undefined> {
  return (await server.loads(node.id)).find((one) => one.cluster === cluster)?.issued;
}

export const sideServiceCases: readonly Case[] = [
  {
    statement: "OBS-01",
    title: "the first response says who answers",
    variants: allVariants,
    types: ["CDS"],
    needs: [],
    run: async ({ open, type }) => {
      const stream = open();
      stream.ask(type);
      ensureIdentifier((await stream.accept(type)).identifier);
    },
  },
  {
    statement: "OBS-01",
    title: "every response says so, and always the same",
    variants: allVariants,
    types: allTypes,
    needs: ["state"],
    run: async (context) => {
      const { put, open, name, type, variant } = context;
      const { stream } = await accepted(context, "a");
      await put(resource(type, name("a"), 2), resource("CDS", "beside"), resource("LDS", "beside"));
      await stream.accept(type);
      if (variant.ads) {
        const beside = type === "CDS" ? "LDS" : "CDS";
        stream.ask(beside, ["beside"]);
        await stream.accept(beside);
      }
      const next = open();
      next.ask(type, [name("a")]);
      await next.accept(type, has(name("a")));
      const all = [...stream.received, ...next.received].map(({ identifier }) => identifier);
      for (const one of all) ensureIdentifier(one);
      ensure(new Set(all).size === 1, `several identifiers: ${[...new Set(all)].join(", ")}`);
    },
  },
  {
    statement: "LRS-01",
    title: "a client that can is asked for all clusters, at a positive interval",
    ...once,
    needs: ["load-reports"],
    run: async (context) => {
      const call = beginLrs(context.connect());
      call.send({ node: nodeOf(context, [sendsAllClusters]) });
      const answer = await call.next();
      ensure(answer.sendAllClusters, "the answer does not ask for all clusters");
      ensure(intervalOf(answer) > 0, "the answer has no positive load_reporting_interval");
    },
  },
  {
    statement: "LRS-01",
    title: "others are given a list of their clusters",
    ...once,
    needs: ["load-reports", "state"],
    run: async (context) => {
      const { name, connect, until } = context;
      await accepted(context, "a", "b");
      const call = beginLrs(connect());
      call.send({ node: nodeOf(context) });
      const first = await call.next();
      ensure(!first.sendAllClusters, "the client cannot send all clusters, and is asked for them");
      ensure(intervalOf(first) > 0, "the answer has no positive load_reporting_interval");
      await until("a list of both clusters", () => call.received.at(-1)?.clusters.length === 2);
      ensureNames(call.received.at(-1)?.clusters ?? [], [name("a"), name("b")], "the list");
    },
  },
  {
    statement: "LRS-01",
    title: "nothing is said before the client has",
    ...once,
    needs: ["load-reports"],
    run: async (context) => {
      const call = beginLrs(context.connect());
      const stream = context.open();
      stream.ask("CDS");
      await stream.accept("CDS");
      await stream.quiet(undefined, context.quietMs);
      ensure(call.received.length === 0, "the server spoke first");
      call.send({ node: nodeOf(context, [sendsAllClusters]) });
      await call.next();
    },
  },
  ...(["half-closed", "reset"] as const).map(
    (way): Case => ({
      statement: "LRS-01",
      title: `a call that is ${way} does not touch discovery, and the next one is answered`,
      ...once,
      variants: allVariants,
      needs: ["load-reports", "state"],
      run: async (context) => {
        const { put, name, type } = context;
        const { stream } = await accepted(context, "a");
        const call = await greeted(context);
        if (way === "reset") call.cancel();
        else call.halfClose();
        await call.status();
        await put(resource(type, name("a"), 2));
        await stream.accept(type);
        await greeted(context);
      },
    }),
  ),
  {
    statement: "LRS-02",
    title: "what is reported is added once, after a reconnect too",
    ...once,
    needs: ["load-reports", "load-totals", "state"],
    run: async (context) => {
      const { name, until } = context;
      await accepted(context, "a", "b");
      const [a, b] = [name("a"), name("b")];
      const first = await greeted(context);
      first.send(report({ [a]: 10, [b]: 1 }));
      first.send(report({ [a]: 5 }));
      await until("15 requests", async () => (await issuedBy(context, a)) === 15);
      first.cancel();
      await first.status();
      // A first request may carry a report too.
      const second = beginLrs(context.connect());
      second.send({ ...report({ [a]: 7 }), node: nodeOf(context, [sendsAllClusters]) });
      await second.next();
      second.send(report({ [b]: 2 }));
      await until("22 and 3 requests", async () => (await issuedBy(context, b)) === 3);
      const totals = await context.server.loads(context.node.id);
      ensureNames(
        totals.map(({ cluster, issued, dropped }) => `${cluster}=${issued}/${dropped}`),
        [`${a}=22/3`, `${b}=3/2`],
        "the sums",
      );
    },
  },
  {
    statement: "LRS-02",
    title: "clusters that the client does not have are dropped, and so is what is beyond a limit",
    ...once,
    needs: ["load-reports", "load-totals", "state"],
    run: async (context) => {
      const { name, until, server, node } = context;
      const { stream } = await accepted(context, "a");
      const a = name("a");
      const call = await greeted(context);
      call.send(report({ [a]: 1, unknown: 100, ["x".repeat(100_000)]: 100 }));
      const localities = Array.from({ length: 20_000 }, () => ({ totalIssuedRequests: 1n }));
      call.send({ clusterStats: [{ clusterName: a, upstreamLocalityStats: localities }] });
      call.send(report({ [a]: 2 }));
      await until("what is left of three reports", async () => (await issuedBy(context, a)) === 3);
      ensureNames(
        (await server.loads(node.id)).map(({ cluster }) => cluster),
        [a],
        "clusters with sums",
      );
      ensure(!stream.ended, "the discovery stream ended");
    },
  },
  {
    statement: "HDS-01",
    title: "a client's first message is answered with what to check and how often, or with UNIMPLEMENTED",
    ...once,
    needs: [],
    run: async ({ connect, node, open, type }) => {
      const identity = toBinary(NodeSchema, create(NodeSchema, { id: node.id }));
      const asked = new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(identity).finish();
      const first = new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(asked).finish();
      for (const method of ["StreamHealthCheck", "FetchHealthCheck"]) {
        const answer = await connect()
          .call(`${hdsPath}/${method}`, first)
          .catch((error: { readonly code: number; readonly details: string }) => error);
        if (Buffer.isBuffer(answer)) ensure(hasInterval(answer), `${method}: the answer has no interval`);
        else ensure(answer.code === status.UNIMPLEMENTED, `${method} ended with ${answer.code} (${answer.details})`);
      }
      const stream = open();
      stream.ask(type);
      await stream.accept(type);
    },
  },
];

/** `HealthCheckSpecifier`: 2 the interval, a duration. */
function hasInterval(bytes: Uint8Array): boolean {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 2) return reader.bytes().length > 0;
    reader.skip(wireType, field);
  }
  return false;
}
