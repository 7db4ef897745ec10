import type { TypeName } from "../../../src/envoy/resource-types.ts";
import { type Case, type CaseContext, ensure, ensureNames } from "../case.ts";
import type { Fields, XdsStream } from "../client/stream.ts";
import { resource } from "../resources.ts";
import { allTypes, deltaVariants, wildcardTypes } from "../variants.ts";
import { acceptContent, carries, gather, handled, namesIn } from "./gather.ts";
import { accepted, has, offered } from "./offers.ts";

/** What a NACK leaves behind is not what the server has. */
const refusedAtTheEnd = { "final-state": "the client has refused the newest state" } as const;

/** A name without a resource is answered with a removal. */
const removedTypes: readonly TypeName[] = ["LDS", "RDS", "CDS", "EDS", "SRDS"];

/** Types with a way of their own to answer for what does not exist, or to say nothing; the statements TYP-01 to TYP-04 tell which. */
const otherTypes = allTypes.filter((type) => !removedTypes.includes(type));

/** The four ways in which a change of subscription may come. Each brings the stream to where it can be sent, and says how. */
const messages: readonly {
  readonly on: string;
  readonly refuses: boolean;
  readonly prepare: (context: CaseContext) => Promise<{ readonly stream: XdsStream; readonly fields: Fields }>;
}[] = [
  {
    on: "an ACK",
    refuses: false,
    prepare: async (context) => {
      const { stream, response } = await offered(context, "a", "c");
      return { stream, fields: { nonce: response.nonce } };
    },
  },
  {
    on: "a NACK",
    refuses: true,
    prepare: async (context) => {
      const { stream } = await accepted(context, "a", "c");
      await context.put(resource(context.type, context.name("c"), 2));
      const { nonce } = await stream.expect(context.type, has(context.name("c")));
      return { stream, fields: { nonce, error: "refused by the suite" } };
    },
  },
  {
    on: "a stale nonce",
    refuses: false,
    prepare: async (context) => {
      const { stream, response } = await accepted(context, "a", "c");
      await context.put(resource(context.type, context.name("c"), 2));
      await stream.accept(context.type, has(context.name("c")));
      return { stream, fields: { nonce: response.nonce } };
    },
  },
  {
    on: "no nonce",
    refuses: false,
    prepare: async (context) => {
      const { stream } = await accepted(context, "a", "c");
      return { stream, fields: {} };
    },
  },
];

/** What names and wildcards, taken up and dropped, bring. */
export const deltaSubscriptionCases: readonly Case[] = [
  {
    statement: "DEL-03",
    title: "subscribed again, a held and unchanged resource is sent again",
    variants: deltaVariants,
    types: allTypes,
    needs: ["state"],
    run: async (context) => {
      const { name, type, quietMs } = context;
      const { stream } = await accepted(context, "a", "b");
      stream.send(type, { subscribe: [name("a")] });
      ensureNames(namesIn(await stream.accept(type)), [name("a")], "resources");
      await stream.quiet(undefined, quietMs);
    },
  },
  {
    statement: "DEL-03",
    title: "subscribed again with the ACK of it, it is sent again",
    variants: deltaVariants,
    types: allTypes,
    needs: ["state"],
    run: async (context) => {
      const { name, type, quietMs } = context;
      const { stream, response } = await offered(context, "a", "b");
      stream.send(type, { subscribe: [name("a")], nonce: response.nonce });
      ensureNames(namesIn(await stream.accept(type)), [name("a")], "resources");
      await stream.quiet(undefined, quietMs);
    },
  },
  {
    statement: "DEL-03",
    title: "subscribed by name when a wildcard brought it already, it is sent again",
    variants: deltaVariants,
    types: wildcardTypes,
    needs: ["state"],
    run: async ({ put, open, name, type, quietMs }) => {
      const names = ["a", "b"].map(name);
      await put(...names.map((one) => resource(type, one)));
      const stream = open();
      stream.send(type, { subscribe: ["*"] });
      await gather(stream, type, { present: names });
      stream.send(type, { subscribe: [name("a")] });
      ensureNames(namesIn(await stream.accept(type)), [name("a")], "resources");
      await stream.quiet(undefined, quietMs);
    },
  },
  {
    statement: "DEL-04",
    title: "unsubscribed: no answer, and no more updates of it, while the others go on",
    variants: deltaVariants,
    types: allTypes,
    needs: ["state"],
    run: async (context) => {
      const { put, del, name, type, quietMs } = context;
      const { stream } = await accepted(context, "a", "b");
      stream.send(type, { unsubscribe: [name("a")] });
      await stream.quiet(undefined, quietMs);
      await handled(context, stream);
      await put(resource(type, name("a"), 2), resource(type, name("b"), 2));
      ensureNames(namesIn(await stream.accept(type)), [name("b")], "resources");
      await del({ type, name: name("a") });
      await stream.quiet(undefined, quietMs);
    },
  },
  {
    statement: "DEL-04",
    title: "the last name unsubscribed: silence; taken up again: the newest content",
    variants: deltaVariants,
    types: allTypes,
    needs: ["state"],
    run: async (context) => {
      const { put, name, type, quietMs } = context;
      const { stream } = await accepted(context, "a");
      stream.send(type, { unsubscribe: [name("a")] });
      await stream.quiet(undefined, quietMs);
      await handled(context, stream);
      stream.send(type, { unsubscribe: [name("fence")] });
      const newest = resource(type, name("a"), 2);
      await put(newest, resource(type, name("b")));
      await stream.quiet(undefined, quietMs);
      stream.send(type, { subscribe: [name("a")] });
      await acceptContent(stream, newest);
    },
  },
  {
    statement: "DEL-04",
    title: "names that were never subscribed are unsubscribed: nothing happens",
    variants: deltaVariants,
    types: allTypes,
    needs: ["state"],
    run: async (context) => {
      const { put, name, type, quietMs } = context;
      const { stream } = await accepted(context, "a");
      stream.send(type, { unsubscribe: [name("never"), name("neither")] });
      await stream.quiet(undefined, quietMs);
      await put(resource(type, name("a"), 2), resource(type, name("never")));
      ensureNames(namesIn(await stream.accept(type)), [name("a")], "resources");
    },
  },
  ...([["*"], []] as const).map(
    (everything): Case => ({
      statement: "DEL-05",
      title: `with ${everything.length > 0 ? "*" : "an implicit wildcard"}, a name is unsubscribed that it covers: its body is the answer`,
      variants: deltaVariants,
      types: wildcardTypes,
      needs: ["state"],
      run: async ({ put, open, name, type, quietMs }) => {
        const names = ["a", "b"].map(name);
        await put(...names.map((one) => resource(type, one)));
        const stream = open();
        stream.send(type, { subscribe: everything });
        await gather(stream, type, { present: names });
        stream.send(type, { subscribe: [name("a")] });
        await stream.accept(type, has(name("a")));
        stream.send(type, { unsubscribe: [name("a")] });
        ensureNames(namesIn(await stream.accept(type)), [name("a")], "resources");
        await stream.quiet(undefined, quietMs);
        // It goes on by the wildcard.
        await put(resource(type, name("a"), 2));
        await stream.accept(type, has(name("a")));
      },
    }),
  ),
  {
    statement: "DEL-05",
    title: "with a wildcard, a name is unsubscribed that it does not cover: a removal is the answer",
    variants: deltaVariants,
    types: wildcardTypes,
    needs: ["state", "on-demand"],
    run: async ({ put, open, name, type, quietMs }) => {
      const [a, z] = [name("a"), name("z")];
      await put(resource(type, a), { ...resource(type, z), onDemand: true });
      const stream = open();
      stream.send(type, { subscribe: ["*", a, z] });
      await gather(stream, type, { present: [a, z] });
      stream.send(type, { unsubscribe: [z] });
      const { resources, removed } = await stream.accept(type);
      ensure(resources.length === 0, `${resources.length} resources instead of a removal`);
      ensureNames(removed, [z], "removed resources");
      await put({ ...resource(type, z, 2), onDemand: true });
      await stream.quiet(undefined, quietMs);
    },
  },
  {
    statement: "DEL-06",
    title: "a name without a resource: removed, at once and once; put, it is sent",
    variants: deltaVariants,
    types: removedTypes,
    needs: ["state"],
    run: async ({ put, open, name, type, quietMs }) => {
      const stream = open();
      stream.send(type, { subscribe: [name("x")] });
      const { resources, removed } = await stream.accept(type);
      ensure(resources.length === 0, `${resources.length} resources that do not exist`);
      ensureNames(removed, [name("x")], "removed resources");
      await stream.quiet(undefined, quietMs);
      await put(resource(type, name("x")));
      ensureNames(namesIn(await stream.accept(type)), [name("x")], "resources");
    },
  },
  {
    statement: "DEL-06",
    title: "one of two names has a resource: both are answered; asked for again, the missing one is answered again",
    variants: deltaVariants,
    types: removedTypes,
    needs: ["state"],
    run: async ({ put, open, name, type, quietMs }) => {
      const [a, x] = [name("a"), name("x")];
      await put(resource(type, a));
      const stream = open();
      stream.send(type, { subscribe: [a, x] });
      await gather(stream, type, { present: [a], removed: [x] });
      stream.send(type, { subscribe: [x] });
      ensureNames((await stream.accept(type)).removed, [x], "removed resources");
      await stream.quiet(undefined, quietMs);
    },
  },
  {
    statement: "DEL-06",
    title: "beside a wildcard, a name without a resource is answered as removed",
    variants: deltaVariants,
    types: wildcardTypes,
    needs: ["state"],
    run: async ({ put, open, name, type }) => {
      await put(resource(type, name("a")));
      const stream = open();
      stream.send(type, { subscribe: ["*"] });
      await gather(stream, type, { present: [name("a")] });
      stream.send(type, { subscribe: [name("x")] });
      await gather(stream, type, { removed: [name("x")] });
      await put(resource(type, name("x")));
      await gather(stream, type, { present: [name("x")] });
    },
  },
  {
    statement: "DEL-06",
    title:
      "a name without a resource, of a type with an answer of its own: it stays subscribed, and is sent when it exists",
    variants: deltaVariants,
    types: otherTypes,
    needs: ["state"],
    run: async ({ put, open, name, type, quietMs }) => {
      const stream = open({ autoAck: true });
      stream.send(type, { subscribe: [name("x")] });
      await stream.perhaps(type, quietMs);
      await put(resource(type, name("x"), 2));
      await stream.expect(type, carries(resource(type, name("x"), 2)));
    },
  },
  ...messages.flatMap(({ on, refuses, prepare }): readonly Case[] => [
    {
      statement: "DEL-08",
      title: `subscribed on ${on}: answered`,
      variants: deltaVariants,
      types: allTypes,
      needs: ["state"],
      ...(refuses && { except: refusedAtTheEnd }),
      run: async (context) => {
        const { put, name, type } = context;
        await put(resource(type, name("b")));
        const { stream, fields } = await prepare(context);
        stream.send(type, { ...fields, subscribe: [name("b")] });
        await gather(stream, type, { present: [name("b")] });
        await put(resource(type, name("b"), 2));
        await gather(stream, type, { present: [name("b")] });
      },
    },
    {
      statement: "DEL-08",
      title: `unsubscribed on ${on}: no more updates`,
      variants: deltaVariants,
      types: allTypes,
      needs: ["state"],
      run: async (context) => {
        const { put, name, type } = context;
        const { stream, fields } = await prepare(context);
        stream.send(type, { ...fields, unsubscribe: [name("a")] });
        await handled(context, stream);
        const still = resource(type, name("c"), 7);
        await put(resource(type, name("a"), 7), still);
        const told = await acceptContent(stream, still);
        ensure(!told.includes(name("a")), "it was sent");
      },
    },
  ]),
  ...(["no names", "*"] as const).map(
    (how): Case => ({
      statement: "DEL-12",
      title: `nothing exists: a first request with ${how} is answered all the same, and later news come`,
      variants: deltaVariants,
      types: wildcardTypes,
      needs: ["state"],
      run: async ({ put, open, name, type }) => {
        const stream = open();
        stream.send(type, how === "*" ? { subscribe: ["*"] } : {});
        const { resources, removed, nonce } = await stream.accept(type);
        ensure(resources.length + removed.length === 0, "there is nothing that could be told");
        ensure(nonce !== "", "no nonce");
        await put(resource(type, name("a")));
        ensureNames(namesIn(await stream.accept(type)), [name("a")], "resources");
      },
    }),
  ),
  {
    statement: "DEL-14",
    title: "the first request subscribes and unsubscribes a name: it is not subscribed, and the stream goes on",
    variants: deltaVariants,
    types: allTypes,
    needs: ["state"],
    run: async ({ put, open, name, type, quietMs }) => {
      const [a, b] = [name("a"), name("b")];
      await put(resource(type, a), resource(type, b));
      const stream = open();
      stream.send(type, { subscribe: [a], unsubscribe: [a] });
      await stream.quiet(undefined, quietMs);
      await put(resource(type, a, 2));
      await stream.quiet(undefined, quietMs);
      stream.send(type, { subscribe: [b] });
      ensureNames(namesIn(await stream.accept(type)), [b], "resources");
    },
  },
  {
    statement: "DEL-14",
    title: "a held name is subscribed and unsubscribed at once: it is subscribed no longer",
    variants: deltaVariants,
    types: allTypes,
    needs: ["state"],
    run: async (context) => {
      const { put, name, type } = context;
      const { stream } = await accepted(context, "a", "b");
      stream.send(type, { subscribe: [name("a")], unsubscribe: [name("a")] });
      await handled(context, stream);
      await put(resource(type, name("a"), 2), resource(type, name("b"), 2));
      ensureNames(namesIn(await stream.accept(type)), [name("b")], "resources");
    },
  },
  {
    statement: "DEL-14",
    title: "* subscribed and unsubscribed at once asks for nothing, and names can be asked for later",
    variants: deltaVariants,
    types: wildcardTypes,
    needs: ["state"],
    run: async ({ put, open, name, type, quietMs }) => {
      const [a, b] = [name("a"), name("b")];
      await put(resource(type, a));
      const stream = open();
      stream.send(type, { subscribe: ["*"], unsubscribe: ["*"] });
      await put(resource(type, a, 2), resource(type, b));
      await stream.quiet(undefined, quietMs);
      stream.send(type, { subscribe: [b] });
      ensureNames(namesIn(await stream.accept(type)), [b], "resources");
      await put(resource(type, a, 3));
      await stream.quiet(undefined, quietMs);
    },
  },
  {
    statement: "DEL-14",
    title: "under a wildcard, a name subscribed and unsubscribed at once goes on by the wildcard",
    variants: deltaVariants,
    types: wildcardTypes,
    needs: ["state"],
    run: async ({ put, open, name, type, quietMs }) => {
      await put(resource(type, name("a")));
      const stream = open({ autoAck: true });
      stream.send(type, { subscribe: ["*"] });
      await stream.expect(type, has(name("a")));
      stream.send(type, { subscribe: [name("a")], unsubscribe: [name("a")] });
      // Whether that is answered, as in DEL-05, is left open.
      await stream.perhaps(type, quietMs);
      const newest = resource(type, name("a"), 2);
      await put(newest);
      await stream.expect(type, carries(newest));
    },
  },
];
