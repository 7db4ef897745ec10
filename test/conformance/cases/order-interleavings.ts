import type { TypeName } from "../../../src/envoy/resource-types.ts";
import { type Case, type CaseContext, ensure, ensureNames } from "../case.ts";
import { describeResponse, type Response } from "../client/response.ts";
import type { XdsStream } from "../client/stream.ts";
import { edsCluster, listenerWithRoutes, type RawResource, resource } from "../resources.ts";
import { adsVariants } from "../variants.ts";
import { has, isEmpty } from "./offers.ts";
import { service } from "./order-resources.ts";

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

/** ORD-06. */
export const orderInterleavingCases: readonly Case[] = [
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
          // Endpoints come again behind their cluster (ORD-04); route tables need not.
          const behind = (response: Response): boolean =>
            isThere(used)(response) && (stream.received.find(isThere(user))?.index ?? Infinity) < response.index;
          const wanted = [...pair.map(isThere), ...(type === "EDS" ? [behind] : [])];
          await untilAtRest(stream, context, wanted, early);
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
