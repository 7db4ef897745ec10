import { setImmediate as turn } from "node:timers/promises";
import { resourceType, type TypeName } from "../../../src/envoy/resource-types.ts";
import { type Case, type CaseContext, ensure, ensureNames } from "../case.ts";
import type { Response } from "../client/response.ts";
import type { XdsStream } from "../client/stream.ts";
import { referencesOf } from "../references.ts";
import { edsCluster, emptyEndpoints, listenerWithRoutes, type RawResource, resource, routesTo } from "../resources.ts";
import { absentBecause, adsVariants, allTypes, allVariants, sotwVariants } from "../variants.ts";
import { accepted, has, hasAs } from "./offers.ts";

const burst = 200;

/** When something is sent, how often, and in which form. */
export const sotwPushCases: readonly Case[] = [
  {
    statement: "SOT-12",
    title: "a change of one type is sent, and nothing of another type",
    variants: allVariants,
    types: allTypes,
    needs: ["state"],
    run: async (context) => {
      const { put, name, type, quietMs } = context;
      const streams = await followAll(context);
      const changed = resource(type, name("a"), 2);
      await put(changed);
      await streams.get(type)?.accept(type, hasAs(changed));
      await Promise.all([...new Set(streams.values())].map((stream) => stream.quiet(undefined, quietMs)));
    },
  },
  {
    statement: "SOT-12",
    title: "everything computed again, nothing changed: nothing is sent",
    variants: allVariants,
    types: ["CDS"],
    needs: ["state", "touch"],
    run: async (context) => {
      const { server, quietMs } = context;
      const streams = await followAll(context);
      for (let round = 0; round < 3; round++) await server.touch();
      await Promise.all([...new Set(streams.values())].map((stream) => stream.quiet(undefined, quietMs)));
    },
  },
  {
    statement: "SOT-12",
    title: "endpoints change: neither their cluster nor who leads to it is sent",
    variants: adsVariants,
    types: ["EDS"],
    needs: ["state", "raw"],
    run: async ({ put, open, name, quietMs }) => {
      const [cluster, listener, routes] = [name("cluster"), name("listener"), name("routes")];
      await put(
        edsCluster(cluster),
        resource("EDS", cluster),
        listenerWithRoutes(listener, routes),
        routesTo(routes, [cluster]),
      );
      const stream = open();
      const names: readonly (readonly [TypeName, readonly string[]])[] = [
        ["CDS", [cluster]],
        ["EDS", [cluster]],
        ["LDS", [listener]],
        ["RDS", [routes]],
      ];
      for (const [type, list] of names) {
        stream.ask(type, list);
        await stream.accept(type);
      }
      await stream.quiet(undefined, quietMs);
      const changed = resource("EDS", cluster, 2);
      await put(changed);
      await stream.accept("EDS", hasAs(changed));
      await stream.quiet(undefined, quietMs);
    },
  },
  {
    statement: "SOT-13",
    title: `${burst} quick changes bring at most so many responses, and the last state in the end`,
    variants: sotwVariants,
    types: allTypes,
    needs: ["state"],
    run: async ({ put, open, name, type, until }) => {
      await put(resource(type, name("a")), resource(type, name("b")));
      const stream = open({ autoAck: true });
      stream.ask(type, [name("a"), name("b")]);
      await stream.expect(type);
      for (let revision = 2; revision < burst + 2; revision++) {
        await put(resource(type, name("a"), revision));
        await turn();
      }
      const last = resource(type, name("a"), burst + 1);
      await until("the last state", () => {
        const newest = lastOf(stream, last);
        return newest !== undefined && hasAs(last)(newest);
      });
      ensure(stream.received.length <= burst + 1, `${burst} changes brought ${stream.received.length - 1} responses`);
    },
  },
  {
    statement: "SOT-13",
    title: `${burst} changes while the client is slow to answer come as a few, the newest last`,
    variants: sotwVariants,
    types: allTypes,
    needs: ["state"],
    run: async (context) => {
      const { put, name, type } = context;
      const { stream } = await accepted(context, "a", "b");
      await put(resource(type, name("a"), 2));
      const slow = await stream.expect(type);
      const before = stream.received.length;
      for (let revision = 3; revision < burst + 3; revision++) await put(resource(type, name("a"), revision));
      stream.ack(slow);
      const last = resource(type, name("a"), burst + 2);
      for (let done = false; !done; ) done = hasAs(last)(await stream.accept(type, has(last.name)));
      const count = stream.received.length - before;
      // One, were no time limit on waiting for an answer; the machine may be slow.
      ensure(count <= 10, `${burst} changes during one answer brought ${count} responses`);
    },
  },
  ...(["envoy", "grpc"] as const).map(
    (client): Case => ({
      statement: "SOT-14",
      title: `plain messages for ${client === "envoy" ? "an Envoy" : "a gRPC client"} that does not say that it takes others`,
      variants: sotwVariants,
      types: client === "envoy" ? allTypes : ["LDS", "RDS", "CDS", "EDS"],
      needs: ["state"],
      client,
      run: async (context) => {
        const { put, name, type } = context;
        const { stream, response } = await accepted(context, "a", "b");
        ensurePlain(response, type);
        await put(resource(type, name("a"), 2));
        ensurePlain(await stream.accept(type), type);
      },
    }),
  ),
  {
    statement: "SOT-14",
    title: "plain messages also for what has a time to live",
    variants: sotwVariants,
    types: allTypes,
    needs: ["state", "ttl"],
    run: async ({ put, open, name, type }) => {
      await put({ ...resource(type, name("a")), ttlMs: 60_000 });
      const stream = open();
      stream.ask(type, [name("a")]);
      ensurePlain(await stream.accept(type), type);
    },
  },
  {
    statement: "SOT-15",
    title: "endpoints are asked for by the service_name of their cluster, and are called so",
    variants: allVariants,
    types: ["EDS"],
    needs: ["state", "raw"],
    run: async (context) => {
      const { put, open, name } = context;
      const [cluster, service] = [name("cluster"), name("service")];
      const endpoints = resource("EDS", service);
      await put(edsCluster(cluster, { serviceName: service }), endpoints);
      const stream = open();
      const wanted = await endpointNames(context, stream, cluster);
      ensureNames(wanted, [service], "the name that the cluster says");
      stream.ask("EDS", wanted);
      const response = await stream.accept("EDS", has(service));
      ensure(hasAs(endpoints)(response), "the endpoints are others, or have another name inside");
      const changed = resource("EDS", service, 2);
      await put(changed);
      await stream.accept("EDS", hasAs(changed));
    },
  },
  {
    statement: "SOT-15",
    title: "asked for by the name of a cluster that has a service_name, there are no endpoints",
    variants: allVariants,
    types: ["EDS"],
    needs: ["state", "raw"],
    run: async (context) => {
      const { put, open, name } = context;
      const [cluster, service] = [name("cluster"), name("service")];
      await put(edsCluster(cluster, { serviceName: service }), resource("EDS", service));
      const stream = open({ autoAck: true });
      await endpointNames(context, stream, cluster);
      stream.ask("EDS", [cluster]);
      stream.ask("EDS", [cluster, service]);
      await stream.expect("EDS", has(service));
      const empty = emptyEndpoints(cluster);
      for (const response of stream.received.filter(({ type }) => type === "EDS"))
        ensure(!has(cluster)(response) || hasAs(empty)(response), `${cluster} has endpoints`);
    },
  },
  {
    statement: "SOT-15",
    title: "without a service_name endpoints are asked for by the name of their cluster",
    variants: allVariants,
    types: ["EDS"],
    needs: ["state", "raw"],
    run: async (context) => {
      const { put, open, name } = context;
      const cluster = name("cluster");
      const endpoints = resource("EDS", cluster);
      await put(edsCluster(cluster), endpoints);
      const stream = open();
      const wanted = await endpointNames(context, stream, cluster);
      ensureNames(wanted, [cluster], "the name that the cluster says");
      stream.ask("EDS", wanted);
      ensure(hasAs(endpoints)(await stream.accept("EDS", has(cluster))), "the endpoints are others");
    },
  },
];

/** One resource of every type, asked for by name and accepted; the stream of each type, which is the same for all on ADS. */
async function followAll({
  variant,
  put,
  open,
  name,
  type: own,
  quietMs,
}: CaseContext): Promise<ReadonlyMap<TypeName, XdsStream>> {
  const types = allTypes.filter((type) => absentBecause(variant, type) === undefined);
  const nameOf = (type: TypeName): string => (type === "VHDS" && own !== "VHDS" ? `table/${name("a")}` : name("a"));
  await put(...types.map((type) => resource(type, nameOf(type))));
  const shared = variant.ads ? open() : undefined;
  const streams = new Map(types.map((type) => [type, shared ?? open({ type })]));
  for (const [type, stream] of streams) {
    stream.ask(type, [nameOf(type)]);
    await stream.accept(type);
  }
  await Promise.all([...new Set(streams.values())].map((stream) => stream.quiet(undefined, quietMs)));
  return streams;
}

/** What a client does: it asks for endpoints by the name that the cluster has for them. Without ADS the cluster comes over a stream of its own. */
async function endpointNames(
  { open, variant }: CaseContext,
  shared: XdsStream,
  cluster: string,
): Promise<readonly string[]> {
  const stream = variant.ads ? shared : open({ type: "CDS" });
  stream.ask("CDS", [cluster]);
  const response = await stream.expect("CDS", has(cluster));
  stream.ack(response);
  const found = response.resources.find((one) => one.name === cluster);
  return found?.body === undefined ? [] : referencesOf("CDS", found.body).map((one) => one.name);
}

function ensurePlain(response: Response, type: TypeName): void {
  for (const { name, wrapped, typeUrl } of response.resources) {
    ensure(!wrapped, `${name} came inside a Resource`);
    ensure(typeUrl === resourceType(type).url, `${name} is a ${typeUrl}`);
  }
  ensure(response.resources.length > 0, "nothing came");
}

const lastOf = (stream: XdsStream, { name }: RawResource): Response | undefined => stream.received.findLast(has(name));
