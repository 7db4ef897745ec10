import { setTimeout as delay } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { resourceType, type TypeName } from "../../../src/envoy/resource-types.ts";
import { type Case, type CaseContext, ensure } from "../case.ts";
import { encodeRequest } from "../client/request.ts";
import { resource } from "../resources.ts";
import { adsVariants, allVariants } from "../variants.ts";
import { has, offered } from "./offers.ts";
import { scale } from "./scale.ts";

/** How a stream may end that asks for too much, or for nonsense. */
const refusals: ReadonlySet<number> = new Set([
  status.INVALID_ARGUMENT,
  status.RESOURCE_EXHAUSTED,
  status.INTERNAL,
  status.UNAVAILABLE,
  status.DEADLINE_EXCEEDED,
]);

/** Megabytes of names are work for both sides. Milliseconds. */
const largeRequestMs = 30_000;

/** Whatever was tried: others are served. */
async function othersAreServed({ open, connect, otherNode, type }: CaseContext): Promise<void> {
  const stream = open({ connection: connect(), node: otherNode("-after") });
  const asked: TypeName = resourceType(type).wildcard ? type : "CDS";
  stream.ask(asked, ["*"]);
  await stream.accept(asked);
  stream.cancel();
}

/** A request of every stream that is too much by itself, with how it is refused. */
const tooMuch: readonly {
  readonly title: string;
  readonly names: () => readonly string[];
  readonly code: number;
}[] = [
  {
    title: "110 000 names in a request: INVALID_ARGUMENT",
    names: () => Array.from({ length: 110_000 }, (_, index) => `n${index}`),
    code: status.INVALID_ARGUMENT,
  },
  {
    title: "a name of 100 000 characters: INVALID_ARGUMENT",
    names: () => ["n".repeat(100_000)],
    code: status.INVALID_ARGUMENT,
  },
  {
    title: "a request of 17 MiB: RESOURCE_EXHAUSTED",
    names: () => Array.from({ length: 17 * 256 }, (_, index) => `${index}${"n".repeat(4_092)}`),
    code: status.RESOURCE_EXHAUSTED,
  },
];

/** Numbers that look random and are the same each time: xorshift of 32 bits. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

function mutated(bytes: Uint8Array, next: () => number): Buffer {
  const copy = Buffer.from(bytes);
  for (let changes = 1 + (next() % 4); changes > 0; changes--) copy[next() % copy.length] = next() % 256;
  return next() % 4 === 0 ? copy.subarray(0, next() % copy.length) : copy;
}

export const limitCases: readonly Case[] = [
  ...tooMuch.map(
    ({ title, names, code: wanted }): Case => ({
      statement: "AUT-05",
      title,
      variants: ["ads-sotw", "single-delta"],
      types: ["CDS"],
      heavy: true,
      needs: [],
      except: { "final-state": "the server may have anything" },
      run: async (context) => {
        const stream = context.open();
        stream.ask(context.type, names());
        const { code, details } = await stream.status(largeRequestMs);
        ensure(code === wanted, `the stream ended with ${code} (${details})`);
        ensure(stream.received.length === 0, "a response came before the refusal");
        await othersAreServed(context);
      },
    }),
  ),
  {
    statement: "AUT-05",
    title: "200 types that nobody knows: the stream goes on",
    variants: adsVariants,
    types: ["CDS"],
    needs: ["state"],
    run: async ({ put, open, name, type }) => {
      await put(resource(type, name("a")));
      const stream = open();
      for (let index = 0; index < 200; index++)
        stream.send(undefined, { typeUrl: `type.googleapis.com/foo.Bar${index}` });
      stream.ask(type, [name("a")]);
      await stream.accept(type, has(name("a")));
    },
  },
  {
    statement: "AUT-05",
    title: "a flood of requests delays nobody else, and does not end the process",
    variants: allVariants,
    types: ["CDS"],
    heavy: true,
    needs: ["state"],
    except: {
      names: "it asks for something else while an answer is on its way",
      "full-set": "it asks for something else while an answer is on its way",
      superfluous: "it drops and takes up the same names again and again",
    },
    run: async (context) => {
      const { put, open, connect, otherNode, name, type } = context;
      await put(resource(type, name("a")), resource(type, name("b")));
      const other = open({ connection: connect(), node: otherNode("-other") });
      other.ask(type, [name("a")]);
      await other.accept(type);
      const flood = open();
      for (let index = 0; index < scale.hostileRequests; index++) flood.ask(type, [name(index % 2 === 0 ? "a" : "b")]);
      for (let revision = 2; revision <= 4; revision++) {
        await put(resource(type, name("a"), revision));
        await other.accept(type);
      }
      if (flood.ended) {
        const { code, details } = await flood.status();
        ensure(refusals.has(code), `the flood ended with ${code} (${details})`);
      }
      flood.cancel();
      await othersAreServed(context);
    },
  },
  {
    statement: "AUT-05",
    title:
      "more streams of one node than the limit: RESOURCE_EXHAUSTED; other nodes are served, and it is when one has ended",
    variants: allVariants,
    types: ["CDS"],
    needs: ["state", "limits", "gauges"],
    limits: { streamsPerNode: 5 },
    run: async (context) => {
      const { put, open, otherNode, name, type, server, until } = context;
      const a = name("a");
      await put(resource(type, a));
      const streams = Array.from({ length: 5 }, () => open());
      for (const stream of streams) {
        stream.ask(type, [a]);
        await stream.accept(type);
      }
      const refused = open();
      refused.ask(type, [a]);
      const { code, details } = await refused.status();
      ensure(code === status.RESOURCE_EXHAUSTED, `the sixth stream ended with ${code} (${details})`);
      ensure(refused.received.length === 0, "a response came before the refusal");
      const other = open({ node: otherNode("-other") });
      other.ask(type, [a]);
      await other.accept(type);
      streams[0]?.cancel();
      await until("one stream less", async () => (await server.stats()).streams === 5);
      const next = open();
      next.ask(type, [a]);
      await next.accept(type);
    },
  },
  {
    statement: "AUT-05",
    title: "a stream that says nothing: DEADLINE_EXCEEDED",
    variants: allVariants,
    types: ["CDS"],
    needs: ["limits"],
    limits: { firstRequestMs: 200 },
    run: async ({ open }) => {
      const { code, details } = await open().status();
      ensure(code === status.DEADLINE_EXCEEDED, `the stream ended with ${code} (${details})`);
    },
  },
  {
    statement: "AUT-05",
    title: "a NACK with a text of a megabyte: what is kept of it is short",
    variants: allVariants,
    types: ["CDS"],
    heavy: true,
    needs: ["state", "receipts"],
    run: async (context) => {
      const { server, node, type, name, until, put } = context;
      const { stream, response } = await offered(context, "a");
      stream.nack(response, "e".repeat(1_000_000));
      const receipt = await until("the refusal", async () => {
        const found = await server.receipt(node.id, type, name("a"));
        return found?.status === "refused" ? found : undefined;
      });
      const kept = receipt.reason?.length ?? 0;
      ensure(kept > 0 && kept <= 5_000, `${kept} characters are kept`);
      await put(resource(type, name("a"), 2));
      await stream.accept(type);
    },
  },
  {
    statement: "AUT-05",
    title: "requests with some bytes changed: each stream goes on or ends with a status for it, and others are served",
    variants: allVariants,
    types: ["CDS"],
    heavy: true,
    needs: [],
    except: {
      types: "nobody knows what was asked for",
      names: "nobody knows what was asked for",
      "full-set": "nobody knows what was asked for",
      superfluous: "nobody knows what was asked for",
      references: "nobody knows what was asked for",
      "final-state": "nobody knows what was asked for",
    },
    run: async (context) => {
      const { open, node, type, variant, quietMs } = context;
      const { url: typeUrl } = resourceType(type);
      const names = [context.name("a"), context.name("b")];
      const asked = variant.wire === "sotw" ? { names } : { subscribe: names, known: { [names[0] ?? ""]: "1" } };
      const request = encodeRequest(variant.wire, { typeUrl, node, ...asked });
      const next = randomNumbers(0x5eed);
      const streams = Array.from({ length: scale.mutants }, () => {
        const stream = open();
        stream.sendBytes(mutated(request, next));
        return stream;
      });
      await delay(quietMs);
      await othersAreServed(context);
      for (const stream of streams) {
        if (!stream.ended) continue;
        const { code, details } = await stream.status();
        ensure(refusals.has(code), `a stream ended with ${code} (${details})`);
      }
    },
  },
];
