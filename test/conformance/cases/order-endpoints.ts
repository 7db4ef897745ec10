import { type Case, type CaseContext, ensure } from "../case.ts";
import type { XdsStream } from "../client/stream.ts";
import { edsCluster, emptyEndpoints, resource } from "../resources.ts";
import { adsVariants, allVariants } from "../variants.ts";
import { has, isEmpty } from "./offers.ts";
import { service } from "./order-resources.ts";

/** Clusters by wildcard, and the endpoints of both, all accepted. */
async function twoClusters({ put, open, quietMs }: CaseContext, a: string, b: string): Promise<XdsStream> {
  await put(...service(a), ...service(b));
  const stream = open();
  stream.ask("CDS");
  await stream.accept("CDS");
  stream.ask("EDS", [a, b]);
  await stream.accept("EDS");
  await stream.quiet(undefined, quietMs);
  return stream;
}

const again: readonly Case[] = [
  {
    statement: "ORD-04",
    title: "a changed cluster is followed by its endpoints, though they are the same",
    variants: adsVariants,
    types: ["EDS"],
    needs: ["state"],
    run: async (context) => {
      const [a, b] = [context.name("a"), context.name("b")] as const;
      const stream = await twoClusters(context, a, b);
      const nonces = new Set(stream.received.map(({ nonce }) => nonce));
      await context.put(edsCluster(a, { revision: 2 }));
      const clusters = await stream.accept("CDS", has(a));
      const endpoints = await stream.accept("EDS", has(a));
      ensure(clusters.index < endpoints.index, "the endpoints came before their cluster");
      ensure(!nonces.has(endpoints.nonce), "the nonce is an old one");
      await stream.quiet(undefined, context.quietMs);
    },
  },
  {
    statement: "ORD-04",
    title: "both changed: both are followed by theirs",
    variants: adsVariants,
    types: ["EDS"],
    needs: ["state"],
    run: async (context) => {
      const [a, b] = [context.name("a"), context.name("b")] as const;
      const stream = await twoClusters(context, a, b);
      await context.put(edsCluster(a, { revision: 2 }), edsCluster(b, { revision: 2 }));
      await stream.accept("CDS");
      const wanted = new Set([a, b]);
      while (wanted.size > 0) {
        for (const { name } of (await stream.accept("EDS")).resources) wanted.delete(name);
      }
    },
  },
  {
    statement: "ORD-04",
    title: "clusters that are asked for by name are followed as well",
    variants: adsVariants,
    types: ["EDS"],
    needs: ["state"],
    run: async ({ put, open, name }) => {
      const a = name("a");
      await put(...service(a));
      const stream = open();
      stream.ask("CDS", [a]);
      await stream.accept("CDS");
      stream.ask("EDS", [a]);
      await stream.accept("EDS");
      await put(edsCluster(a, { revision: 2 }));
      await stream.accept("CDS", has(a));
      await stream.accept("EDS", has(a));
    },
  },
  {
    statement: "ORD-04",
    title: "the name that counts is the cluster's service_name, where it has one",
    variants: adsVariants,
    types: ["EDS"],
    needs: ["state"],
    run: async ({ put, open, name }) => {
      const [a, s] = [name("a"), name("s")] as const;
      await put(edsCluster(a, { serviceName: s }), resource("EDS", s));
      const stream = open();
      stream.ask("CDS");
      await stream.accept("CDS");
      stream.ask("EDS", [s]);
      await stream.accept("EDS");
      await put(edsCluster(a, { serviceName: s, revision: 2 }));
      await stream.accept("CDS");
      await stream.accept("EDS", has(s));
    },
  },
  {
    statement: "ORD-04",
    title: "a cluster that was removed and came back is followed by its endpoints",
    variants: adsVariants,
    types: ["EDS"],
    needs: ["state"],
    except: { superfluous: "a version of endpoints that covers their cluster changes when that leaves" },
    run: async ({ put, del, open, name }) => {
      const [a, b] = [name("a"), name("b")] as const;
      await put(...service(a), ...service(b));
      const stream = open();
      stream.ask("CDS");
      await stream.accept("CDS");
      stream.ask("EDS", [a, b]);
      await stream.accept("EDS");
      await del({ type: "CDS", name: a });
      await stream.accept("CDS", ({ removed, resources }) =>
        stream.variant.wire === "delta" ? removed.includes(a) : !resources.some((one) => one.name === a),
      );
      await put(edsCluster(a));
      const { index } = await stream.accept("CDS", has(a));
      await stream.accept("EDS", (response) => response.index > index && has(a)(response));
    },
  },
  {
    statement: "ORD-04",
    title: "endpoints that were asked for before their cluster come again behind it",
    variants: adsVariants,
    types: ["EDS"],
    needs: ["state"],
    run: async ({ put, open, name }) => {
      const a = name("a");
      await put(...service(a));
      const stream = open();
      stream.ask("EDS", [a]);
      await stream.accept("EDS", has(a));
      stream.ask("CDS");
      await stream.accept("CDS", has(a));
      await stream.accept("EDS", has(a));
    },
  },
];

const answered: readonly Case[] = [
  {
    statement: "ORD-05",
    title: "a service without endpoints: an assignment without endpoints",
    variants: allVariants,
    types: ["EDS"],
    needs: ["state"],
    run: async ({ put, open, name }) => {
      await put(edsCluster(name("a")), emptyEndpoints(name("a")));
      const stream = open();
      stream.ask("EDS", [name("a")]);
      await stream.accept("EDS", isEmpty(name("a")));
    },
  },
  ...[
    { title: "an unknown name is answered: empty, or as removed", known: false },
    { title: "known and unknown names in one request are all answered", known: true },
  ].map(
    ({ title, known }): Case => ({
      statement: "ORD-05",
      title,
      variants: allVariants,
      types: ["EDS"],
      needs: ["state"],
      run: async ({ put, open, name, variant }) => {
        const [a, nope] = [name("a"), name("nope")] as const;
        await put(...service(a));
        const stream = open();
        stream.ask("EDS", known ? [a, nope] : [nope]);
        const wanted = new Set(known ? [a, nope] : [nope]);
        while (wanted.size > 0) {
          const response = await stream.accept("EDS");
          for (const one of response.resources) wanted.delete(one.name);
          for (const one of response.removed) wanted.delete(one);
          const isRight =
            variant.wire === "delta" ? !has(nope)(response) : !has(nope)(response) || isEmpty(nope)(response);
          ensure(isRight, `${nope} was answered with something in it`);
        }
      },
    }),
  ),
  {
    statement: "ORD-05",
    title: "a name that was unknown comes when it is there",
    variants: allVariants,
    types: ["EDS"],
    needs: ["state"],
    run: async ({ put, open, name }) => {
      const stream = open();
      stream.ask("EDS", [name("a")]);
      await stream.accept("EDS");
      await put(...service(name("a")));
      await stream.accept("EDS", (response) => has(name("a"))(response) && !isEmpty(name("a"))(response));
    },
  },
  {
    statement: "ORD-05",
    title: "a cluster of whose endpoints nothing is known: the name is answered",
    variants: allVariants,
    types: ["EDS"],
    needs: ["state"],
    run: async ({ put, open, name }) => {
      await put(edsCluster(name("a")));
      const stream = open();
      stream.ask("EDS", [name("a")]);
      await stream.accept("EDS", (response) => isEmpty(name("a"))(response) || response.removed.includes(name("a")));
    },
  },
  {
    statement: "ORD-05",
    title: "nothing is answered before the first state is complete",
    variants: allVariants,
    types: ["EDS"],
    needs: ["state", "hold"],
    held: true,
    run: async ({ put, open, name, server, quietMs }) => {
      await put(...service(name("a")));
      const stream = open();
      stream.ask("EDS", [name("a"), name("b")]);
      await stream.quiet(undefined, quietMs);
      await server.release();
      await stream.accept("EDS", (response) => has(name("a"))(response) && !isEmpty(name("a"))(response));
    },
  },
];

export const orderEndpointCases: readonly Case[] = [...again, ...answered];
