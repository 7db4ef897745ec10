import { setTimeout as delay } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { resourceType, type TypeName } from "../../../src/envoy/resource-types.ts";
import { type Case, type CaseContext, ensure, ensureNames } from "../case.ts";
import type { XdsStream } from "../client/stream.ts";
import { resource } from "../resources.ts";
import { adsVariants, allTypes, allVariants } from "../variants.ts";

const oneType: readonly TypeName[] = ["CDS"];

/** Which type stands beside another one on the same stream. */
const beside = (type: TypeName): TypeName => (type === "CDS" ? "EDS" : "CDS");

/** Asks for one resource that was put, accepts it, and is at rest. */
async function atRest({ put, open, name, type, quietMs }: CaseContext, stream?: XdsStream): Promise<XdsStream> {
  const a = name("a");
  await put(resource(type, a));
  const opened = stream ?? open();
  opened.ask(type, [a]);
  await opened.accept(type, ({ resources }) => resources.some((one) => one.name === a));
  await opened.quiet(type, quietMs);
  return opened;
}

export const lifecycleCases: readonly Case[] = [
  {
    statement: "STR-01",
    title: "requests after the first need no node",
    variants: adsVariants,
    types: allTypes,
    needs: ["state"],
    run: async ({ put, open, name, type }) => {
      const [a, b] = [name("a"), name("b")];
      await put(resource(type, a), resource(beside(type), b));
      const stream = open();
      stream.ask(type, [a]);
      await stream.accept(type);
      stream.ask(beside(type), [b], { node: null });
      ensureNames(
        (await stream.accept(beside(type))).resources.map((one) => one.name),
        [b],
        "the second type",
      );
    },
  },
  {
    statement: "STR-01",
    title: "the same node may come with every request",
    variants: allVariants,
    types: oneType,
    needs: [],
    run: async ({ open, node, type, quietMs }) => {
      const stream = open();
      stream.ask(type, [], { node });
      const first = await stream.expect(type);
      stream.ask(type, [], { node, nonce: first.nonce, version: first.version });
      await stream.quiet(type, quietMs);
    },
  },
  {
    statement: "STR-01",
    title: "another node later changes nothing, and is counted",
    variants: allVariants,
    types: oneType,
    needs: ["state", "counters"],
    run: async (context) => {
      const { server, otherNode, type, name, put, until } = context;
      const stream = await atRest(context);
      const before = (await server.stats()).nodeChanges;
      stream.ask(type, [name("a"), name("b")], { node: otherNode("-other") });
      await put(resource(type, name("b")));
      await stream.accept(type, ({ resources }) => resources.some((one) => one.name === name("b")));
      await until("one more change of node", async () => (await server.stats()).nodeChanges === before + 1);
    },
  },
  ...[
    { title: "no node", node: null },
    { title: "an empty node.id", node: { id: "" } },
  ].map(
    ({ title, node }): Case => ({
      statement: "STR-02",
      title: `${title} in the first request: INVALID_ARGUMENT, and the next stream works`,
      variants: allVariants,
      types: allTypes,
      needs: [],
      except: { "final-state": "the server may have anything, and nothing is accepted here" },
      run: async ({ open, type, variant, quietMs }) => {
        const refused = open();
        refused.ask(type, [], { node });
        const { code, details } = await refused.status();
        ensure(code === status.INVALID_ARGUMENT, `the stream ended with ${code} (${details})`);
        ensure(/node/i.test(details), `the text does not say that it is about the node: ${details}`);
        ensure(refused.received.length === 0, "a response came before the refusal");
        const next = open();
        if (variant.ads || resourceType(type).wildcard) {
          const asked = variant.ads ? "CDS" : type;
          next.ask(asked);
          await next.accept(asked);
        } else {
          // Whether a name that nobody has is answered is another statement's business.
          next.ask(type, ["nobody-has-this"]);
          await delay(quietMs);
          ensure(!next.ended, "the next stream ended");
        }
      },
    }),
  ),
  {
    statement: "STR-03",
    title: "a nonce of another type acknowledges nothing",
    variants: adsVariants,
    types: ["LDS"],
    needs: ["state", "receipts"],
    run: async ({ server, put, open, name, node, until, quietMs }) => {
      await put(resource("CDS", name("c")), resource("LDS", name("l")));
      const stream = open();
      stream.ask("CDS", [name("c")]);
      const clusters = await stream.expect("CDS");
      stream.ask("LDS", [name("l")]);
      const listeners = await stream.expect("LDS");
      stream.ask("LDS", [name("l")], { nonce: clusters.nonce, version: clusters.version });
      await stream.quiet(undefined, quietMs);
      for (const [type, short] of [
        ["CDS", "c"],
        ["LDS", "l"],
      ] as const) {
        const receipt = await server.receipt(node.id, type, name(short));
        ensure(receipt?.status === "pending", `${type} is ${receipt?.status}, not pending`);
      }
      stream.ack(clusters);
      stream.ack(listeners);
      await until(
        "both accepted",
        async () => (await server.receipt(node.id, "LDS", name("l")))?.status === "accepted",
      );
    },
  },
  {
    statement: "STR-03",
    title: "a NACK of one type does not stop another",
    variants: adsVariants,
    types: allTypes.filter((type) => type !== "CDS"),
    needs: ["state"],
    run: async ({ put, open, name, type }) => {
      const [c, a] = [name("c"), name("a")];
      await put(resource("CDS", c), resource(type, a));
      const stream = open();
      stream.ask("CDS", [c]);
      stream.nack(await stream.expect("CDS"), "refused by the suite");
      stream.ask(type, [a]);
      await stream.accept(type, ({ resources }) => resources.some((one) => one.name === a));
      await put(resource(type, a, 2));
      await stream.accept(type);
    },
  },
  {
    statement: "STR-04",
    title: "nothing comes before the first request",
    variants: allVariants,
    types: allTypes,
    needs: [],
    run: async ({ open, quietMs }) => {
      const stream = open();
      await stream.quiet(undefined, quietMs);
    },
  },
  {
    statement: "STR-04",
    title: "no type comes that was not asked for",
    variants: adsVariants,
    types: ["LDS", "CDS", "EDS"],
    needs: ["state"],
    run: async (context) => {
      const { put, name, type, quietMs } = context;
      const stream = await atRest(context);
      await put(...allTypes.filter((other) => other !== type).map((other) => resource(other, name(`x/${other}`))));
      await stream.quiet(undefined, quietMs);
    },
  },
  {
    statement: "STR-05",
    title: "types and names agree in every response, and several resources keep theirs",
    variants: allVariants,
    types: allTypes,
    needs: ["state"],
    run: async ({ put, open, name, type }) => {
      const names = ["a", "b", "c"].map(name);
      await put(...names.map((one, index) => resource(type, one, index + 1)));
      const stream = open();
      stream.ask(type, names);
      const { resources, typeUrl } = await stream.accept(type);
      ensure(typeUrl === resourceType(type).url, `the type is ${typeUrl}`);
      ensureNames(
        resources.map((one) => one.name),
        names,
        "names",
      );
    },
  },
  {
    statement: "STR-06",
    title: "an empty type_url on ADS: INVALID_ARGUMENT",
    variants: adsVariants,
    types: oneType,
    needs: [],
    run: async ({ open }) => {
      const stream = open();
      stream.send(undefined);
      const { code, details } = await stream.status();
      ensure(code === status.INVALID_ARGUMENT, `the stream ended with ${code} (${details})`);
    },
  },
  {
    statement: "STR-06",
    title: "an unknown type gets no answer, and the stream goes on",
    variants: adsVariants,
    types: oneType,
    needs: [],
    run: async ({ open, quietMs }) => {
      const stream = open();
      stream.send(undefined, { typeUrl: "type.googleapis.com/foo.Bar" });
      await stream.quiet(undefined, quietMs);
      stream.ask("CDS");
      await stream.accept("CDS");
    },
  },
  ...(
    [
      ["half-closed", (stream: XdsStream) => stream.halfClose()],
      ["reset", (stream: XdsStream) => stream.cancel()],
      ["refused", (stream: XdsStream) => stream.sendBytes(Buffer.from([0xff, 0xff, 0xff]))],
    ] as const
  ).map(
    ([way, end]): Case => ({
      statement: "STR-07",
      title: `20 streams, ${way} in the middle of it: nothing is left`,
      variants: allVariants,
      types: ["CDS", "EDS"],
      needs: ["state", "gauges"],
      run: async ({ put, open, name, type, server, until }) => {
        await put(resource(type, name("a")));
        const streams = Array.from({ length: 20 }, () => open());
        for (const [index, stream] of streams.entries()) {
          stream.ask(type, [name("a")]);
          // Some before the answer, some after.
          if (index % 2 === 0) await stream.expect(type);
          end(stream);
        }
        for (const stream of streams) await stream.status();
        await until("no stream and no watch is left", async () => {
          const { streams: open, watches } = await server.stats();
          return open + watches === 0;
        });
      },
    }),
  ),
  {
    statement: "STR-07",
    title: "connections lost without a word: nothing is left",
    variants: allVariants,
    types: oneType,
    needs: ["state", "gauges"],
    run: async ({ put, open, connect, link, name, type, server, until }) => {
      await put(resource(type, name("a")));
      const wire = await link();
      const streams = Array.from({ length: 5 }, () => open({ connection: connect(wire.address) }));
      for (const stream of streams) {
        stream.ask(type, [name("a")]);
        await stream.expect(type);
      }
      wire.cut();
      for (const stream of streams) await stream.status();
      await until("no stream and no watch is left", async () => {
        const { streams, watches } = await server.stats();
        return streams + watches === 0;
      });
    },
  },
  {
    statement: "STR-07",
    title: "streams refused for their node: nothing is left",
    variants: allVariants,
    types: oneType,
    needs: ["gauges"],
    run: async ({ open, type, server, until }) => {
      const streams = Array.from({ length: 20 }, () => open());
      for (const stream of streams) stream.ask(type, [], { node: null });
      await Promise.all(streams.map((stream) => stream.status()));
      await until("no stream and no watch is left", async () => {
        const { streams: open, watches } = await server.stats();
        return open + watches === 0;
      });
    },
  },
  ...(["older", "newer"] as const).map(
    (closed): Case => ({
      statement: "STR-08",
      title: `two streams of one node; the ${closed} one closes, and the other is still served`,
      variants: allVariants,
      types: allTypes,
      needs: ["state"],
      run: async ({ put, open, name, type }) => {
        const a = name("a");
        await put(resource(type, a));
        const streams = [open(), open()];
        for (const stream of streams) {
          stream.ask(type, [a]);
          await stream.accept(type);
        }
        const [gone, left] = closed === "older" ? streams : streams.toReversed();
        gone?.halfClose();
        await gone?.status();
        await put(resource(type, a, 2));
        await left?.accept(type);
      },
    }),
  ),
  {
    statement: "STR-09",
    title: "silence or UNAVAILABLE until the state is complete, then the whole of it",
    variants: allVariants,
    types: allTypes,
    needs: ["state", "hold"],
    held: true,
    run: async ({ put, open, name, type, server, quietMs }) => {
      const names = ["a", "b", "c"].map(name);
      await put(...names.map((one) => resource(type, one)));
      const stream = open();
      stream.ask(type, names);
      await stream.quiet(undefined, quietMs).catch(async (error: unknown) => {
        const refused = stream.ended && (await stream.status()).code === status.UNAVAILABLE;
        if (!refused || stream.received.length > 0) throw error;
      });
      await server.release();
      const next = stream.ended ? open() : stream;
      if (next !== stream) next.ask(type, names);
      ensureNames(
        (await next.accept(type)).resources.map((one) => one.name),
        names,
        "the first state",
      );
    },
  },
  {
    statement: "STR-10",
    title: "ended by the server after a response: OK",
    variants: allVariants,
    types: oneType,
    needs: ["state", "drain"],
    run: async (context) => {
      const stream = await atRest(context);
      const [{ code, details }] = await Promise.all([stream.status(), context.server.drain(context.withinMs)]);
      ensure(code === status.OK, `the stream ended with ${code} (${details})`);
    },
  },
  {
    statement: "STR-10",
    title: "ended by the server before any response: UNAVAILABLE",
    variants: allVariants,
    types: oneType,
    needs: ["state", "drain", "hold"],
    held: true,
    run: async ({ open, type, server, withinMs, quietMs }) => {
      const stream = open();
      stream.ask(type);
      await stream.quiet(undefined, quietMs);
      const [{ code, details }] = await Promise.all([stream.status(), server.drain(withinMs)]);
      ensure(code === status.UNAVAILABLE, `the stream ended with ${code} (${details})`);
    },
  },
];
