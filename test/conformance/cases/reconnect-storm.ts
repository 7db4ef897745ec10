import { status } from "@grpc/grpc-js";
import { type Case, type CaseContext, ensure, ensureNames } from "../case.ts";
import type { Connection } from "../client/connection.ts";
import type { XdsStream } from "../client/stream.ts";
import { resource } from "../resources.ts";
import { allVariants } from "../variants.ts";
import { namesIn } from "./gather.ts";
import { accepted } from "./offers.ts";

/** Streams that come at once; `FAIRWAY_STORM_STREAMS` for the long form. */
const count = Number(process.env["FAIRWAY_STORM_STREAMS"] ?? 200);
const connectionCount = Math.ceil(count / 50);

interface Storm {
  /** So far. */
  readonly answered: () => number;
  /** One was answered. */
  readonly begun: Promise<void>;
  /** When each was answered or refused: how many were refused. Rejects when one was left without either, or fell otherwise. */
  readonly over: Promise<{ readonly refused: number }>;
}

/** New streams, all at once, each with a node of its own, that ask for one resource. */
function storm(context: CaseContext, connections: readonly Connection[], size: number): Storm {
  const { open, otherNode, name, type } = context;
  // Bounded, but by the size of the storm.
  const waitMs = context.withinMs * Math.max(1, size / 200);
  const begun = Promise.withResolvers<void>();
  let answered = 0;
  const settle = async (stream: XdsStream): Promise<"answered" | "refused"> => {
    try {
      const first = await stream.expect(type, () => true, waitMs);
      stream.ack(first);
      ensureNames(namesIn(first), [name("a")], "the first answer");
      answered++;
      begun.resolve();
      return "answered";
    } catch (error) {
      if (!stream.ended || stream.received.length > 0) throw error;
      const { code, details } = await stream.status();
      const refused = code === status.RESOURCE_EXHAUSTED || code === status.UNAVAILABLE;
      ensure(refused, `a stream ended with ${code} (${details})`);
      return "refused";
    }
  };
  const streams = Array.from({ length: size }, (_, index) => {
    const connection = connections[index % connections.length];
    return open({ node: otherNode(`-${index}`), ...(connection && { connection }) });
  });
  for (const stream of streams) stream.ask(type, [name("a")]);
  const over = Promise.all(streams.map(settle)).then((ends) => ({
    refused: ends.filter((end) => end === "refused").length,
  }));
  // It is awaited later, and may fail before.
  over.catch(() => {});
  return { answered: () => answered, begun: begun.promise, over };
}

export const stormCases: readonly Case[] = [
  {
    statement: "REC-03",
    title:
      "many streams at once: each is answered, or refused before any response; a stream that stands gets its updates",
    variants: allVariants,
    types: ["CDS"],
    needs: ["state"],
    run: async (context) => {
      const { put, connect, name, type } = context;
      const { stream } = await accepted(context, "a", "own");
      const newcomers = storm(
        context,
        Array.from({ length: connectionCount }, () => connect()),
        count,
      );
      for (const revision of [2, 3, 4]) {
        await put(resource(type, name("own"), revision));
        await stream.accept(type);
      }
      await newcomers.over;
    },
  },
  {
    statement: "REC-03",
    title:
      "more streams than may wait: the others are refused and come again until all are in; a stream that stands is served first",
    variants: allVariants,
    types: ["CDS"],
    needs: ["state", "crowd"],
    crowd: true,
    run: async (context) => {
      const { put, connect, name, type } = context;
      const { stream } = await accepted(context, "a", "own");
      const connections = Array.from({ length: connectionCount }, () => connect());
      const first = storm(context, connections, count);
      await Promise.race([first.begun, first.over]);
      const before = first.answered();
      await put(resource(type, name("own"), 2));
      await stream.accept(type);
      const meanwhile = first.answered() - before;
      ensure(meanwhile < 50, `${meanwhile} newcomers were answered before the stream that stands`);
      let { refused } = await first.over;
      ensure(refused > 0, `${count} streams were let in at once, or waited`);
      ensure(refused < count, "none was let in");
      while (refused > 0) {
        const left = refused;
        ({ refused } = await storm(context, connections, left).over);
        ensure(refused < left, `none of ${left} that came again was let in`);
      }
    },
  },
];
