import { waitFor } from "../../support/wait-for.ts";
import { type Case, type CaseContext, ensure, ensureNames } from "../case.ts";
import type { Response } from "../client/response.ts";
import type { XdsStream } from "../client/stream.ts";
import { type RawResource, resource } from "../resources.ts";
import { allVariants, deltaVariants, sotwVariants } from "../variants.ts";
import { type HeavyType, heavy } from "./heavy.ts";
import { has } from "./offers.ts";
import { scale } from "./scale.ts";

/** Megabytes of names are work for both sides. Milliseconds. */
const largeRequestMs = 30_000;
const megabyte = 1_000_000;

/** Accepts responses until all of these have come. */
async function acceptAll(stream: XdsStream, type: HeavyType, names: readonly string[]): Promise<void> {
  const missing = new Set(names);
  while (missing.size > 0) for (const { name } of (await stream.accept(type)).resources) missing.delete(name);
}

const hasBytes =
  ({ bytes }: RawResource) =>
  ({ resources }: Response): boolean =>
    resources.some(({ body }) => body !== undefined && Buffer.compare(body, bytes) === 0);

/**
 * Eight streams of one connection do not read while a resource changes until `enough`, and another connection's stream does. Resolves
 * with the most messages that one of the eight had until it had the last change.
 */
async function unread(
  { put, open, connect, name, otherNode }: CaseContext,
  enough: (changes: number) => Promise<boolean>,
): Promise<number> {
  const a = name("a");
  const contents = (revision: number) => heavy("EDS", a, scale.changeBytes, revision);
  await put(contents(0));
  const connection = connect();
  const sleepers = Array.from({ length: 8 }, () => open({ connection, node: otherNode("-asleep"), autoAck: true }));
  for (const sleeper of sleepers) {
    sleeper.pauseReads();
    sleeper.ask("EDS", [a]);
  }
  const reader = open();
  reader.ask("EDS", [a]);
  await reader.accept("EDS");
  let changes = 0;
  do {
    changes++;
    await put(contents(changes));
    await reader.accept("EDS", hasBytes(contents(changes)));
  } while (!(await enough(changes)));
  for (const sleeper of sleepers) sleeper.resume();
  for (const sleeper of sleepers) await sleeper.expect("EDS", hasBytes(contents(changes)));
  return Math.max(...sleepers.map(({ received }) => received.length));
}

/** All of it is too much for one response. */
const sixMegabytes = ({ name, type }: CaseContext) =>
  ["a", "b", "c", "d", "e", "f"].map((short) => heavy(type as HeavyType, name(short), megabyte));

const mayBePartial = {
  "full-set": "the whole set is more than the client takes",
  superfluous: "it may be tried again",
};

export const flowSizeCases: readonly Case[] = [
  {
    statement: "FLW-01",
    title: "who does not read delays nobody, and gets the newest state rather than all that were",
    variants: allVariants,
    types: ["EDS"],
    heavy: true,
    needs: ["state", "raw"],
    run: async (context) => {
      const most = await unread(context, async (changes) => changes === scale.unreadChanges);
      const few = scale.unreadChanges / 3;
      ensure(most <= few, `of ${scale.unreadChanges} changes that it did not read a client then got ${most}`);
    },
  },
  {
    statement: "FLW-01",
    title: "who does not read costs a bounded number of bytes",
    variants: ["ads-sotw", "single-delta"],
    types: ["EDS"],
    heavy: true,
    needs: ["state", "raw", "limits", "bytes"],
    limits: { connectionBytes: scale.connectionBytes },
    run: async (context) => {
      const { server, until } = context;
      let held = 0;
      let fullSince = Number.POSITIVE_INFINITY;
      await unread(context, async (changes) => {
        const { bytesInFlight } = await server.stats();
        held = Math.max(held, bytesInFlight);
        // At first all of it is on its way; what is still there some changes later waits.
        const full = changes > scale.unreadChanges && bytesInFlight >= scale.connectionBytes;
        fullSince = full ? Math.min(fullSince, performance.now()) : Number.POSITIVE_INFINITY;
        ensure(changes < 5_000, `the server held ${held} bytes at most: its budget was never used up`);
        return performance.now() - fullSince > 300;
      });
      // One response may always go, and one is on its way to the client that reads.
      const most = scale.connectionBytes + 2 * scale.changeBytes + 65_536;
      ensure(held <= most, `the server held ${held} bytes, and the connection's budget is ${scale.connectionBytes}`);
      await until("nothing waits any more", async () => (await server.stats()).bytesInFlight === 0);
    },
  },
  {
    statement: "FLW-02",
    title: "what may be sent in part comes in parts",
    variants: allVariants,
    types: ["EDS", "RDS"],
    client: "grpc",
    heavy: true,
    needs: ["state"],
    run: async (context) => {
      const { put, open, type } = context;
      const all = sixMegabytes(context);
      await put(...all);
      const stream = open();
      const names = all.map(({ name }) => name);
      stream.ask(type, names);
      await acceptAll(stream, type as HeavyType, names);
    },
  },
  {
    statement: "FLW-02",
    title: "so do clusters in delta",
    variants: deltaVariants,
    types: ["CDS"],
    client: "grpc",
    heavy: true,
    needs: ["state"],
    run: async (context) => {
      const { put, open, type } = context;
      const all = sixMegabytes(context);
      await put(...all);
      const stream = open();
      stream.ask(type);
      await acceptAll(
        stream,
        "CDS",
        all.map(({ name }) => name),
      );
    },
  },
  {
    statement: "FLW-02",
    title: "a set of clusters that is too large is reported and not sent again and again; it comes when it fits",
    variants: sotwVariants,
    types: ["CDS"],
    client: "grpc",
    heavy: true,
    needs: ["state", "counters"],
    except: mayBePartial,
    run: async (context) => {
      const { put, del, open, type, server, until, quietMs } = context;
      const all = sixMegabytes(context);
      const names = all.map(({ name }) => name);
      await put(...all);
      const stream = open({ autoAck: true });
      stream.ask(type, names);
      await until("the server says what is too large", async () => (await server.stats()).oversized > 0);
      stream.forget();
      await stream.quiet(undefined, 4 * quietMs);
      const few = all.slice(0, 3);
      await del(...all.slice(3).map(({ name }) => ({ type, name })));
      const { resources } = await stream.expect(type, (response) => response.resources.length === few.length);
      ensureNames(
        resources.map(({ name }) => name),
        few.map(({ name }) => name),
        "what fits",
      );
    },
  },
  {
    statement: "FLW-02",
    title: "one resource that is too large does not keep the others back",
    variants: allVariants,
    types: ["EDS", "RDS"],
    client: "grpc",
    heavy: true,
    needs: ["state", "counters"],
    except: { "final-state": "what is too large never comes" },
    run: async ({ put, open, name, type, server, until }) => {
      await put(heavy(type as HeavyType, name("huge"), 5 * megabyte), resource(type, name("a")));
      const stream = open();
      stream.ask(type, [name("huge"), name("a")]);
      await stream.accept(type, has(name("a")));
      await until("the server says what is too large", async () => (await server.stats()).oversized > 0);
      await put(resource(type, name("a"), 2));
      await stream.accept(type, has(name("a")));
      ensure(
        stream.received.every(
          ({ resources }) =>
            !resources.some((one) => one.name === name("huge") && one.body !== undefined && one.body.length > megabyte),
        ),
        "the resource was sent",
      );
    },
  },
  {
    statement: "FLW-03",
    title: "60 000 names of 80 characters in one request: what exists is sent",
    variants: ["ads-sotw", "single-delta"],
    types: ["RDS"],
    heavy: true,
    needs: ["state"],
    except: { "final-state": "60 000 answers are not waited for" },
    run: async ({ put, open, name, type }) => {
      const a = name("a");
      await put(resource(type, a));
      const names = Array.from({ length: 60_000 }, (_, index) => `${"n".repeat(73)}-${100_000 + index}`);
      const stream = open({ autoAck: true });
      stream.ask(type, [...names, a]);
      await stream.expect(type, has(a), largeRequestMs);
    },
  },
  {
    statement: "FLW-03",
    title: "40 000 known versions in one request",
    variants: deltaVariants,
    types: ["CDS"],
    heavy: true,
    needs: ["state"],
    run: async ({ put, open, name, type }) => {
      const a = name("a");
      await put(resource(type, a));
      const known = Object.fromEntries(
        Array.from({ length: 40_000 }, (_, index) => [`${"k".repeat(73)}-${100_000 + index}`, `${"v".repeat(22)}`]),
      );
      const stream = open({ autoAck: true });
      stream.ask(type, [], { known });
      await stream.expect(type, has(a), largeRequestMs);
      // What is gone is told, now or after a grace.
      const told = (): number => stream.received.reduce((sum, { removed }) => sum + removed.length, 0);
      await waitFor(() => told() === 40_000, { withinMs: largeRequestMs, what: "the removal of all 40 000" });
    },
  },
];
