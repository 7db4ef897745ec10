import { type Case, ensure, ensureNames } from "../case.ts";
import type { Response } from "../client/response.ts";
import { resource } from "../resources.ts";
import { allTypes, allVariants, namedTypes, sotwVariants, wildcardTypes } from "../variants.ts";
import { accepted, has, hasAs, namesOf } from "./offers.ts";

/** Names taken up, dropped, missing, given twice. */
export const sotwNameCases: readonly Case[] = [
  {
    statement: "SOT-04",
    title: "a new name is answered, though nothing has changed",
    variants: sotwVariants,
    types: allTypes,
    needs: ["state"],
    run: async (context) => {
      const { put, name, type, quietMs } = context;
      const [a, b, c] = [name("a"), name("b"), name("c")];
      await put(resource(type, b), resource(type, c));
      const { stream, response } = await accepted(context, "a");
      await stream.quiet(type, quietMs);
      stream.ack(response, [a, b]);
      const second = await stream.accept(type, has(b));
      stream.ack(second, [a, b, c]);
      await stream.accept(type, has(c));
    },
  },
  {
    statement: "SOT-04",
    title: "a new name in the first ACK is answered",
    variants: sotwVariants,
    types: allTypes,
    needs: ["state"],
    run: async (context) => {
      const { put, open, name, type } = context;
      await put(resource(type, name("a")), resource(type, name("b")));
      const stream = open();
      stream.ask(type, [name("a")]);
      stream.ack(await stream.expect(type), [name("a"), name("b")]);
      await stream.accept(type, has(name("b")));
    },
  },
  {
    statement: "SOT-05",
    title: "a dropped name gets no updates; taken up again, it comes again",
    variants: sotwVariants,
    types: allTypes,
    needs: ["state"],
    run: async (context) => {
      const { put, name, type, quietMs } = context;
      const [a, b] = [name("a"), name("b")];
      const { stream, response } = await accepted(context, "a", "b");
      stream.ack(response, [a]);
      await stream.quiet(type, quietMs);
      const changed = resource(type, b, 2);
      await put(changed);
      await stream.quiet(type, quietMs);
      stream.ack(response, [a, b]);
      await stream.accept(type, hasAs(changed));
    },
  },
  {
    statement: "SOT-05",
    title: "a name dropped and taken up again comes again, unchanged",
    variants: sotwVariants,
    types: allTypes,
    needs: ["state"],
    run: async (context) => {
      const { name, type, quietMs } = context;
      const [a, b] = [name("a"), name("b")];
      const { stream, response } = await accepted(context, "a", "b");
      stream.ack(response, [a]);
      await stream.quiet(type, quietMs);
      stream.ack(response, [a, b]);
      const again = await stream.accept(type, has(b));
      stream.ack(again, [a]);
      stream.ack(again, [a, b]);
      await stream.accept(type, has(b));
    },
  },
  {
    statement: "SOT-06",
    title: "a first request without names asks for nothing; a name later is answered",
    variants: allVariants,
    types: namedTypes,
    needs: ["state"],
    run: async ({ put, open, name, type, quietMs }) => {
      await put(resource(type, name("a")));
      const stream = open();
      stream.ask(type);
      await stream.quiet(type, quietMs);
      const newest = resource(type, name("a"), 2);
      await put(newest, resource(type, name("b")));
      await stream.quiet(type, quietMs);
      stream.ask(type, [name("a")]);
      const first = await stream.accept(type);
      ensureNames(namesOf(first), [name("a")], "the answer to the first name");
      // On a stream of one type a change may wait for what comes before it elsewhere.
      if (!hasAs(newest)(first)) await stream.accept(type, hasAs(newest));
    },
  },
  {
    statement: "SOT-06",
    title: "on a new stream, an empty list with the version of the stream before asks for nothing",
    variants: sotwVariants,
    types: namedTypes,
    needs: ["state"],
    run: async (context) => {
      const { put, open, name, type, quietMs } = context;
      const { stream: before, response } = await accepted(context, "a");
      before.halfClose();
      await before.status();
      const stream = open();
      // As Envoy does for types that it no longer watches.
      stream.ask(type, [], { version: response.version });
      await stream.quiet(type, quietMs);
      await put(resource(type, name("a"), 2));
      await stream.quiet(type, quietMs);
    },
  },
  {
    statement: "SOT-06",
    title: "when the last name is dropped there are no further updates",
    variants: sotwVariants,
    types: namedTypes,
    needs: ["state"],
    run: async (context) => {
      const { put, name, type, quietMs } = context;
      const { stream, response } = await accepted(context, "a");
      stream.ack(response, []);
      await stream.quiet(type, quietMs);
      await put(resource(type, name("a"), 2), resource(type, name("b")));
      await stream.quiet(type, quietMs);
      stream.ack(response, []);
      await stream.quiet(type, quietMs);
    },
  },
  {
    statement: "SOT-07",
    title: "asked for alone, it comes when it exists",
    variants: sotwVariants,
    types: allTypes,
    needs: ["state"],
    run: async ({ put, open, name, type }) => {
      const stream = open({ autoAck: true });
      stream.ask(type, [name("x")]);
      const created = resource(type, name("x"));
      await put(created);
      await stream.expect(type, hasAs(created));
    },
  },
  {
    statement: "SOT-07",
    title: "asked for beside another one, it comes when it exists",
    variants: sotwVariants,
    types: allTypes,
    needs: ["state"],
    run: async ({ put, open, name, type }) => {
      const [a, x] = [name("a"), name("x")];
      await put(resource(type, a));
      const stream = open({ autoAck: true });
      stream.ask(type, [a, x]);
      await stream.expect(type, has(a));
      const created = resource(type, x);
      await put(created);
      await stream.expect(type, hasAs(created));
      // It is a subscription like any other.
      const changed = resource(type, x, 2);
      await put(changed);
      await stream.expect(type, hasAs(changed));
    },
  },
  {
    statement: "SOT-07",
    title: "asked for alone, it is not answered until it exists",
    variants: sotwVariants,
    // Listeners and clusters: SOT-08. Endpoints: ORD-05. Runtime layers: TYP-03.
    types: ["RDS", "SDS", "ECDS"],
    needs: ["state"],
    run: async ({ put, open, name, type, quietMs }) => {
      const stream = open();
      stream.ask(type, [name("x")]);
      await stream.quiet(type, quietMs);
      await put(resource(type, name("x")));
      ensureNames(namesOf(await stream.accept(type)), [name("x")], "the answer when it exists");
    },
  },
  {
    statement: "SOT-07",
    title: "deleted and made anew, it comes again",
    variants: sotwVariants,
    types: allTypes,
    needs: ["state"],
    run: async ({ put, del, open, name, type, quietMs }) => {
      const [a, b] = [name("a"), name("b")];
      await put(resource(type, a), resource(type, b));
      const stream = open({ autoAck: true });
      stream.ask(type, [a, b]);
      await stream.expect(type, has(a));
      await del({ type, name: a });
      const other = resource(type, b, 2);
      await put(other);
      // The server has been past the deletion.
      await stream.expect(type, hasAs(other));
      const anew = resource(type, a, 2);
      await put(anew);
      await stream.expect(type, hasAs(anew));
      await stream.quiet(type, quietMs);
    },
  },
  {
    statement: "SOT-10",
    title: "a name given twice is answered once",
    variants: sotwVariants,
    types: allTypes,
    needs: ["state"],
    run: async ({ put, open, name, type, quietMs }) => {
      const [a, b] = [name("a"), name("b")];
      await put(resource(type, a), resource(type, b));
      const stream = open();
      stream.ask(type, [a, a]);
      const first = await stream.expect(type);
      ensureNames(namesOf(first), [a], "the first answer");
      stream.ask(type, [a, a], { nonce: first.nonce, version: first.version });
      await stream.quiet(type, quietMs);
      stream.ask(type, [b, a, b, a, b], { nonce: first.nonce, version: first.version });
      ensureOnce(await stream.accept(type, has(b)));
      await put(resource(type, a, 2));
      ensureOnce(await stream.accept(type, has(a)));
    },
  },
  {
    statement: "SOT-10",
    title: "covered by the wildcard and by name, it is answered once",
    variants: sotwVariants,
    types: wildcardTypes,
    needs: ["state"],
    run: async ({ put, open, name, type }) => {
      await put(resource(type, name("a")), resource(type, name("b")));
      const stream = open();
      stream.ask(type, ["*", name("a"), name("a"), "*"]);
      ensureOnce(await stream.accept(type, has(name("a"))));
      await put(resource(type, name("a"), 2));
      ensureOnce(await stream.accept(type, has(name("a"))));
    },
  },
  {
    statement: "SOT-11",
    title: "one of 500: only it comes, and nothing when the others change",
    variants: sotwVariants,
    types: allTypes,
    needs: ["state"],
    run: async ({ put, open, name, type, quietMs }) => {
      const others = Array.from({ length: 500 }, (_, index) => name(`other${index}`));
      await put(resource(type, name("a")), ...others.map((one) => resource(type, one)));
      const stream = open();
      stream.ask(type, [name("a")]);
      ensureNames(namesOf(await stream.accept(type)), [name("a")], "the answer");
      await put(...others.map((one) => resource(type, one, 2)));
      await stream.quiet(type, quietMs);
    },
  },
];

function ensureOnce(response: Response): void {
  const names = namesOf(response);
  ensure(new Set(names).size === names.length, `named twice: ${names.join(" ")}`);
}
