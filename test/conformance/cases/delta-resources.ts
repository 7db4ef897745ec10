import { setImmediate as turn } from "node:timers/promises";
import { resourceType } from "../../../src/envoy/resource-types.ts";
import { type Case, type CaseContext, ensure, ensureNames } from "../case.ts";
import type { Response } from "../client/response.ts";
import type { XdsStream } from "../client/stream.ts";
import { type RawResource, resource } from "../resources.ts";
import { allTypes, deltaVariants, wildcardTypes } from "../variants.ts";
import { acceptContent, carries, gather, namesIn } from "./gather.ts";
import { accepted, has, offered } from "./offers.ts";

/** ECDS is left out where removals are told: Envoy would delete a filter that is in use (TYP-02). */
const removableTypes = allTypes.filter((type) => type !== "ECDS");

/** What a NACK leaves behind is not what the server has. */
const refusedAtTheEnd = { "final-state": "the client has refused the newest state" } as const;

/** Fails unless the response consists of these resources and these removals. */
function ensureIs(response: Response, resources: readonly string[], removed: readonly string[]): void {
  ensureNames(namesIn(response), resources, "resources");
  ensureNames(response.removed, removed, "removed resources");
}

/** Many resources, followed as the type is usually followed: by wildcard, or by their names. */
async function followMany(
  context: CaseContext,
  count: number,
): Promise<{ stream: XdsStream; names: readonly string[] }> {
  const { put, open, name, type } = context;
  const names = Array.from({ length: count }, (_, index) => name(`many-${index}`));
  await put(...names.map((one) => resource(type, one)));
  const stream = open();
  stream.ask(type, resourceType(type).wildcard ? ["*"] : names);
  await gather(stream, type, { present: names });
  return { stream, names };
}

/** What is in a delta response, and when it comes; refusals and parts are at the end. */
export const deltaResourceCases: readonly Case[] = [
  {
    statement: "DEL-01",
    title: "a resource has name, version and body; other content has another version, and its old content the old one",
    variants: deltaVariants,
    types: allTypes,
    needs: ["state", "raw"],
    run: async (context) => {
      const { put, name, type } = context;
      const a = name("a");
      const { stream, response } = await accepted(context, "a");
      const versions: string[] = [];
      const look = (response: Response, wanted: RawResource): void => {
        const [one] = response.resources;
        ensure(one?.name === a, `the name is ${JSON.stringify(one?.name)}`);
        ensure(one.version !== "", "no version");
        ensure(carries(wanted)(response), `the body is not that of ${a}`);
        versions.push(one.version);
      };
      look(response, resource(type, a, 1));
      for (const revision of [2, 3, 1]) {
        const next = resource(type, a, revision);
        await put(next);
        look(await stream.accept(type), next);
      }
      ensure(new Set(versions).size === 3, `3 contents in turn, 1, 2, 3, 1, had the versions ${versions.join(", ")}`);
      ensure(versions[0] === versions[3], `the same content had versions ${versions[0]} and ${versions[3]}`);
    },
  },
  {
    statement: "DEL-01",
    title: "computed again without a change: silence; then what changes comes alone",
    variants: deltaVariants,
    types: allTypes,
    needs: ["state", "touch"],
    run: async (context) => {
      const { put, name, type, server, quietMs } = context;
      const { stream } = await accepted(context, "a", "b");
      for (let i = 0; i < 3; i++) await server.touch();
      await stream.quiet(undefined, quietMs);
      const next = resource(type, name("b"), 2);
      await put(next);
      ensureNames(await acceptContent(stream, next), [name("b")], "resources");
    },
  },
  {
    statement: "DEL-02",
    title: "of 100 resources one changes: it comes alone, and nothing is removed",
    variants: deltaVariants,
    types: allTypes,
    needs: ["state"],
    run: async (context) => {
      const { put, name, type, quietMs } = context;
      const { stream } = await followMany(context, 100);
      await put(resource(type, name("many-7"), 2));
      ensureIs(await stream.accept(type), [name("many-7")], []);
      await stream.quiet(undefined, quietMs);
    },
  },
  {
    statement: "DEL-02",
    title: "one of 100 is new and another one gone: nothing else is told",
    variants: deltaVariants,
    types: wildcardTypes,
    needs: ["state"],
    run: async (context) => {
      const { change, name, type, quietMs } = context;
      const { stream } = await followMany(context, 100);
      await change([resource(type, name("new"))], [{ type, name: name("many-7") }]);
      const { responses } = await gather(stream, type, { present: [name("new")], removed: [name("many-7")] });
      const told = responses.flatMap((response) => [...namesIn(response), ...response.removed]);
      ensureNames(told, [name("new"), name("many-7")], "what was told");
      await stream.quiet(undefined, quietMs);
    },
  },
  {
    statement: "DEL-02",
    title: "one more name: what is held is not sent again",
    variants: deltaVariants,
    types: allTypes,
    needs: ["state"],
    run: async (context) => {
      const { put, name, type, quietMs } = context;
      const { stream } = await accepted(context, "a");
      await put(resource(type, name("b")));
      stream.send(type, { subscribe: [name("b")] });
      ensureIs(await stream.accept(type), [name("b")], []);
      await stream.quiet(undefined, quietMs);
    },
  },
  {
    statement: "DEL-02",
    title: "one resource cannot be computed: nothing is removed, and the others' changes come",
    variants: deltaVariants,
    types: allTypes,
    needs: ["state", "fail"],
    except: { "final-state": "the server could not compute the newest state of one resource" },
    run: async (context) => {
      const { put, name, type, server, quietMs } = context;
      const { stream } = await followMany(context, 20);
      await server.fail({ type, name: name("many-3") });
      await put(resource(type, name("many-3"), 2), resource(type, name("many-7"), 2));
      ensureIs(await stream.accept(type), [name("many-7")], []);
      await stream.quiet(undefined, quietMs);
      await server.fail(undefined);
      await server.touch();
      ensureIs(await stream.accept(type), [name("many-3")], []);
    },
  },
  {
    statement: "DEL-07",
    title: "a deletion is told once; put again, the resource is sent without being asked for",
    variants: deltaVariants,
    types: removableTypes,
    needs: ["state"],
    run: async (context) => {
      const { put, del, name, type, quietMs } = context;
      const { stream } = await accepted(context, "a", "b");
      await del({ type, name: name("a") });
      ensureIs(await stream.accept(type), [], [name("a")]);
      await stream.quiet(undefined, quietMs);
      // Later news of others do not bring it up again.
      await put(resource(type, name("b"), 2));
      ensureIs(await stream.accept(type), [name("b")], []);
      await put(resource(type, name("a")));
      ensureIs(await stream.accept(type), [name("a")], []);
      await stream.quiet(undefined, quietMs);
    },
  },
  {
    statement: "DEL-07",
    title: "the same under a wildcard",
    variants: deltaVariants,
    types: wildcardTypes,
    needs: ["state"],
    run: async (context) => {
      const { put, del, name, type, quietMs } = context;
      const { stream } = await followMany(context, 3);
      await del({ type, name: name("many-1") });
      ensureIs(await stream.accept(type), [], [name("many-1")]);
      await stream.quiet(undefined, quietMs);
      await put(resource(type, name("many-1")));
      ensureIs(await stream.accept(type), [name("many-1")], []);
      await stream.quiet(undefined, quietMs);
    },
  },
  {
    statement: "DEL-07",
    title: "an extension that is gone and comes back is sent, whether or not its end was told",
    variants: deltaVariants,
    types: ["ECDS"],
    needs: ["state"],
    run: async (context) => {
      const { put, del, name, type } = context;
      const { stream } = await accepted(context, "a");
      await del({ type, name: name("a") });
      const again = resource(type, name("a"), 2);
      await put(again);
      await acceptContent(stream, again);
    },
  },
  {
    statement: "DEL-07",
    title: "deleted and made anew in one change: an update, and no removal",
    variants: deltaVariants,
    types: allTypes,
    needs: ["state"],
    run: async (context) => {
      const { change, name, type, quietMs } = context;
      const { stream } = await accepted(context, "a", "b");
      await change([resource(type, name("a"), 2)], [{ type, name: name("a") }]);
      ensureIs(await stream.accept(type), [name("a")], []);
      await stream.quiet(undefined, quietMs);
    },
  },
  {
    statement: "DEL-09",
    title: "refused alone, a resource is not sent again; its next change is, and nothing else",
    variants: deltaVariants,
    types: allTypes,
    needs: ["state"],
    run: async (context) => {
      const { put, name, type, quietMs } = context;
      const { stream } = await accepted(context, "a", "b");
      await put(resource(type, name("a"), 2));
      stream.nack(await stream.expect(type), "refused by the suite");
      await stream.quiet(undefined, quietMs);
      await put(resource(type, name("a"), 3));
      ensureIs(await stream.accept(type), [name("a")], []);
      await stream.quiet(undefined, quietMs);
    },
  },
  ...(["a", "b"] as const).map(
    (bad): Case => ({
      statement: "DEL-09",
      title: `two are refused for the ${bad === "a" ? "first" : "second"}: at most each comes once more, alone; then only what changes`,
      variants: deltaVariants,
      types: allTypes,
      needs: ["state"],
      run: async (context) => {
        const { put, name, type, quietMs } = context;
        const { stream } = await accepted(context, "a", "b");
        await put(resource(type, name("a"), 2), resource(type, name("b"), 2));
        stream.nack(await stream.expect(type, has(name(bad))), "refused by the suite");
        const again = new Set<string>();
        while (again.size < 2) {
          const part = await stream.perhaps(type, 2 * quietMs);
          if (part === undefined) break;
          const [one = "nothing", ...others] = [...namesIn(part), ...part.removed];
          ensure(others.length === 0, `${[one, ...others].join(" and ")} came again together`);
          ensure(!again.has(one), `${one} came again twice`);
          again.add(one);
          if (one === name(bad)) stream.nack(part, "refused by the suite");
          else stream.ack(part);
        }
        await put(resource(type, name(bad), 3));
        ensureIs(await stream.accept(type), [name(bad)], []);
        await stream.quiet(undefined, quietMs);
      },
    }),
  ),
  {
    statement: "DEL-09",
    title: "what stays refused does not keep others back",
    variants: deltaVariants,
    types: allTypes,
    needs: ["state"],
    except: refusedAtTheEnd,
    run: async (context) => {
      const { put, name, type, quietMs } = context;
      const { stream, response } = await offered(context, "a");
      stream.nack(response, "refused by the suite");
      await put(resource(type, name("b")));
      stream.send(type, { subscribe: [name("b")] });
      ensureIs(await stream.accept(type), [name("b")], []);
      await put(resource(type, name("b"), 2));
      ensureIs(await stream.accept(type), [name("b")], []);
      await stream.quiet(undefined, quietMs);
    },
  },
  ...([true, false] as const).map(
    (answered): Case => ({
      statement: "DEL-13",
      title: `40 quick deletions and additions, ${answered ? "each answered at once" : "answered late"}: no name twice, nor in both lists`,
      variants: deltaVariants,
      types: allTypes,
      needs: ["state"],
      run: async (context) => {
        const { change, open, name, type, until } = context;
        const names = ["a", "b", "c", "d"].map(name);
        await context.put(...names.map((one) => resource(type, one)));
        const stream = open({ autoAck: answered });
        stream.ask(type, names);
        /** The client has caught up; the invariants have looked at all that came on the way. */
        const caughtUp = async (...wanted: readonly RawResource[]): Promise<void> => {
          await until("the newest content", () => {
            const [last] = stream.received.slice(-1);
            if (!answered && last !== undefined) stream.ack(last);
            return wanted.every((one) => stream.received.some(carries(one)));
          });
        };
        await caughtUp(...names.map((one) => resource(type, one)));
        for (let round = 0; round < 40; round++) {
          const newest = resource(type, names[(round * 3 + 1) % names.length] ?? "", round + 2);
          const gone = names[(round * 3) % names.length] ?? "";
          await change([newest], [{ type, name: gone }]);
          await turn();
          if (round % 4 === 3) await caughtUp(newest);
        }
        const last = names.map((one) => resource(type, one, 100));
        await change(last, []);
        await caughtUp(...last);
      },
    }),
  ),
];
