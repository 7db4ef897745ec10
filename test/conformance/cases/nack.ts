import { type Case, ensure } from "../case.ts";
import type { Response } from "../client/response.ts";
import { resource } from "../resources.ts";
import { allTypes, allVariants, deltaVariants, sotwVariants } from "../variants.ts";
import { accepted, has, offered } from "./offers.ts";

/** What a NACK leaves behind is not what the server has. */
const refusedAtTheEnd = { "final-state": "the client has refused the newest state" } as const;

const nackVersions = [
  { of: "the rejected version", version: (_before: Response, rejected: Response) => rejected.version },
  { of: "the version before", version: (before: Response) => before.version },
  { of: "no version", version: () => "" },
] as const;

const partOf = ({ resources }: Response): string =>
  resources
    .map(({ name }) => name)
    .sort()
    .join(" ");

/** What a refusal brings, and does not bring. */
export const nackCases: readonly Case[] = [
  ...nackVersions.map(
    ({ of, version }): Case => ({
      statement: "ACK-03",
      title: `a NACK with ${of} is a NACK`,
      variants: sotwVariants,
      types: allTypes,
      needs: ["state", "counters", "receipts"],
      except: refusedAtTheEnd,
      run: async (context) => {
        const { put, name, type, server, node, until, quietMs } = context;
        const { stream, response: before } = await accepted(context, "a");
        const { nacks } = await server.stats();
        await put(resource(type, name("a"), 2));
        const rejected = await stream.expect(type);
        stream.nack(rejected, "refused by the suite", { version: version(before, rejected) });
        await until("the NACK is counted", async () => (await server.stats()).nacks === nacks + 1);
        const receipt = await server.receipt(node.id, type, name("a"));
        ensure(receipt?.status === "refused", `the resource is ${receipt?.status}, not refused`);
        await stream.quiet(undefined, quietMs);
      },
    }),
  ),
  {
    statement: "ACK-03",
    title: "a NACK is a NACK",
    variants: deltaVariants,
    types: allTypes,
    needs: ["state", "counters", "receipts"],
    except: refusedAtTheEnd,
    run: async (context) => {
      const { name, type, server, node, until, quietMs } = context;
      const { stream, response } = await offered(context, "a");
      stream.nack(response, "refused by the suite");
      await until("the NACK is counted", async () => (await server.stats()).nacks === 1);
      const receipt = await server.receipt(node.id, type, name("a"));
      ensure(receipt?.status === "refused", `the resource is ${receipt?.status}, not refused`);
      await stream.quiet(undefined, quietMs);
    },
  },
  {
    statement: "ACK-03",
    title: "an error without a text is a NACK all the same",
    variants: allVariants,
    types: ["CDS"],
    needs: ["state", "counters"],
    except: refusedAtTheEnd,
    run: async (context) => {
      const { server, until, quietMs } = context;
      const { stream, response } = await offered(context, "a");
      stream.ask(context.type, [context.name("a")], { nonce: response.nonce, error: { code: 0, message: "" } });
      await until("the NACK is counted", async () => (await server.stats()).nacks === 1);
      await stream.quiet(undefined, quietMs);
    },
  },
  {
    statement: "ACK-04",
    title: "a NACK of one resource is met with silence",
    variants: allVariants,
    types: allTypes,
    needs: ["state"],
    except: refusedAtTheEnd,
    run: async (context) => {
      const { stream, response } = await offered(context, "a");
      stream.nack(response, "refused by the suite");
      await stream.quiet(undefined, 2 * context.quietMs);
    },
  },
  {
    statement: "ACK-04",
    title: "the same NACK 100 times is met with silence",
    variants: allVariants,
    types: allTypes,
    needs: ["state"],
    except: refusedAtTheEnd,
    run: async (context) => {
      const { stream, response } = await offered(context, "a");
      for (let i = 0; i < 100; i++) stream.nack(response, "refused by the suite");
      await stream.quiet(undefined, 2 * context.quietMs);
    },
  },
  {
    statement: "ACK-04",
    title:
      "computed again to the same bytes, what was refused is not sent again; changed, it is sent at once, as another version",
    variants: allVariants,
    types: allTypes,
    needs: ["state", "touch"],
    run: async (context) => {
      const { put, name, type, server, quietMs } = context;
      const { stream, response } = await offered(context, "a");
      stream.nack(response, "refused by the suite");
      await server.touch();
      await stream.quiet(undefined, quietMs);
      await put(resource(type, name("a"), 2));
      const changed = await stream.accept(type);
      ensure(changed.version !== response.version, "the version did not change with the content");
    },
  },
  {
    statement: "ACK-04",
    title: "a refused message of several is at most sent in parts, each once, and then there is silence",
    variants: allVariants,
    types: allTypes,
    needs: ["state"],
    except: refusedAtTheEnd,
    run: async (context) => {
      const { type, name, quietMs } = context;
      const shorts = ["a", "b", "c", "d"];
      const { stream, response } = await offered(context, ...shorts);
      const bad = name("c");
      const parts = new Set<string>();
      // The invariants see to it that a part comes once, and what was refused alone never again; how many parts it takes, and
      // whether any, is the server's business. What came late because the machine is busy is a part like any other.
      for (let next: Response | undefined = response; next !== undefined; ) {
        const part = partOf(next);
        ensure(!parts.has(part), `{${part}} came twice`);
        parts.add(part);
        ensure(parts.size <= 8, `more parts than halving needs: ${[...parts].join(", ")}`);
        if (has(bad)(next)) stream.nack(next, `${bad} is refused by the suite`);
        else stream.ack(next);
        next = await stream.perhaps(type, 2 * quietMs);
      }
      ensure(!stream.ended, "the stream ended");
    },
  },
  {
    statement: "ACK-04",
    title: "a refused first answer does not keep later resources back",
    variants: allVariants,
    types: allTypes,
    needs: ["state"],
    run: async (context) => {
      const { put, name, type } = context;
      const { stream, response } = await offered(context, "a");
      stream.nack(response, "refused by the suite", { names: [name("a"), name("b")] });
      await put(resource(type, name("a"), 2), resource(type, name("b")));
      const wanted = new Set([name("a"), name("b")]);
      while (wanted.size > 0) {
        for (const one of (await stream.accept(type)).resources) wanted.delete(one.name);
      }
    },
  },
  {
    statement: "ACK-05",
    title: "names added in a NACK are answered, again with the same nonce and error",
    variants: allVariants,
    types: allTypes,
    needs: ["state"],
    except: refusedAtTheEnd,
    run: async (context) => {
      const { put, name, type } = context;
      const [a, b, c] = [name("a"), name("b"), name("c")];
      const { stream, response } = await offered(context, "a");
      await put(resource(type, b), resource(type, c));
      stream.nack(response, "refused by the suite", { names: [a, b] });
      await stream.expect(type, has(b));
      // As grpc-js does: the old error with the old nonce, and one name more.
      stream.nack(response, "refused by the suite", { names: [a, b, c] });
      await stream.expect(type, has(c));
    },
  },
  {
    statement: "ACK-05",
    title: "names dropped in a NACK get no more updates",
    variants: allVariants,
    types: allTypes,
    needs: ["state"],
    except: refusedAtTheEnd,
    run: async (context) => {
      const { put, name, type, quietMs } = context;
      const { stream } = await accepted(context, "a", "b");
      await put(resource(type, name("a"), 2));
      stream.nack(await stream.expect(type), "refused by the suite", { names: [name("a")] });
      await stream.quiet(type, quietMs);
      await put(resource(type, name("b"), 2));
      await stream.quiet(type, quietMs);
    },
  },
];
