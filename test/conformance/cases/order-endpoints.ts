import type { TypeName } from "../../../src/envoy/resource-types.ts";
import { type Case, type CaseContext, ensure, ensureNames } from "../case.ts";
import { describeResponse, type Response } from "../client/response.ts";
import type { XdsStream } from "../client/stream.ts";
import { edsCluster, emptyEndpoints, listenerWithRoutes, type RawResource, resource } from "../resources.ts";
import { adsVariants, allVariants } from "../variants.ts";
import { has } from "./offers.ts";
import { service } from "./order-resources.ts";

/** Nothing but its name in it. */
const isEmpty =
  (name: string) =>
  ({ resources }: Response): boolean =>
    resources.some((one) => one.name === name && (one.body?.length ?? 0) <= Buffer.byteLength(name) + 4);

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

/** Who names whom: a cluster its endpoints, a listener its route table. */
const pairs: Readonly<Partial<Record<TypeName, (name: string) => readonly [RawResource, RawResource]>>> = {
  EDS: (name) => [edsCluster(name), resource("EDS", name)],
  RDS: (name) => [listenerWithRoutes(name, name), resource("RDS", name)],
};

type Step = "the user" | "what it names" | "the change";

const orders: readonly (readonly Step[])[] = [
  ["the user", "what it names", "the change"],
  ["the user", "the change", "what it names"],
  ["what it names", "the user", "the change"],
  ["what it names", "the change", "the user"],
  ["the change", "the user", "what it names"],
  ["the change", "what it names", "the user"],
];

/** Goes on until all these came and nothing comes any more; acknowledges everything, if nobody else does. */
async function untilAtRest(
  stream: XdsStream,
  { quietMs, withinMs }: Pick<CaseContext, "quietMs" | "withinMs">,
  wanted: readonly ((response: Response) => boolean)[],
  isAcked = false,
): Promise<void> {
  let answered = 0;
  const deadline = performance.now() + withinMs;
  while (performance.now() < deadline) {
    for (; answered < stream.received.length; answered++) {
      const response = stream.received[answered];
      if (response !== undefined && !isAcked) stream.ack(response);
    }
    stream.forget();
    const isQuiet = await stream.quiet(undefined, quietMs).then(
      () => true,
      () => false,
    );
    if (isQuiet && wanted.every((one) => stream.received.some(one))) return;
  }
  throw new Error(`what was asked for did not come, or too much: ${stream.received.map(describeResponse).join("; ")}`);
}

const interleavings: readonly Case[] = [
  ...orders.flatMap((order) =>
    [true, false].map(
      (early): Case => ({
        statement: "ORD-06",
        title: `${order.join(", ")}; ACKs ${early ? "at once" : "at the end"}`,
        variants: adsVariants,
        types: ["EDS", "RDS"],
        needs: ["state"],
        run: async (context) => {
          const { put, open, name, type } = context;
          const [before, pair] = [pairs[type]?.(name("b")), pairs[type]?.(name("a"))];
          ensure(before !== undefined && pair !== undefined, "no such pair");
          const [user, used] = pair;
          await put(...before);
          const stream = open({ autoAck: early });
          for (const step of order) {
            if (step === "the change") {
              await put(...pair);
              continue;
            }
            const asked = step === "the user" ? user.type : used.type;
            stream.ask(asked, [name("a"), name("b")]);
            await stream.expect(asked, has(name("b")));
          }
          const isThere =
            ({ type: wanted }: RawResource) =>
            (response: Response): boolean =>
              response.type === wanted && has(name("a"))(response) && !isEmpty(name("a"))(response);
          await untilAtRest(stream, context, pair.map(isThere), early);
          // Who had asked for both before the change gets the user first.
          const first = stream.received.find((response) => pair.some((one) => isThere(one)(response)));
          if (order[2] === "the change") ensure(first?.type === user.type, `${first?.type} came first`);
        },
      }),
    ),
  ),
  {
    statement: "ORD-06",
    title: "endpoints never overtake their cluster that waits for an ACK",
    variants: adsVariants,
    types: ["EDS"],
    needs: ["state", "short-times"],
    run: async (context) => {
      const { put, open, name } = context;
      const [a, b] = [name("a"), name("b")] as const;
      await put(...service(a));
      const stream = open();
      stream.ask("CDS");
      await stream.expect("CDS");
      stream.ask("EDS", [a, b]);
      await stream.accept("EDS");
      // The first answer is still unacknowledged.
      await put(...service(b), resource("EDS", a, 2));
      await stream.accept("EDS", (response) => has(a)(response));
      const isThere = (type: TypeName) => (response: Response) =>
        response.type === type && has(b)(response) && !isEmpty(b)(response);
      await untilAtRest(stream, context, [isThere("CDS"), isThere("EDS")]);
      const [cluster, endpoints] = [stream.received.find(isThere("CDS")), stream.received.find(isThere("EDS"))];
      ensure(
        cluster !== undefined && endpoints !== undefined && cluster.index < endpoints.index,
        "the endpoints came before their cluster",
      );
    },
  },
  {
    statement: "ORD-06",
    title: "after a reconnect what is named may be asked for first",
    variants: adsVariants,
    types: ["EDS", "RDS"],
    needs: ["state"],
    run: async (context) => {
      const { put, open, name, type, variant } = context;
      const pair = pairs[type]?.(name("a"));
      ensure(pair !== undefined, "no such pair");
      const [user, used] = pair;
      await put(...pair);
      const before = open();
      before.ask(user.type);
      const users = await before.accept(user.type);
      before.ask(used.type, [name("a")]);
      const things = await before.accept(used.type);
      before.cancel();
      const stream = open({ autoAck: true });
      const knowing = ({ version, resources }: Response) =>
        variant.wire === "sotw"
          ? { version }
          : { known: Object.fromEntries(resources.map((one) => [one.name, one.version])) };
      stream.ask(used.type, [name("a")], knowing(things));
      if (type === "EDS") await stream.expect("EDS", has(name("a")));
      stream.ask(user.type, [], knowing(users));
      await stream.expect(user.type);
      // A listed and equal one need not come again; a change comes.
      await put(...(type === "EDS" ? service(name("a"), 2) : [resource("RDS", name("a"), 2)]));
      const isNew = (response: Response): boolean =>
        response.type === type && response.version !== things.version && has(name("a"))(response);
      await untilAtRest(stream, context, [isNew], true);
    },
  },
  {
    statement: "ORD-06",
    title: "a new route name is answered when asked for, and brings no others again",
    variants: adsVariants,
    types: ["RDS"],
    needs: ["state"],
    run: async ({ put, open, name, quietMs }) => {
      const [r1, r2] = [name("r1"), name("r2")] as const;
      await put(resource("RDS", r1), resource("RDS", r2), listenerWithRoutes(name("l"), r1));
      const stream = open();
      stream.ask("LDS");
      await stream.accept("LDS");
      stream.ask("RDS", [r1]);
      const { version, nonce } = await stream.accept("RDS");
      stream.ask("RDS", [r1, r2], stream.variant.wire === "sotw" ? { version, nonce } : {});
      const second = await stream.accept("RDS");
      ensureNames(
        second.resources.map((one) => one.name),
        [r2],
        "the second answer",
      );
      await stream.quiet(undefined, quietMs);
    },
  },
];

export const orderEndpointCases: readonly Case[] = [...again, ...answered, ...interleavings];
