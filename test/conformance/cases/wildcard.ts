import { type Case, type CaseContext, ensure, ensureNames } from "../case.ts";
import type { Response } from "../client/response.ts";
import type { XdsStream } from "../client/stream.ts";
import { resource } from "../resources.ts";
import { adsVariants, allVariants, deltaVariants, sotwVariants, wildcardTypes } from "../variants.ts";
import { acceptUntilQuiet, has, hasAs, namesOf } from "./offers.ts";

const forms = [
  { form: "an empty first list", list: [] },
  { form: "*", list: ["*"] },
] as const;

/** Everything, everything and a name, and no longer everything. */
export const wildcardCases: readonly Case[] = [
  ...forms.map(
    ({ form, list }): Case => ({
      statement: "WLD-01",
      title: `${form} is everything, and goes on to be`,
      variants: allVariants,
      types: wildcardTypes,
      needs: ["state"],
      run: async (context) => {
        const { put, name, type, quietMs, variant } = context;
        const { stream, first } = await everything(context, list);
        await stream.quiet(type, quietMs);
        if (variant.wire === "sotw") {
          // As a client that says the same again.
          stream.ack(first, list);
          await stream.quiet(type, quietMs);
        }
        await put(resource(type, name("c")));
        await stream.accept(type, has(name("c")));
        const changed = resource(type, name("a"), 2);
        await put(changed);
        await stream.accept(type, hasAs(changed));
      },
    }),
  ),
  {
    statement: "WLD-02",
    title: "* and a name: the name too where the wildcard does not cover it",
    variants: allVariants,
    types: wildcardTypes,
    needs: ["state", "on-demand"],
    run: async (context) => {
      const { put, open, name, type, quietMs } = context;
      const [a, b, z] = [name("a"), name("b"), name("z")];
      await put(resource(type, a), resource(type, b), { ...resource(type, z), onDemand: true });
      const stream = open();
      stream.ask(type, ["*", z]);
      ensureNames(namesOf(await stream.accept(type)), [a, b, z], "the answer");
      const changed = { ...resource(type, z, 2), onDemand: true };
      await put(changed);
      await stream.accept(type, hasAs(changed));
      await stream.quiet(type, quietMs);
      // Who does not name it does not get it.
      const other = open({ autoAck: true });
      other.ask(type, ["*"]);
      ensureNames(namesOf(await other.expect(type)), [a, b], "the answer to * alone");
    },
  },
  {
    statement: "WLD-02",
    title: "* and names: the union, and the name when it exists",
    variants: allVariants,
    types: wildcardTypes,
    needs: ["state"],
    run: async (context) => {
      const { put, name, type } = context;
      const { stream } = await everything(context, ["*", context.name("a"), context.name("x")]);
      const created = resource(type, name("x"));
      await put(created);
      await stream.accept(type, hasAs(created));
      const changed = resource(type, name("b"), 2);
      await put(changed);
      await stream.accept(type, hasAs(changed));
    },
  },
  {
    statement: "WLD-02",
    title: "of * and a name the name is dropped: the wildcard still covers it",
    variants: allVariants,
    types: wildcardTypes,
    needs: ["state"],
    run: async (context) => {
      const { put, name, type } = context;
      const { stream, first } = await everything(context, ["*", name("a")]);
      stream.ack(first, ["*"]);
      // In delta it is answered (DEL-05).
      await acceptUntilQuiet(context, stream);
      for (const short of ["a", "b"]) {
        const changed = resource(type, name(short), 2);
        await put(changed);
        await stream.accept(type, hasAs(changed));
      }
    },
  },
  {
    statement: "WLD-03",
    title: "everything, then * and a name, then the name, then nothing",
    variants: sotwVariants,
    types: wildcardTypes,
    needs: ["state"],
    run: async (context) => {
      const { stream, first } = await everything(context, []);
      stream.ack(first, ["*", context.name("a")]);
      // Whether a name is answered that is held already: SOT-04.
      await acceptUntilQuiet(context, stream);
      await endsWithOnly(context, stream, stream.received.at(-1) ?? first);
    },
  },
  ...[["*"], ["a"], ["*", "a"]].map(
    (shorts): Case => ({
      statement: "WLD-03",
      title: `[${shorts.join(",")}] first, then an empty list: nothing`,
      variants: sotwVariants,
      types: wildcardTypes,
      needs: ["state"],
      run: async ({ put, open, name, type, quietMs }) => {
        await put(resource(type, name("a")), resource(type, name("b")));
        const stream = open();
        stream.ask(
          type,
          shorts.map((short) => (short === "*" ? short : name(short))),
        );
        const first = await stream.accept(type, has(name("a")));
        stream.ack(first, []);
        await stream.quiet(type, quietMs);
        await put(resource(type, name("a"), 2), resource(type, name("c")));
        await stream.quiet(type, quietMs);
      },
    }),
  ),
  {
    statement: "WLD-03",
    title: "a name first, then * beside it: everything; the name alone again: no other one",
    variants: sotwVariants,
    types: wildcardTypes,
    needs: ["state"],
    run: async (context) => {
      const { put, open, name, type, quietMs } = context;
      const [a, b] = [name("a"), name("b")];
      await put(resource(type, a), resource(type, b));
      const stream = open();
      stream.ask(type, [a]);
      const first = await stream.accept(type);
      ensureNames(namesOf(first), [a], "the answer to the name");
      stream.ack(first, ["*", a]);
      const second = await stream.accept(type, has(b));
      ensureNames(namesOf(second), [a, b], "the answer to *");
      await stream.quiet(type, quietMs);
      await endsWithOnly(context, stream, second);
    },
  },
  {
    statement: "WLD-04",
    title: "everything, a name beside it, the name alone, nothing",
    variants: deltaVariants,
    types: wildcardTypes,
    needs: ["state"],
    run: async (context) => {
      const { put, name, type, quietMs } = context;
      const [a, b] = [name("a"), name("b")];
      const { stream } = await everything(context, []);
      stream.send(type, { subscribe: [a] });
      // Whether it is answered though it is held already: DEL-03.
      await acceptUntilQuiet(context, stream);
      await bothChange(context, stream, 2);
      stream.send(type, { unsubscribe: ["*"] });
      await stream.quiet(type, quietMs);
      await put(resource(type, b, 3), resource(type, name("c")));
      await stream.quiet(type, quietMs);
      await put(resource(type, a, 3));
      ensureNames(namesOf(await stream.accept(type)), [a], "the answer after its change");
      stream.send(type, { unsubscribe: [a] });
      await stream.quiet(type, quietMs);
      await put(resource(type, a, 4), resource(type, b, 4));
      await stream.quiet(type, quietMs);
    },
  },
  {
    statement: "WLD-04",
    title: "* and its end: nothing",
    variants: deltaVariants,
    types: wildcardTypes,
    needs: ["state"],
    run: async (context) => {
      const { put, name, type, quietMs } = context;
      const { stream } = await everything(context, ["*"]);
      stream.send(type, { unsubscribe: ["*"] });
      await stream.quiet(type, quietMs);
      await put(resource(type, name("a"), 2), resource(type, name("c")));
      await stream.quiet(type, quietMs);
    },
  },
  {
    statement: "WLD-04",
    title: "a name first: no message without names is everything after it; * is",
    variants: deltaVariants,
    types: wildcardTypes,
    needs: ["state"],
    run: async (context) => {
      const { put, open, name, type, quietMs } = context;
      const [a, b] = [name("a"), name("b")];
      await put(resource(type, a), resource(type, b));
      const stream = open();
      stream.send(type, { subscribe: [a] });
      ensureNames(namesOf(await stream.accept(type)), [a], "the answer to the name");
      stream.send(type);
      await put(resource(type, b, 2));
      await stream.quiet(type, quietMs);
      stream.send(type, { subscribe: ["*"] });
      await stream.accept(type, has(b));
      await bothChange(context, stream, 3);
    },
  },
  {
    statement: "WLD-05",
    title: "a new stream knows nothing of the names of the one before",
    variants: allVariants,
    types: wildcardTypes,
    needs: ["state"],
    run: async (context) => {
      const { put, open, name, type } = context;
      const [a, b] = [name("a"), name("b")];
      await put(resource(type, a), resource(type, b));
      const before = open();
      before.ask(type, ["*", a]);
      before.ack(await before.expect(type), [a]);
      before.halfClose();
      await before.status();
      const stream = open();
      stream.ask(type);
      ensureNames(namesOf(await stream.accept(type)), [a, b], "the answer on the new stream");
      await bothChange(context, stream, 2);
    },
  },
  {
    statement: "WLD-05",
    title: "a new stream knows nothing of the wildcard of the one before",
    variants: allVariants,
    types: wildcardTypes,
    needs: ["state"],
    run: async (context) => {
      const { put, open, name, type, quietMs } = context;
      const { stream: before } = await everything(context, []);
      before.halfClose();
      await before.status();
      const stream = open();
      stream.ask(type, [name("a")]);
      ensureNames(namesOf(await stream.accept(type)), [name("a")], "the answer on the new stream");
      await put(resource(type, name("b"), 2));
      await stream.quiet(type, quietMs);
    },
  },
  {
    statement: "WLD-05",
    title: "a name of one type does not end the wildcard of another",
    variants: adsVariants,
    types: wildcardTypes,
    needs: ["state"],
    run: async (context) => {
      const { put, open, name, type } = context;
      const other = type === "CDS" ? "LDS" : "CDS";
      await put(...["a", "b"].flatMap((short) => [resource(type, name(short)), resource(other, name(short))]));
      const stream = open();
      stream.ask(other, [name("a")]);
      ensureNames(namesOf(await stream.accept(other)), [name("a")], "the answer to the name");
      stream.ask(type);
      ensureNames(namesOf(await stream.accept(type)), [name("a"), name("b")], "the answer to the empty list");
      await bothChange(context, stream, 2);
    },
  },
];

/** Two resources, both covered by `list`, accepted. */
async function everything(
  { put, open, name, type }: CaseContext,
  list: readonly string[],
): Promise<{ readonly stream: XdsStream; readonly first: Response }> {
  await put(resource(type, name("a")), resource(type, name("b")));
  const stream = open();
  stream.ask(type, list);
  const first = await stream.accept(type);
  ensureNames(namesOf(first), [name("a"), name("b")], "the first answer");
  return { stream, first };
}

async function bothChange({ put, name, type }: CaseContext, stream: XdsStream, revision: number): Promise<void> {
  for (const short of ["a", "b"]) {
    const changed = resource(type, name(short), revision);
    await put(changed);
    await stream.accept(type, hasAs(changed));
  }
}

/** Of everything only a is kept, and then nothing. `newest` is the last response. */
async function endsWithOnly(context: CaseContext, stream: XdsStream, newest: Response): Promise<void> {
  const { put, name, type, quietMs } = context;
  const [a, b] = [name("a"), name("b")];
  stream.ack(newest, [a]);
  await stream.quiet(type, quietMs);
  await put(resource(type, b, 2));
  await stream.quiet(type, quietMs);
  const changed = resource(type, a, 2);
  await put(changed);
  const response = await stream.accept(type);
  ensureNames(namesOf(response), [a], "the answer after its change");
  ensure(hasAs(changed)(response), "it came as it was before");
  stream.ack(response, []);
  await stream.quiet(type, quietMs);
  await put(resource(type, a, 3), resource(type, name("c")));
  await stream.quiet(type, quietMs);
}
