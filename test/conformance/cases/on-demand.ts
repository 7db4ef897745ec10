import { type Case, ensure, ensureNames } from "../case.ts";
import type { Response } from "../client/response.ts";
import { resource } from "../resources.ts";
import { deltaVariants } from "../variants.ts";
import { has } from "./offers.ts";

const namesOf = ({ resources }: Response): readonly string[] => resources.map(({ name }) => name);

/** What a client waits for at most, unless it is told otherwise, is 5 s; a good answer is not measured in seconds. */
const quicklyMs = 2_000;

const hosts: readonly Case[] = [
  {
    statement: "TYP-04",
    title: "a host is named after its route table, whose name may have slashes of its own",
    variants: deltaVariants,
    types: ["VHDS"],
    needs: ["state"],
    run: async ({ put, open, name, type }) => {
      const asked = [`${name("r")}/example.com`, `${name("r")}/with/slashes/example.com`];
      await put(...asked.map((one) => resource(type, one)), resource(type, `${name("r")}/other.com`));
      const stream = open();
      stream.ask(type, asked);
      ensureNames(namesOf(await stream.accept(type)), asked, "the answer");
    },
  },
  {
    statement: "TYP-04",
    title: "an unknown host is answered without a body, under its alias, and comes when it is there",
    variants: deltaVariants,
    types: ["VHDS"],
    needs: ["state"],
    run: async ({ put, open, name, type, quietMs }) => {
      const host = `${name("r")}/none`;
      const stream = open();
      stream.ask(type, [host]);
      const { resources, removed } = await stream.accept(type);
      const [answer] = resources;
      ensure(resources.length === 1 && answer?.name === host, `the answer names {${resources.map((one) => one.name)}}`);
      ensure(answer.body === undefined, "the answer has a body");
      ensure(answer.aliases.includes(host), `its aliases are {${answer.aliases}}`);
      ensure(removed.length === 0, "it is also called removed");
      await stream.quiet(type, quietMs);
      await put(resource(type, host));
      await stream.accept(type, (one) => one.resources.some(({ name: found, body }) => found === host && body));
    },
  },
  {
    statement: "TYP-04",
    title: "known and unknown hosts of one request are all answered",
    variants: deltaVariants,
    types: ["VHDS"],
    needs: ["state"],
    run: async ({ put, open, name, type }) => {
      const asked = [`${name("r")}/there`, `${name("r")}/none`];
      await put(resource(type, `${name("r")}/there`));
      const stream = open();
      stream.ask(type, asked);
      const wanted = new Set(asked);
      while (wanted.size > 0) for (const one of namesOf(await stream.accept(type))) wanted.delete(one);
    },
  },
  {
    statement: "TYP-04",
    title: "behind a changed route table its hosts come again, and no others",
    variants: ["ads-delta"],
    types: ["VHDS"],
    needs: ["state"],
    except: { superfluous: "the client has forgotten the hosts of a changed table" },
    run: async ({ put, open, name, type, quietMs }) => {
      const table = `${name("r")}/with/slashes`;
      const [host, other] = [`${table}/example.com`, `${name("r")}/with/example.com`] as const;
      await put(resource("RDS", table), resource(type, host), resource(type, other));
      const stream = open();
      stream.ask("RDS", [table]);
      await stream.accept("RDS", has(table));
      stream.ask(type, [host, other]);
      await stream.accept(type, has(host));
      await put(resource("RDS", table, 2));
      const { index } = await stream.accept("RDS", has(table));
      const again = await stream.accept(type);
      ensure(index < again.index, "the hosts came before their table");
      ensureNames(namesOf(again), [host], "the hosts that came again");
      await stream.quiet(undefined, quietMs);
    },
  },
];

const clusters: readonly Case[] = [
  {
    statement: "TYP-05",
    title: "a name alone in the first request brings that cluster, and no other",
    variants: deltaVariants,
    types: ["CDS"],
    needs: ["state"],
    run: async ({ put, open, name, type, quietMs }) => {
      await put(...["c", "d", "e"].map((short) => resource(type, name(short))));
      const stream = open();
      stream.ask(type, [name("c")]);
      const { resources, removed } = await stream.expect(type, () => true, quicklyMs);
      ensureNames([...resources.map((one) => one.name), ...removed], [name("c")], "the answer");
      await put(resource(type, name("d"), 2));
      await stream.quiet(type, quietMs);
    },
  },
  ...[false, true].map(
    (wildcard): Case => ({
      statement: "TYP-05",
      title: `a name that nobody has is quickly answered as removed, ${wildcard ? "beside the wildcard too" : "alone"}`,
      variants: deltaVariants,
      types: ["CDS"],
      needs: ["state"],
      run: async ({ put, open, name, type }) => {
        await put(resource(type, name("c")));
        const stream = open();
        stream.ask(type, wildcard ? ["*"] : [name("c")]);
        await stream.accept(type, has(name("c")));
        stream.send(type, { subscribe: [name("nope")] });
        const { resources, removed } = await stream.expect(type, () => true, quicklyMs);
        ensureNames(removed, [name("nope")], "what is removed");
        ensure(resources.length === 0, "and something came with it");
      },
    }),
  ),
  {
    statement: "TYP-05",
    title: "beside the wildcard a name that it covers is answered with the cluster",
    variants: deltaVariants,
    types: ["CDS"],
    needs: ["state"],
    run: async ({ put, open, name, type }) => {
      await put(resource(type, name("c")), resource(type, name("d")));
      const stream = open();
      stream.ask(type);
      await stream.accept(type);
      stream.send(type, { subscribe: [name("c")] });
      ensureNames(namesOf(await stream.expect(type, () => true, quicklyMs)), [name("c")], "the answer");
    },
  },
  {
    statement: "TYP-05",
    title: "what the wildcard does not cover comes when it is asked for, and its changes with it",
    variants: deltaVariants,
    types: ["CDS"],
    needs: ["state", "on-demand"],
    run: async ({ put, open, name, type, quietMs }) => {
      const z = name("z");
      await put(resource(type, name("c")), { ...resource(type, z), onDemand: true });
      const stream = open();
      stream.ask(type);
      ensureNames(namesOf(await stream.accept(type)), [name("c")], "the wildcard's answer");
      await put({ ...resource(type, z, 2), onDemand: true });
      await stream.quiet(type, quietMs);
      stream.send(type, { subscribe: [z] });
      stream.ack(await stream.expect(type, has(z), quicklyMs));
      await put({ ...resource(type, z, 3), onDemand: true });
      ensureNames(namesOf(await stream.accept(type)), [z], "the change");
    },
  },
];

export const onDemandCases: readonly Case[] = [...hosts, ...clusters];
