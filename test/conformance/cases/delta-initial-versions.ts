import { resourceType, type TypeName } from "../../../src/envoy/resource-types.ts";
import { type Case, type CaseContext, ensure, ensureNames } from "../case.ts";
import { edsCluster, resource } from "../resources.ts";
import { allTypes, deltaVariants, wildcardTypes } from "../variants.ts";
import { gather, namesIn, versionsIn } from "./gather.ts";
import { leftClusters, openBoth, type Versions } from "./returning.ts";

/** What is asked for on both streams: everything where the type can, else the names. */
const asked = (type: TypeName, names: readonly string[]): readonly string[] =>
  resourceType(type).wildcard ? ["*"] : names;

/** A stream gets these, accepts them and is gone; what a client then knows. */
async function left(context: CaseContext, ...names: readonly string[]): Promise<Versions> {
  const { put, open, type } = context;
  await put(...names.map((one) => resource(type, one)));
  const stream = open();
  stream.send(type, { subscribe: asked(type, names) });
  const { responses } = await gather(stream, type, { present: names });
  stream.halfClose();
  await stream.status();
  return Object.assign({}, ...responses.map(versionsIn));
}

/** Types for which a removal is what says that a name is gone. */
const removedTypes: readonly TypeName[] = ["LDS", "RDS", "CDS", "EDS", "SRDS"];

/** What a client that comes back lists, and what that brings. */
export const initialVersionCases: readonly Case[] = [
  {
    statement: "DEL-10",
    title: "what differs is sent, and what is gone is removed",
    variants: deltaVariants,
    types: removedTypes,
    needs: ["state"],
    run: async (context) => {
      const { change, open, name, type } = context;
      const [a, b, c] = [name("a"), name("b"), name("c")];
      const known = await left(context, a, b, c);
      await change([resource(type, b, 2)], [{ type, name: c }]);
      const stream = open();
      stream.send(type, { subscribe: asked(type, [a, b, c]), known });
      const { resources } = await gather(stream, type, { present: [b], removed: [c] });
      ensure(resources.get(b)?.version !== known[b], "the version did not change with the content");
    },
  },
  {
    statement: "DEL-10",
    title: "what differs is sent, of a type with an answer of its own for what is gone",
    variants: deltaVariants,
    types: allTypes.filter((type) => !removedTypes.includes(type)),
    needs: ["state"],
    run: async (context) => {
      const { put, open, name, type } = context;
      const [a, b] = [name("a"), name("b")];
      const known = await left(context, a, b);
      await put(resource(type, b, 2));
      const stream = open();
      stream.send(type, { subscribe: [a, b], known });
      const { resources } = await gather(stream, type, { present: [b] });
      ensure(resources.get(b)?.version !== known[b], "the version did not change with the content");
    },
  },
  {
    statement: "DEL-10",
    title:
      "a version that never was is an old one: the resource is sent; a name that never was, and is covered, is removed",
    variants: deltaVariants,
    types: removedTypes,
    needs: ["state"],
    run: async (context) => {
      const { put, open, name, type } = context;
      const [a, c] = [name("a"), name("c")];
      await put(resource(type, a));
      const stream = open();
      stream.send(type, { subscribe: asked(type, [a, c]), known: { [a]: "never-was", [c]: "1" } });
      await gather(stream, type, { present: [a], removed: [c] });
    },
  },
  {
    statement: "DEL-10",
    title: "what is equal is not sent again, and follows later changes",
    variants: deltaVariants,
    types: ["LDS", "CDS", "SRDS", "RDS"],
    needs: ["state"],
    run: async (context) => {
      const { put, open, name, type, quietMs } = context;
      const [a, b] = [name("a"), name("b")];
      const known = await left(context, a, b);
      const stream = open({ autoAck: true });
      stream.send(type, { subscribe: asked(type, [a, b]), known });
      await stream
        .expect(type, ({ resources }) => resources.length > 0, quietMs)
        .then(
          (response) => {
            throw new Error(`sent again: ${namesIn(response).join(", ")}`);
          },
          () => {},
        );
      await put(resource(type, a, 2));
      ensureNames(
        namesIn(await stream.expect(type, ({ resources }) => resources.length > 0)),
        [a],
        "what came after the change",
      );
    },
  },
  {
    statement: "DEL-10",
    title: "endpoints in their present version, of clusters in theirs, are not sent again",
    variants: ["ads-delta"],
    types: ["EDS"],
    needs: ["state"],
    run: async (context) => {
      const { put, name, quietMs } = context;
      const names = ["a", "b"].map(name);
      const { clusters, endpoints } = await leftClusters(context, names);
      const { CDS, EDS } = openBoth(context);
      CDS.send("CDS", { subscribe: ["*"], known: clusters });
      ensureNames(namesIn(await CDS.accept("CDS")), [], "clusters that were sent again");
      EDS.send("EDS", { subscribe: names, known: endpoints });
      await EDS.quiet(undefined, quietMs);
      await put(resource("EDS", name("a"), 2));
      ensureNames(namesIn(await EDS.accept("EDS")), [name("a")], "endpoints");
    },
  },
  {
    statement: "DEL-10",
    title: "a change of a cluster was half applied: its endpoints are sent, though they have not changed",
    variants: deltaVariants,
    types: ["EDS"],
    needs: ["state"],
    run: async (context) => {
      const { put, name } = context;
      const names = ["a", "b"].map(name);
      const { clusters, endpoints } = await leftClusters(context, names);
      await put(edsCluster(name("a"), { revision: 2 }));
      // The stream that brought the cluster is gone before its endpoints are.
      const between = openBoth(context);
      between.CDS.send("CDS", { subscribe: ["*"], known: clusters });
      const { resources } = await gather(between.CDS, "CDS", { present: [name("a")] });
      between.CDS.cancel();
      await between.CDS.status();
      const { CDS, EDS } = openBoth(context);
      const present = Object.fromEntries([...resources].map(([one, { version }]) => [one, version]));
      CDS.send("CDS", { subscribe: ["*"], known: { ...clusters, ...present } });
      await CDS.accept("CDS");
      EDS.send("EDS", { subscribe: names, known: endpoints });
      await gather(EDS, "EDS", { present: [name("a")] });
    },
  },
  {
    statement: "DEL-10",
    title: "a secret is sent again, whatever the version",
    variants: deltaVariants,
    types: ["SDS"],
    needs: ["state"],
    run: async (context) => {
      const { open, name, type } = context;
      const names = ["a", "b"].map(name);
      const known = await left(context, ...names);
      const stream = open();
      stream.send(type, { subscribe: names, known });
      await gather(stream, type, { present: names });
    },
  },
  {
    statement: "DEL-11",
    title: "what is listed and not subscribed is not followed, whether it is there or not",
    variants: deltaVariants,
    types: allTypes,
    needs: ["state"],
    run: async ({ put, del, open, name, type, quietMs }) => {
      const [a, b, c] = [name("a"), name("b"), name("c")];
      await put(resource(type, a), resource(type, b));
      const stream = open();
      stream.send(type, { subscribe: [a], known: { [a]: "1", [b]: "1", [c]: "1" } });
      const told = await stream.accept(type);
      ensureNames([...namesIn(told), ...told.removed], [a], "what was told");
      await stream.quiet(undefined, quietMs);
      await put(resource(type, b, 2), resource(type, c));
      await del({ type, name: b });
      await stream.quiet(undefined, quietMs);
    },
  },
  {
    statement: "DEL-11",
    title: "listed on a second message, versions have no effect",
    variants: deltaVariants,
    types: allTypes,
    needs: ["state"],
    run: async ({ put, open, name, type, quietMs }) => {
      const [a, b] = [name("a"), name("b")];
      await put(resource(type, a), resource(type, b));
      const first = open();
      first.send(type, { subscribe: [a, b] });
      const { resources } = await gather(first, type, { present: [a, b] });
      const version = resources.get(b)?.version ?? "";
      const stream = open();
      stream.send(type, { subscribe: [a] });
      await stream.accept(type);
      // Neither does an old version bring a resource again, nor a present one keep it back.
      stream.send(type, { known: { [a]: "never-was", [b]: version } });
      await stream.quiet(undefined, quietMs);
      stream.send(type, { subscribe: [b], known: { [b]: version } });
      ensureNames(namesIn(await stream.accept(type)), [b], "resources");
      await stream.quiet(undefined, quietMs);
    },
  },
  {
    statement: "DEL-12",
    title: "all versions are equal: the first wildcard request is answered all the same",
    variants: deltaVariants,
    types: wildcardTypes,
    needs: ["state"],
    run: async (context) => {
      const { open, name, type, quietMs } = context;
      const known = await left(context, name("a"), name("b"));
      const stream = open();
      stream.send(type, { subscribe: ["*"], known });
      const { nonce } = await stream.accept(type);
      ensure(nonce !== "", "no nonce");
      await stream.quiet(undefined, quietMs);
    },
  },
];
