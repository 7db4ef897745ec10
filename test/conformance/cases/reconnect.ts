import { resourceType, type TypeName } from "../../../src/envoy/resource-types.ts";
import { type Case, type CaseContext, ensure, ensureNames } from "../case.ts";
import type { Response } from "../client/response.ts";
import type { XdsStream } from "../client/stream.ts";
import { edsCluster, type RawResource, type ResourceKey, resource } from "../resources.ts";
import { allTypes, allVariants, deltaVariants, sotwVariants, wildcardTypes } from "../variants.ts";
import { carries, gather, namesIn } from "./gather.ts";
import { accepted, has } from "./offers.ts";
import { leftClusters, openBoth } from "./returning.ts";

/** A stream gets these, accepts them and is gone. */
async function left(context: CaseContext, ...shorts: readonly string[]): Promise<Response> {
  const { stream, response } = await accepted(context, ...shorts);
  stream.halfClose();
  await stream.status();
  return response;
}

/** What tells content apart: the version of each resource in delta, of the response in state of the world. */
function versionsOf(stream: XdsStream, type: TypeName): string {
  const mine = stream.received.filter((response) => response.type === type);
  if (stream.variant.wire === "sotw") return mine.at(-1)?.version ?? "";
  const versions = new Map(mine.flatMap(({ resources }) => resources.map(({ name, version }) => [name, version])));
  return [...versions].sort().join("; ");
}

/** Versions of these names, as a stream of its own at this server gets them. */
async function versionsAt(context: CaseContext, address: string, names: readonly string[]): Promise<string> {
  const { connect, open, type } = context;
  const stream = open({ connection: connect(address) });
  stream.ask(type, names);
  await gather(stream, type, { present: names });
  return versionsOf(stream, type);
}

/** 0 to `below`, the same in every run. */
function createDice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** What a new stream of a state-of-the-world client gets, and what every server says alike. */
export const reconnectCases: readonly Case[] = [
  {
    statement: "REC-01",
    title: "names with the present version, one of them new: all are sent",
    variants: sotwVariants,
    types: allTypes,
    needs: ["state"],
    run: async (context) => {
      const { put, open, name, type } = context;
      await put(resource(type, name("new")));
      const { version } = await left(context, "a");
      const stream = open();
      stream.ask(type, [name("a"), name("new")], { version });
      await gather(stream, type, { present: [name("a"), name("new")] });
    },
  },
  {
    statement: "REC-01",
    title: "the same names with the present version: answered, once",
    variants: sotwVariants,
    types: allTypes,
    needs: ["state"],
    run: async (context) => {
      const { open, name, type, quietMs } = context;
      const { version } = await left(context, "a", "b");
      const stream = open();
      stream.ask(type, [name("a"), name("b")], { version });
      await gather(stream, type, { present: [name("a"), name("b")] });
      await stream.quiet(undefined, quietMs);
    },
  },
  {
    statement: "REC-01",
    title: "names with a version that is old by now: the new content is sent",
    variants: sotwVariants,
    types: allTypes,
    needs: ["state"],
    run: async (context) => {
      const { put, open, name, type } = context;
      const before = await left(context, "a");
      await put(resource(type, name("a"), 2));
      const stream = open();
      stream.ask(type, [name("a")], { version: before.version });
      const { version } = await stream.accept(type, has(name("a")));
      ensure(version !== before.version, "the version did not change with the content");
    },
  },
  {
    statement: "REC-01",
    title: "everything with the present version, answered or not: the next change brings the whole set",
    variants: sotwVariants,
    types: wildcardTypes,
    needs: ["state"],
    run: async (context) => {
      const { put, open, name, type, quietMs } = context;
      const { version } = await left(context, "a", "b");
      const stream = open({ autoAck: true });
      stream.ask(type, [], { version });
      await stream.perhaps(type, quietMs);
      await put(resource(type, name("c")));
      const whole = await stream.expect(type, has(name("c")));
      ensureNames(namesIn(whole), ["a", "b", "c"].map(name), "the whole set");
    },
  },
  {
    statement: "REC-01",
    title: "after a restart of the server, names with the version of before are answered",
    variants: sotwVariants,
    types: allTypes,
    needs: ["state", "restart"],
    run: async (context) => {
      const { open, connect, name, type, server } = context;
      const { version } = await left(context, "a");
      await server.restart();
      const stream = open({ connection: connect() });
      stream.ask(type, [name("a")], { version });
      await stream.accept(type, has(name("a")));
    },
  },
  {
    statement: "REC-02",
    title: "a replica that was told the same in another order has the same versions",
    variants: allVariants,
    types: allTypes,
    needs: ["state", "replica", "raw"],
    run: async (context) => {
      const { put, name, type, server, replica } = context;
      const names = ["c", "a", "d", "b"].map(name);
      // One after the other, and not in the order of their names.
      for (const [index, one] of names.entries()) await put(resource(type, one, index + 1));
      const other = await replica();
      const versions = [
        await versionsAt(context, server.address, names),
        await versionsAt(context, other.address, names),
      ];
      ensure(versions[0] === versions[1], `the versions are ${versions[0]} here and ${versions[1]} there`);
    },
  },
  {
    statement: "REC-02",
    title: "after a restart the versions are the same",
    variants: allVariants,
    types: allTypes,
    needs: ["state", "restart", "raw"],
    run: async (context) => {
      const { put, name, type, server } = context;
      const names = ["c", "a", "b"].map(name);
      for (const [index, one] of names.entries()) await put(resource(type, one, index + 1));
      const before = await versionsAt(context, server.address, names);
      await server.restart();
      const after = await versionsAt(context, server.address, names);
      ensure(before === after, `the versions were ${before}, and are ${after}`);
    },
  },
  {
    statement: "REC-02",
    title: "random states on two servers: equal content, equal version; other content, other version",
    variants: allVariants,
    types: allTypes,
    needs: ["state", "replica", "raw"],
    run: async (context) => {
      const { change, connect, open, name, type, server, replica, until } = context;
      const names = ["a", "b", "c", "d"].map(name);
      const marker = name("marker");
      // With a removal Envoy would lose a filter in use, so there is none of those (TYP-02).
      const mayGo = type !== "ECDS";
      const throwDice = createDice(4_711);
      // What came is compared by the invariants, over both servers.
      await change(
        names.map((one) => resource(type, one)),
        [],
      );
      const streams = [server.address, (await replica()).address].map((address) =>
        open({ connection: connect(address), autoAck: true }),
      );
      const everything = context.variant.wire === "sotw" ? [] : ["*"];
      for (const stream of streams) stream.ask(type, resourceType(type).wildcard ? everything : [...names, marker]);
      for (let round = 1; round <= 8; round++) {
        const put: RawResource[] = [resource(type, marker, round)];
        const del: ResourceKey[] = [];
        for (const one of names) {
          const face = throwDice(5);
          if (face < 3) put.push(resource(type, one, face + 1));
          else if (face === 3 && mayGo) del.push({ type, name: one });
        }
        await change(put, del);
        const hasMarker = carries(resource(type, marker, round));
        await until(`state ${round} on both`, () => streams.every(({ received }) => received.some(hasMarker)));
      }
      const last = [...names, marker].map((one) => resource(type, one, 9));
      await change(last, []);
      await until("the last state on both", () =>
        streams.every(({ received }) => last.every((one) => received.some(carries(one)))),
      );
      const [here, there] = streams.map((stream) => versionsOf(stream, type));
      ensure(here === there, `the last versions are ${here} here and ${there} there`);
    },
  },
  {
    statement: "REC-02",
    title: "a client that goes to a replica and lists what it has is sent nothing of it again",
    variants: deltaVariants,
    types: ["LDS", "CDS", "SRDS", "RDS"],
    needs: ["state", "replica"],
    run: async (context) => {
      const { open, connect, name, type, replica, quietMs } = context;
      const names = ["a", "b"].map(name);
      const { resources } = await left(context, "a", "b");
      const known = Object.fromEntries(resources.map((one) => [one.name, one.version]));
      const other = await replica();
      const stream = open({ connection: connect(other.address), autoAck: true });
      stream.send(type, { subscribe: names, known });
      for (let answer = await stream.perhaps(type, quietMs); answer; answer = await stream.perhaps(type, quietMs))
        ensure(answer.resources.length === 0, `sent again: ${namesIn(answer).join(", ")}`);
    },
  },
  {
    statement: "REC-04",
    title: "a listed cluster is sent again: its endpoints are too, though listed in their present version",
    variants: ["ads-delta"],
    types: ["EDS"],
    needs: ["state"],
    run: async (context) => {
      const { name } = context;
      const names = ["a", "b"].map(name);
      const { endpoints } = await leftClusters(context, names);
      const stream = context.open();
      const old = Object.fromEntries(names.map((one) => [one, "old"]));
      stream.send("CDS", { subscribe: ["*"], known: old });
      await gather(stream, "CDS", { present: names });
      stream.send("EDS", { subscribe: names, known: endpoints });
      await gather(stream, "EDS", { present: names });
    },
  },
  {
    statement: "REC-04",
    title: "a cluster changed meanwhile: its endpoints are sent, though they have not changed",
    variants: deltaVariants,
    types: ["EDS"],
    needs: ["state"],
    run: async (context) => {
      const { put, name } = context;
      const names = ["a", "b"].map(name);
      const { clusters, endpoints } = await leftClusters(context, names);
      await put(edsCluster(name("a"), { revision: 2 }));
      const { CDS, EDS } = openBoth(context);
      CDS.send("CDS", { subscribe: ["*"], known: clusters });
      await gather(CDS, "CDS", { present: [name("a")] });
      EDS.send("EDS", { subscribe: names, known: endpoints });
      await gather(EDS, "EDS", { present: [name("a")] });
    },
  },
  {
    statement: "REC-04",
    title: "endpoints that are asked for before the clusters are answered, and again when their cluster was sent again",
    variants: ["ads-delta"],
    types: ["EDS"],
    needs: ["state"],
    run: async (context) => {
      const { put, open, name } = context;
      const names = ["a", "b"].map(name);
      const { clusters, endpoints } = await leftClusters(context, names);
      await put(edsCluster(name("a"), { revision: 2 }));
      const stream = open();
      stream.send("EDS", { subscribe: names, known: endpoints });
      await gather(stream, "EDS", { present: [name("a")] });
      stream.send("CDS", { subscribe: ["*"], known: clusters });
      await gather(stream, "CDS", { present: [name("a")] });
      await gather(stream, "EDS", { present: [name("a")] });
    },
  },
  {
    statement: "REC-04",
    title: "secrets of a cluster that was sent again are answered, whatever the versions",
    variants: ["ads-delta"],
    types: ["SDS"],
    needs: ["state"],
    run: async (context) => {
      const { put, open, name, type } = context;
      await put(resource("CDS", name("c")));
      const { resources } = await left(context, "a");
      const known = Object.fromEntries(resources.map((one) => [one.name, one.version]));
      const stream = open();
      stream.send("CDS", { subscribe: ["*"], known: { [name("c")]: "old" } });
      await gather(stream, "CDS", { present: [name("c")] });
      stream.send(type, { subscribe: [name("a")], known });
      await gather(stream, type, { present: [name("a")] });
    },
  },
  ...(["listed", "not listed"] as const).map(
    (how): Case => ({
      statement: "REC-04",
      title: `a name that is gone and asked for, ${how}: removed, and nothing is made of it`,
      variants: deltaVariants,
      types: ["CDS", "EDS", "LDS", "RDS", "SRDS"],
      needs: ["state"],
      run: async (context) => {
        const { del, open, name, type, quietMs } = context;
        const { resources } = await left(context, "gone");
        await del({ type, name: name("gone") });
        const known = Object.fromEntries(resources.map((one) => [one.name, one.version]));
        const stream = open();
        stream.send(type, { subscribe: [name("gone")], ...(how === "listed" && { known }) });
        await gather(stream, type, { removed: [name("gone")] });
        await stream.quiet(undefined, quietMs);
        // Another client finds nothing of that name.
        const other = open({ node: context.otherNode("-other") });
        other.send(type, { subscribe: [name("gone")] });
        await gather(other, type, { removed: [name("gone")] });
      },
    }),
  ),
];
