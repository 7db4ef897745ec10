import { setTimeout as delay } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { waitFor } from "../../support/wait-for.ts";
import { type Case, type CaseContext, ensure } from "../case.ts";
import type { XdsStream } from "../client/stream.ts";
import { resource } from "../resources.ts";
import { adsVariants, allVariants } from "../variants.ts";
import { scale } from "./scale.ts";

/** A dead peer is found after a ping's interval and the time for its answer; no target of ours takes longer. Milliseconds. */
const deadPeerMs = 15_000;

/** One client that comes back whenever its stream ends, until it is told to stop; how old its streams became, in milliseconds. */
async function livesOn(context: CaseContext, index: number, stop: () => boolean): Promise<readonly number[]> {
  const { open, connect, otherNode, type, name, withinMs } = context;
  const connection = connect();
  const ages: number[] = [];
  while (!stop()) {
    const stream = open({ connection, node: otherNode(`-${index}`), autoAck: true });
    stream.ask(type, [name("a")]);
    await stream.expect(type);
    const begun = performance.now();
    const { code, details } = await stream.status(withinMs + 2 * scale.ageMs);
    ensure(code === status.OK, `a stream ended with ${code} (${details})`);
    ages.push(performance.now() - begun);
  }
  return ages;
}

export const flowConnectionCases: readonly Case[] = [
  {
    statement: "FLW-04",
    title: "a peer behind a dead network is found out, and nothing is left of it",
    variants: allVariants,
    types: ["CDS"],
    needs: ["state", "gauges", "short-times"],
    run: async ({ put, open, connect, link, name, type, server }) => {
      await put(resource(type, name("a")));
      const wire = await link();
      const stream = open({ connection: connect(wire.address) });
      stream.ask(type, [name("a")]);
      await stream.accept(type);
      wire.freeze();
      const gone = async (): Promise<boolean> => (await server.stats()).streams === 0;
      await waitFor(gone, { withinMs: deadPeerMs, what: "the end of a stream whose peer is dead" });
      stream.cancel();
    },
  },
  {
    statement: "FLW-04",
    title: "a client that pings is not punished",
    variants: ["ads-sotw"],
    types: ["CDS"],
    needs: ["state", "short-times"],
    run: async ({ put, open, connect, name, type, server }) => {
      await put(resource(type, name("a")));
      const stream = open({ connection: connect(server.address, { pingMs: scale.pingMs }) });
      stream.ask(type, [name("a")]);
      await stream.accept(type);
      await stream.quiet(undefined, (scale.pings + 0.5) * scale.pingMs);
      await put(resource(type, name("a"), 2));
      await stream.accept(type);
    },
  },
  {
    statement: "FLW-05",
    title: "at their age streams end with OK, spread; who comes back misses nothing",
    variants: allVariants,
    types: ["CDS"],
    heavy: true,
    needs: ["state", "limits"],
    limits: { connectionAgeMs: scale.ageMs },
    run: async (context) => {
      const { put, open, connect, name, type } = context;
      await put(resource(type, name("a"), 1));
      let stopped = false;
      const lives = Array.from({ length: scale.agingClients }, (_, index) => livesOn(context, index, () => stopped));
      const all = Promise.all(lives);
      // Rejects as soon as one does.
      for (let revision = 2; revision <= 11; revision++) {
        await Promise.race([delay(scale.ageMs / 5), all]);
        await put(resource(type, name("a"), revision));
      }
      stopped = true;
      const firsts = (await all).map(([first = 0]) => first);
      const [youngest, oldest] = [Math.min(...firsts), Math.max(...firsts)];
      ensure(youngest >= scale.ageMs * 0.7, `a stream ended after ${youngest} ms`);
      ensure(oldest - youngest >= scale.ageMs * 0.1, `all streams ended within ${oldest - youngest} ms`);
      const last = open({ connection: connect() });
      last.ask(type, [name("a")]);
      await last.accept(type);
      // Its connection ages as well.
      last.cancel();
    },
  },
  {
    statement: "FLW-06",
    title: "idle streams end with OK, not all at once, and in time, whoever else does not answer",
    variants: allVariants,
    types: ["CDS"],
    heavy: true,
    needs: ["state", "drain"],
    except: { "final-state": "the server is gone" },
    run: async (context) => {
      const { put, open, connect, link, name, type, server, withinMs, otherNode } = context;
      await put(resource(type, name("a")));
      const connections = Array.from({ length: 10 }, () => connect());
      const wire = await link();
      const dead = open({ connection: connect(wire.address), node: otherNode("-dead") });
      dead.ask(type, [name("a")]);
      await dead.accept(type);
      const streams = Array.from({ length: scale.drainedStreams }, (_, index) => {
        const connection = connections[index % connections.length];
        return open({ ...(connection && { connection }), node: otherNode(`-${index}`), autoAck: true });
      });
      for (const stream of streams) stream.ask(type, [name("a")]);
      for (const stream of streams) await stream.expect(type);
      wire.freeze();
      const begun = performance.now();
      const times: number[] = [];
      const ended = streams.map(async (stream) => {
        const { code, details } = await stream.status(scale.drainMs + withinMs);
        times.push(performance.now() - begun);
        ensure(code === status.OK, `a stream ended with ${code} (${details})`);
      });
      await Promise.all([server.drain(scale.drainMs), ...ended]);
      const tookMs = performance.now() - begun;
      ensure(tookMs < scale.drainMs + withinMs / 2, `the drain took ${tookMs} ms and may take ${scale.drainMs}`);
      const spread = Math.max(...times) - Math.min(...times);
      ensure(spread > scale.drainMs / 10, `all streams ended within ${spread} ms`);
      const late = open({ connection: connect() });
      late.ask(type, [name("a")]);
      const { code } = await late.status();
      ensure(code === status.UNAVAILABLE, `a late stream ended with ${code}`);
    },
  },
  {
    statement: "FLW-07",
    title: "500 streams on one connection are all served",
    variants: allVariants,
    types: ["CDS"],
    heavy: true,
    needs: ["state"],
    run: async ({ put, open, connect, name, type, otherNode }) => {
      await put(resource(type, name("a")));
      const connection = connect();
      const streams = Array.from({ length: 500 }, (_, index) => {
        const stream = open({ connection, node: otherNode(`-${index}`), autoAck: true });
        stream.ask(type, [name("a")]);
        return stream;
      });
      for (const stream of streams) await stream.expect(type);
      await put(resource(type, name("a"), 2));
      for (const stream of streams) await stream.expect(type);
    },
  },
  {
    statement: "FLW-07",
    title: "beyond the limit streams wait, without harm to the others, and are served when there is room",
    variants: adsVariants,
    types: ["CDS"],
    needs: ["state", "limits"],
    limits: { streamsPerConnection: 20 },
    run: async ({ put, open, connect, name, type, quietMs, otherNode }) => {
      await put(resource(type, name("a")));
      const connection = connect();
      const begin = (index: number): XdsStream => {
        const stream = open({ connection, node: otherNode(`-${index}`), autoAck: true });
        stream.ask(type, [name("a")]);
        return stream;
      };
      const first = Array.from({ length: 20 }, (_, index) => begin(index));
      for (const stream of first) await stream.expect(type);
      const waiting = Array.from({ length: 5 }, (_, index) => begin(20 + index));
      await put(resource(type, name("a"), 2));
      for (const stream of first) await stream.expect(type);
      for (const stream of waiting) await stream.quiet(undefined, quietMs / 5);
      for (const stream of first.slice(0, 5)) stream.halfClose();
      for (const stream of waiting) await stream.expect(type);
    },
  },
];
