import { type Case, type CaseContext, ensure, ensureNames } from "../case.ts";
import type { Response } from "../client/response.ts";
import type { XdsStream } from "../client/stream.ts";
import { type RawResource, resource } from "../resources.ts";
import { allTypes, allVariants, deltaVariants, fullStateTypes, sotwVariants } from "../variants.ts";
import { has } from "./offers.ts";

/** Every spelling seen of "it takes a time to live", and of "it takes `Resource` in state-of-the-world responses". */
const ttlSpellings = ["xds.config.supports-resource-ttl", "envoy.config.supports-resource-ttl"] as const;
const wrapperSpellings = [
  "xds.config.supports-resource-in-sotw",
  "envoy.config.supports-resource-in-sotw",
  "xds.config.resource-in-sotw",
] as const;
const both = [ttlSpellings[0], wrapperSpellings[0]] as const;

const mortal = (one: RawResource, ttlMs = 60_000): RawResource => ({ ...one, ttlMs });

/** Puts one with a time to live and one without, and asks as a client with these features. */
async function asked(
  { put, open, name, type, node }: CaseContext,
  features: readonly string[],
  ttlMs?: number,
): Promise<{ readonly stream: XdsStream; readonly response: Response }> {
  await put(mortal(resource(type, name("mortal")), ttlMs), resource(type, name("plain")));
  const stream = open({ node: { ...node, features: ["another.feature", ...features] } });
  stream.ask(type, [name("mortal"), name("plain")]);
  return { stream, response: await stream.accept(type, has(name("mortal"))) };
}

const find = ({ resources }: Response, name: string) => resources.find((one) => one.name === name);

const takes = (title: string, variants: Case["variants"], types: Case["types"], features: readonly string[]): Case => ({
  statement: "TTL-01",
  title,
  variants,
  types,
  needs: ["state", "ttl"],
  run: async (context) => {
    const { stream, response } = await asked(context, features);
    const [one, other] = ["mortal", "plain"].map((short) => find(response, context.name(short)));
    ensure(one?.body !== undefined && other?.body !== undefined, "not both came");
    ensure(one.ttlMs === 60_000, `its time to live is ${one.ttlMs} ms`);
    ensure(one.wrapped, "it is not wrapped");
    ensure(other.ttlMs === undefined, "the other one has a time to live too");
    // Signs of life may come at any pace.
    stream.cancel();
  },
});

const doesNotTake = (
  title: string,
  variants: Case["variants"],
  types: Case["types"],
  features: readonly string[],
): Case => ({
  statement: "TTL-01",
  title,
  variants,
  types,
  needs: ["state", "ttl"],
  run: async (context) => {
    const { stream, response } = await asked(context, features, 300);
    const { variant, quietMs } = context;
    for (const { name, ttlMs, wrapped } of response.resources) {
      ensure(ttlMs === undefined, `${name} has a time to live`);
      ensure(variant.wire === "delta" || !wrapped, `${name} is wrapped`);
    }
    // Nor does it get signs of life.
    await stream.quiet(undefined, Math.max(300, 2 * quietMs));
  },
});

const typesWithTtl = allTypes.filter((type) => type !== "VHDS");

const features: readonly Case[] = [
  takes("a client with the features gets it", allVariants, typesWithTtl, both),
  ...ttlSpellings.flatMap((spelling) => [
    takes(`${spelling}, in delta`, deltaVariants, ["CDS"], [spelling]),
    ...wrapperSpellings.map((wrapper) =>
      takes(`${spelling} with ${wrapper}`, sotwVariants, ["CDS", "EDS"], [wrapper, spelling]),
    ),
  ]),
  doesNotTake("a client without the features does not", allVariants, typesWithTtl, []),
  doesNotTake(
    "state of the world: nor one that does not say that it can unwrap",
    sotwVariants,
    ["CDS", "EDS"],
    [ttlSpellings[0]],
  ),
  doesNotTake("nor one that only unwraps", allVariants, ["CDS", "EDS"], [...wrapperSpellings]),
];

/** The next message of the type is a sign of life of these. */
async function sign(
  { name, type }: CaseContext,
  stream: XdsStream,
  of: readonly string[],
  last: Response,
): Promise<Response> {
  const response = await stream.accept(type);
  ensureNames(
    response.resources.map((one) => one.name),
    of.map(name),
    "signs of life",
  );
  for (const one of response.resources) {
    ensure(one.body === undefined, `${one.name} came with its body`);
    ensure(one.version === find(last, one.name)?.version, `the version of ${one.name} is ${one.version}`);
    ensure((one.ttlMs ?? 0) > 0, `${one.name} has no time to live`);
  }
  ensure(response.removed.length === 0, "something is removed");
  return response;
}

/**
 * Where signs of life are without a body. In a state-of-the-world response for listeners and clusters Envoy takes what has no
 * body for what is left out, and removes it.
 */
const bodiless = [
  { what: "", variants: deltaVariants, types: typesWithTtl },
  {
    ...{ what: "state of the world, other types: ", variants: sotwVariants },
    types: typesWithTtl.filter((type) => !fullStateTypes.includes(type)),
  },
] as const;

const heartbeats: readonly Case[] = [
  ...bodiless.map(
    ({ what, ...where }): Case => ({
      statement: "TTL-02",
      title: `${what}signs of life come in time, without a body, and are accepted; they end with the time to live`,
      ...where,
      needs: ["state", "ttl"],
      run: async (context) => {
        const { put, name, type, quietMs } = context;
        const ttlMs = 2_000;
        const { stream, response } = await asked(context, both, ttlMs);
        const begun = performance.now();
        const first = await sign(context, stream, ["mortal"], response);
        const tookMs = performance.now() - begun;
        // Half of it would be right; loaded machines get the rest.
        ensure(tookMs < ttlMs, `the first came after ${tookMs.toFixed()} ms`);
        if (stream.variant.wire === "sotw")
          ensure(first.version === response.version, `the version is ${first.version}`);
        await put(resource(type, name("mortal"), 2));
        const changed = await stream.accept(type, (one) => find(one, name("mortal"))?.body !== undefined);
        ensure(find(changed, name("mortal"))?.ttlMs === undefined, "it still has a time to live");
        await stream.quiet(type, 2 * quietMs);
      },
    }),
  ),
  {
    statement: "TTL-02",
    title: "whole sets are never without the body of what is alive, nor without what has no time to live",
    variants: sotwVariants,
    types: fullStateTypes,
    needs: ["state", "ttl"],
    except: { superfluous: "a whole set may come again as a sign of life" },
    run: async (context) => {
      const { name, type } = context;
      const ttlMs = 600;
      const { stream } = await asked(context, both, ttlMs);
      const deadline = performance.now() + ttlMs;
      for (let leftMs = ttlMs; leftMs > 0; leftMs = deadline - performance.now()) {
        const next = await stream.perhaps(type, leftMs);
        if (next === undefined) break;
        stream.ack(next);
        for (const short of ["mortal", "plain"])
          ensure(find(next, name(short))?.body !== undefined, `${short} is not there with its body: Envoy removes it`);
      }
      stream.cancel();
    },
  },
  {
    statement: "TTL-02",
    title: "they come again and again, after changes too",
    variants: allVariants,
    types: ["EDS", "RDS"],
    needs: ["state", "ttl"],
    run: async (context) => {
      const { put, name, type } = context;
      const { stream, response } = await asked(context, both, 600);
      for (let i = 0; i < 2; i++) await sign(context, stream, ["mortal"], response);
      await put(resource(type, name("plain"), 2));
      const { version } = await stream.accept(type, (one) => find(one, name("plain"))?.body !== undefined);
      // Envoy knows a sign of life in a state-of-the-world response by its having the version that came last.
      const next = await sign(context, stream, ["mortal"], response);
      if (stream.variant.wire === "sotw") ensure(next.version === version, `the version is ${next.version}`);
      stream.cancel();
    },
  },
  {
    statement: "TTL-02",
    title: "the time to live taken away, and nothing else changed: that is told, and no sign comes any more",
    variants: allVariants,
    types: ["EDS", "RDS"],
    needs: ["state", "ttl"],
    except: { superfluous: "the body is the same, the time to live is not" },
    run: async (context) => {
      const { put, name, type, quietMs } = context;
      const { stream, response } = await asked(context, both, 300);
      await sign(context, stream, ["mortal"], response);
      await put(resource(type, name("mortal")));
      const told = await stream.accept(type, (one) => find(one, name("mortal"))?.body !== undefined);
      ensure(find(told, name("mortal"))?.ttlMs === undefined, "it still has a time to live");
      await stream.quiet(type, 2 * quietMs);
    },
  },
  {
    statement: "TTL-02",
    title: "who no longer asks for it gets none",
    variants: allVariants,
    types: ["EDS"],
    needs: ["state", "ttl"],
    run: async (context) => {
      const { put, name, type, quietMs } = context;
      await put(resource(type, name("other")));
      const { stream, response } = await asked(context, both, 300);
      const last = await sign(context, stream, ["mortal"], response);
      stream.ack(last, [name("plain"), name("other")]);
      // A sign may cross with that; what is asked for with it comes after.
      await stream.accept(type, has(name("other")));
      await stream.quiet(type, 2 * quietMs);
    },
  },
  {
    statement: "TTL-02",
    title: "a virtual host gets none: without a body it would be one that does not exist",
    variants: deltaVariants,
    types: ["VHDS"],
    needs: ["state", "ttl"],
    run: async ({ put, open, name, type, node, quietMs }) => {
      await put(mortal(resource(type, name("a")), 300));
      const stream = open({ node: { ...node, features: both } });
      stream.ask(type, [name("a")]);
      await stream.accept(type, has(name("a")));
      await stream.quiet(type, Math.max(300, 2 * quietMs));
    },
  },
];

export const ttlCases: readonly Case[] = [...features, ...heartbeats];
