import type { TypeName } from "../../../src/envoy/resource-types.ts";
import { type Case, type CaseContext, ensure, ensureNames } from "../case.ts";
import type { Response } from "../client/response.ts";
import { resource } from "../resources.ts";
import { allTypes, fullStateTypes, sotwVariants } from "../variants.ts";
import { accepted, has, hasAs, namesOf } from "./offers.ts";

const partialTypes: readonly TypeName[] = allTypes.filter((type) => !fullStateTypes.includes(type));

/** The ways to ask for all of a few. */
const forms = [
  { form: "asked for by wildcard", listOf: (): readonly string[] => [] },
  { form: "asked for by name", listOf: (names: readonly string[]) => names },
] as const;

/** Whole sets and partial ones. */
export const sotwSetCases: readonly Case[] = [
  {
    statement: "SOT-01",
    title: "one of three changes, and one is added: the whole set comes each time, as another version",
    variants: sotwVariants,
    types: fullStateTypes,
    needs: ["state"],
    run: async ({ put, open, name, type }) => {
      const names = ["c1", "c2", "c3"].map(name);
      await put(...names.map((one) => resource(type, one)));
      const stream = open();
      stream.ask(type);
      const first = await stream.accept(type);
      ensureNames(namesOf(first), names, "the first answer");
      const changed = resource(type, name("c2"), 2);
      await put(changed);
      const second = await stream.accept(type);
      ensureNames(namesOf(second), names, "the answer after a change");
      ensure(hasAs(changed)(second), "the changed one came as it was before");
      ensure(second.version !== first.version, "the version did not change with the set");
      await put(resource(type, name("c4")));
      const third = await stream.accept(type);
      ensureNames(namesOf(third), [...names, name("c4")], "the answer after an addition");
      ensure(third.version !== second.version, "the version did not change with the set");
    },
  },
  ...(["envoy", "grpc"] as const).map(
    (client): Case => ({
      statement: "SOT-02",
      title: `one of two named ones changes: both come, to ${client === "envoy" ? "Envoy" : "gRPC"}`,
      variants: sotwVariants,
      // gRPC does not know scoped routes.
      types: client === "envoy" ? fullStateTypes : ["LDS", "CDS"],
      needs: ["state"],
      client,
      run: async (context) => {
        const { put, name, type } = context;
        const { stream, response } = await accepted(context, "a", "b");
        ensureNames(namesOf(response), [name("a"), name("b")], "the first answer");
        for (const [short, revision] of [
          ["a", 2],
          ["b", 2],
          ["a", 3],
        ] as const) {
          const changed = resource(type, name(short), revision);
          await put(changed);
          const next = await stream.accept(type);
          ensureNames(namesOf(next), [name("a"), name("b")], `the answer after a change of ${short}`);
          ensure(hasAs(changed)(next), "the changed one came as it was before");
        }
      },
    }),
  ),
  {
    statement: "SOT-02",
    title: "a name is added: the answer has the old one too",
    variants: sotwVariants,
    types: fullStateTypes,
    needs: ["state"],
    run: async (context) => {
      const { put, name, type } = context;
      await put(resource(type, name("b")));
      const { stream, response } = await accepted(context, "a");
      stream.ack(response, [name("a"), name("b")]);
      ensureNames(namesOf(await stream.accept(type)), [name("a"), name("b")], "the answer to the new name");
    },
  },
  {
    statement: "SOT-03",
    title: "one of two changes: it comes, with the other one or without",
    variants: sotwVariants,
    types: partialTypes,
    needs: ["state"],
    run: (context) => eachChanges(context, () => {}),
  },
  {
    statement: "SOT-03",
    title: "one of two changes: it comes without the other one",
    variants: sotwVariants,
    types: partialTypes,
    // The protocol allows either.
    needs: ["state", "partial"],
    run: (context) =>
      eachChanges(context, (response, changed) => ensureNames(namesOf(response), [changed], "the answer")),
  },
  ...(["[]", "[*]"] as const).map(
    (form): Case => ({
      statement: "SOT-08",
      title: `the first request for everything, as ${form}, is answered though there is nothing`,
      variants: sotwVariants,
      types: ["LDS", "CDS"],
      needs: ["state"],
      run: async ({ open, type, quietMs, put, name }) => {
        const stream = open();
        stream.ask(type, form === "[]" ? [] : ["*"]);
        const response = await stream.accept(type);
        ensureNames(namesOf(response), [], "the answer");
        ensure(response.version !== "" && response.nonce !== "", "no version, or no nonce");
        await stream.quiet(type, quietMs);
        await put(resource(type, name("a")));
        const next = await stream.accept(type);
        ensureNames(namesOf(next), [name("a")], "the answer when there is one");
        ensure(next.version !== response.version, "the version did not change with the set");
      },
    }),
  ),
  {
    statement: "SOT-08",
    title: "the first request for a name that does not exist is answered, without it",
    variants: sotwVariants,
    types: ["LDS", "CDS"],
    needs: ["state"],
    run: async ({ open, put, type, name, quietMs }) => {
      await put(resource(type, name("other")));
      const stream = open();
      stream.ask(type, [name("x")]);
      const response = await stream.accept(type);
      ensureNames(namesOf(response), [], "the answer");
      ensure(response.version !== "" && response.nonce !== "", "no version, or no nonce");
      await stream.quiet(type, quietMs);
    },
  },
  {
    statement: "SOT-08",
    title: "the first request for everything is answered with version and nonce",
    variants: sotwVariants,
    types: ["LDS", "CDS"],
    needs: [],
    run: async ({ open, type }) => {
      const stream = open();
      stream.ask(type);
      const { version, nonce } = await stream.accept(type);
      ensure(version !== "" && nonce !== "", "no version, or no nonce");
    },
  },
  ...forms.map(
    ({ form, listOf }): Case => ({
      statement: "SOT-09",
      title: `${form}: what is removed is left out; the last one removed, nothing is left, as another version`,
      variants: sotwVariants,
      types: fullStateTypes,
      needs: ["state"],
      run: async ({ put, del, open, name, type, quietMs }) => {
        const [c1, c2] = [name("c1"), name("c2")];
        await put(resource(type, c1), resource(type, c2));
        const stream = open();
        stream.ask(type, listOf([c1, c2]));
        const versions = [(await stream.accept(type)).version];
        for (const [gone, left] of [
          [c1, [c2]],
          [c2, []],
        ] as const) {
          await del({ type, name: gone });
          const response = await stream.accept(type);
          ensureNames(namesOf(response), left, `the answer without ${gone}`);
          versions.push(response.version);
        }
        ensure(new Set(versions).size === 3, `three sets had the versions ${versions.join(", ")}`);
        ensure(!versions.includes(""), "no version");
        await stream.quiet(type, quietMs);
      },
    }),
  ),
];

async function eachChanges(context: CaseContext, look: (response: Response, changed: string) => void): Promise<void> {
  const { put, name, type } = context;
  const { stream } = await accepted(context, "a", "b");
  for (const [short, revision] of [
    ["a", 2],
    ["b", 2],
    ["a", 3],
  ] as const) {
    const changed = resource(type, name(short), revision);
    await put(changed);
    const response = await stream.accept(type, has(changed.name));
    ensure(hasAs(changed)(response), "the changed one came as it was before");
    look(response, changed.name);
  }
}
