import { status } from "@grpc/grpc-js";
import { resourceType, type TypeName } from "../../../src/envoy/resource-types.ts";
import { type Case, type CaseContext, ensure, ensureNames } from "../case.ts";
import type { Response } from "../client/response.ts";
import { resource } from "../resources.ts";
import { allTypes, allVariants, fullStateTypes, sotwVariants } from "../variants.ts";
import { has } from "./offers.ts";

/** What gRPC clients wait for by name, and may be told that it does not exist. */
const grpcTypes = ["LDS", "RDS", "CDS"] as const satisfies readonly TypeName[];

const lasting: readonly number[] = [status.NOT_FOUND, status.PERMISSION_DENIED];
const passing: readonly number[] = [status.UNAVAILABLE, status.INTERNAL, status.UNKNOWN];

const namesOf = ({ resources }: Response): readonly string[] => resources.map(({ name }) => name);

/** Collects answers until every one of these names was given, as a resource or as an error. */
async function answersFor({ open, type }: CaseContext, names: readonly string[]) {
  const stream = open();
  stream.ask(type, names);
  const found = new Set<string>();
  const codes = new Map<string, number>();
  let last = await stream.accept(type);
  for (;;) {
    for (const name of namesOf(last)) found.add(name);
    for (const { name, code } of last.errors) codes.set(name, code);
    if (names.every((name) => found.has(name) || codes.has(name))) return { stream, found, codes, last };
    last = await stream.accept(type);
  }
}

const missing: readonly Case[] = [
  {
    statement: "ERR-01",
    title: "a name that does not exist is an error beside what exists, once, and none when it does",
    variants: sotwVariants,
    types: grpcTypes,
    needs: ["state", "touch"],
    client: "grpc",
    run: async (context) => {
      const { put, name, type, server, quietMs } = context;
      const [a, b, x] = [name("a"), name("b"), name("x")] as const;
      await put(resource(type, a), resource(type, b));
      const { stream, found, codes, last } = await answersFor(context, [a, b, x]);
      ensureNames([...found], [a, b], "what exists");
      ensure(lasting.includes(codes.get(x) ?? -1), `the code of ${x} is ${codes.get(x)}`);
      ensure(codes.size === 1, "something that exists is an error too");
      stream.ack(last);
      await server.touch();
      await stream.quiet(type, quietMs);
      await put(resource(type, x));
      const created = await stream.accept(type, has(x));
      ensure(created.errors.length === 0, "there is still an error");
      if (resourceType(type).fullState) ensureNames(namesOf(created), [a, b, x], "the whole set");
    },
  },
  {
    statement: "ERR-01",
    title: "another change brings the whole set, and no error a second time",
    variants: sotwVariants,
    types: grpcTypes,
    needs: ["state"],
    client: "grpc",
    run: async (context) => {
      const { put, name, type } = context;
      const [a, b, x] = [name("a"), name("b"), name("x")] as const;
      await put(resource(type, a), resource(type, b));
      const { stream } = await answersFor(context, [a, b, x]);
      await put(resource(type, a, 2));
      const changed = await stream.accept(type, has(a));
      ensure(changed.errors.length === 0, "the error came again");
      if (resourceType(type).fullState) ensureNames(namesOf(changed), [a, b], "the whole set");
    },
  },
  {
    statement: "ERR-01",
    title: "a name that is asked for later is an error then",
    variants: sotwVariants,
    types: grpcTypes,
    needs: ["state"],
    client: "grpc",
    run: async ({ put, open, name, type }) => {
      const [a, x] = [name("a"), name("x")] as const;
      await put(resource(type, a));
      const stream = open();
      stream.ask(type, [a]);
      const first = await stream.accept(type);
      ensure(first.errors.length === 0, "what exists is an error");
      stream.ask(type, [a, x], { version: first.version, nonce: first.nonce });
      const { errors } = await stream.accept(type);
      ensure(errors.length === 1 && errors[0]?.name === x, `the errors name {${errors.map((one) => one.name)}}`);
      ensure(lasting.includes(errors[0].code), `the code is ${errors[0].code}`);
      ensure(errors[0].message !== "", "the error has no text");
    },
  },
  {
    statement: "ERR-01",
    title: "a deleted one is absent, and at most an error; created again it is there",
    variants: sotwVariants,
    types: ["LDS", "CDS"],
    needs: ["state"],
    client: "grpc",
    run: async (context) => {
      const { put, del, name, type } = context;
      const [a, x] = [name("a"), name("x")] as const;
      await put(resource(type, a), resource(type, x));
      const { stream } = await answersFor(context, [a, x]);
      await del({ type, name: x });
      const deleted = await stream.accept(type);
      ensureNames(namesOf(deleted), [a], "the whole set");
      for (const { name: found, code } of deleted.errors)
        ensure(found === x && lasting.includes(code), `${found} is an error, with ${code}`);
      await put(resource(type, x, 2));
      ensureNames(namesOf(await stream.accept(type)), [a, x], "the whole set");
    },
  },
  {
    statement: "ERR-01",
    title: "a wildcard has no errors",
    variants: sotwVariants,
    types: fullStateTypes,
    needs: ["state"],
    client: "grpc",
    run: async ({ put, del, open, name, type }) => {
      await put(resource(type, name("a")), resource(type, name("x")));
      const stream = open();
      stream.ask(type);
      const first = await stream.accept(type);
      await del({ type, name: name("x") });
      const second = await stream.accept(type);
      ensureNames(namesOf(second), [name("a")], "the whole set");
      ensure(first.errors.length + second.errors.length === 0, "there is an error");
    },
  },
  {
    statement: "ERR-01",
    title: "delta says it in one way: a name is never removed and an error, nor there and an error",
    variants: ["ads-delta", "single-delta"],
    types: ["LDS", "RDS", "CDS"],
    needs: ["state"],
    run: async ({ put, open, name, type, quietMs }) => {
      const [a, x] = [name("a"), name("x")] as const;
      await put(resource(type, a));
      const stream = open({ autoAck: true });
      stream.ask(type, [a, x]);
      await stream.expect(type, has(a));
      await put(resource(type, x));
      await stream.expect(type, has(x));
      await stream.quiet(type, quietMs);
      for (const { resources, removed, errors } of stream.received) {
        const others = new Set([...resources.map((one) => one.name), ...removed]);
        ensure(!errors.some((one) => others.has(one.name)), "a name is there twice");
      }
    },
  },
];

const trouble: readonly Case[] = [
  {
    statement: "ERR-02",
    title: "what can no longer be computed stays as it was, everything else goes on, and it follows when it can be",
    variants: allVariants,
    types: allTypes,
    needs: ["state", "fail", "touch"],
    run: async (context) => {
      const { put, open, name, type, server, quietMs } = context;
      const [a, x] = [name("a"), name("x")] as const;
      await put(resource(type, a), resource(type, x));
      const stream = open();
      stream.ask(type, [a, x]);
      await stream.accept(type);
      await server.fail({ type, name: x });
      await put(resource(type, a, 2), resource(type, x, 2));
      const during = await stream.accept(type, has(a));
      ensure(!during.removed.includes(x), `${x} is removed`);
      for (const { name: found, code } of during.errors)
        ensure(found === x && passing.includes(code), `${found} is an error, with ${code}`);
      if (stream.variant.wire === "sotw" && resourceType(type).fullState)
        ensure(has(x)(during) || during.errors.length > 0, `${x} is silently missing`);
      await stream.quiet(type, quietMs);
      await server.fail(undefined);
      await server.touch();
      await stream.accept(type, has(x));
    },
  },
  ...[true, false].map(
    (wildcard): Case => ({
      statement: "ERR-02",
      title: `nor is it missing for who comes later and asks ${wildcard ? "for everything" : "by name"}`,
      variants: allVariants,
      types: fullStateTypes,
      needs: ["state", "fail"],
      run: async ({ put, open, name, type, server, otherNode }) => {
        const [a, x] = [name("a"), name("x")] as const;
        await put(resource(type, a), resource(type, x));
        const early = open();
        early.ask(type);
        await early.accept(type);
        await server.fail({ type, name: x });
        await put(resource(type, a, 2));
        await early.accept(type);
        const stream = open({ node: otherNode("-later") });
        stream.ask(type, wildcard ? [] : [a, x]);
        const { resources, errors } = await stream.accept(type);
        const inError = errors.some((one) => one.name === x && passing.includes(one.code));
        ensure(inError || resources.some((one) => one.name === x), `${x} is silently missing`);
      },
    }),
  ),
  {
    statement: "ERR-02",
    title: "what could never be computed is not called non-existent",
    variants: sotwVariants,
    types: grpcTypes,
    needs: ["state", "fail"],
    client: "grpc",
    except: { "final-state": "the newest state cannot be computed" },
    run: async (context) => {
      const { put, name, type, server } = context;
      const [a, x] = [name("a"), name("x")] as const;
      await put(resource(type, a));
      const first = context.open();
      first.ask(type, [a]);
      await first.accept(type);
      await server.fail({ type, name: x });
      await put(resource(type, x), resource(type, a, 2));
      await first.accept(type);
      const { codes } = await answersFor(context, [a, x]);
      const code = codes.get(x);
      ensure(code === undefined || passing.includes(code), `${x} is an error with ${code}: the client gives it up`);
    },
  },
];

export const errorCases: readonly Case[] = [...missing, ...trouble];
