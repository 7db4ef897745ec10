import { setImmediate as turn } from "node:timers/promises";
import type { TypeName } from "../../../src/envoy/resource-types.ts";
import { type Case, ensure, ensureNames } from "../case.ts";
import { resource } from "../resources.ts";
import { allTypes, allVariants, deltaVariants, namedTypes, sotwVariants } from "../variants.ts";
import { accepted, has, offered } from "./offers.ts";

/** Nonces and acceptances; refusals are in `nack.ts`. */
export const ackCases: readonly Case[] = [
  {
    statement: "ACK-01",
    title: "every change has a nonce of its own, also when versions come back",
    variants: allVariants,
    types: allTypes,
    needs: ["state"],
    run: async (context) => {
      const { put, name, type } = context;
      const { stream, response } = await accepted(context, "a");
      const nonces = new Set([response.nonce]);
      // The same two contents, again and again.
      for (const revision of [2, 1, 2, 1]) {
        await put(resource(type, name("a"), revision));
        nonces.add((await stream.accept(type)).nonce);
      }
      ensure(nonces.size === 5, `5 responses had ${nonces.size} nonces`);
    },
  },
  {
    statement: "ACK-01",
    title: "a nonce of an earlier stream in a first request is ignored",
    variants: allVariants,
    types: allTypes,
    needs: ["state"],
    run: async (context) => {
      const { open, name, type } = context;
      const { stream, response } = await accepted(context, "a");
      stream.halfClose();
      await stream.status();
      const next = open();
      next.ask(type, [name("a")], { nonce: response.nonce, version: response.version });
      ensureNames(
        (await next.accept(type)).resources.map((one) => one.name),
        [name("a")],
        "the answer on the new stream",
      );
    },
  },
  {
    statement: "ACK-02",
    title: "an ACK is met with silence",
    variants: allVariants,
    types: allTypes,
    needs: ["state"],
    run: async (context) => {
      const { stream } = await accepted(context, "a", "b");
      await stream.quiet(undefined, context.quietMs);
    },
  },
  {
    statement: "ACK-02",
    title: "an ACK of a wildcard answer, or of an empty one, is met with silence",
    variants: allVariants,
    types: ["LDS", "CDS", "SRDS"],
    needs: [],
    run: async ({ open, type, quietMs }) => {
      const stream = open();
      stream.ask(type);
      await stream.accept(type);
      await stream.quiet(undefined, quietMs);
    },
  },
  ...([true, false] as const).map(
    (repeated): Case => ({
      statement: "ACK-06",
      title: repeated
        ? "a stale request is not answered; acknowledged with its names, the new one comes exactly once"
        : "a stale request is not answered; acknowledged without its names, the new one never comes",
      variants: sotwVariants,
      types: allTypes,
      needs: ["state"],
      run: async (context) => {
        const { put, name, type, quietMs } = context;
        const [a, b] = [name("a"), name("b")];
        const { stream, response: first } = await accepted(context, "a");
        await put(resource(type, b));
        await put(resource(type, a, 2));
        const second = await stream.expect(type);
        stream.ask(type, [a, b], { nonce: first.nonce, version: first.version });
        await stream.quiet(type, quietMs);
        stream.ack(second, repeated ? [a, b] : [a]);
        if (repeated) await stream.accept(type, has(b));
        await stream.quiet(type, quietMs);
      },
    }),
  ),
  {
    statement: "ACK-07",
    title: "an ACK of an older nonce does not accept the newer one",
    variants: allVariants,
    types: allTypes,
    needs: ["state", "receipts", "short-times"],
    run: async (context) => {
      const { put, name, type, server, node, until, quietMs } = context;
      const { stream, response: first } = await offered(context, "a");
      await put(resource(type, name("a"), 2));
      // It comes when the server no longer waits for the first ACK.
      const second = await stream.expect(type);
      stream.ack(first);
      await stream.quiet(type, quietMs);
      const receipt = await server.receipt(node.id, type, name("a"));
      ensure(receipt?.status === "pending", `the newer response is ${receipt?.status}, not pending`);
      stream.ack(second);
      await until(
        "the newer one is accepted",
        async () => (await server.receipt(node.id, type, name("a")))?.status === "accepted",
      );
    },
  },
  {
    statement: "ACK-07",
    title: "a request without a nonce is no ACK",
    variants: deltaVariants,
    types: allTypes,
    needs: ["state", "receipts", "short-times"],
    run: async (context) => {
      const { name, type, put, server, node } = context;
      await put(resource(type, name("b")));
      const { stream, response } = await offered(context, "a");
      stream.ask(type, [name("a"), name("b")]);
      // It comes when the server no longer waits for the first ACK.
      const second = await stream.expect(type, has(name("b")));
      const receipt = await server.receipt(node.id, type, name("a"));
      ensure(receipt?.status === "pending", `the outstanding response is ${receipt?.status}, not pending`);
      stream.ack(response);
      stream.ack(second);
    },
  },
  {
    statement: "ACK-08",
    title: "without any ACK the newest content is delivered in the end",
    variants: allVariants,
    types: allTypes,
    needs: ["state", "short-times"],
    run: async (context) => {
      const { put, name, type } = context;
      const { stream } = await offered(context, "a");
      for (const revision of [2, 3]) {
        await put(resource(type, name("a"), revision));
        await stream.expect(type);
      }
    },
  },
  {
    statement: "ACK-09",
    title: "all names dropped, then one taken up with an empty nonce: it is answered",
    variants: sotwVariants,
    types: namedTypes,
    needs: ["state"],
    run: async (context) => {
      const { name, type, quietMs } = context;
      const { stream, response } = await accepted(context, "a");
      stream.ask(type, [], { nonce: response.nonce, version: response.version });
      await stream.quiet(type, quietMs);
      stream.ask(type, [name("a")]);
      await stream.accept(type, has(name("a")));
    },
  },
  {
    statement: "ACK-09",
    title: "the same names with an empty nonce change nothing",
    variants: sotwVariants,
    types: allTypes,
    needs: ["state"],
    run: async (context) => {
      const { name, type, quietMs } = context;
      const { stream } = await accepted(context, "a");
      await stream.quiet(type, quietMs);
      stream.ask(type, [name("a")]);
      await stream.quiet(type, quietMs);
    },
  },
  {
    statement: "ACK-09",
    title: "names that grow with empty nonces before the first answer are all delivered",
    variants: allVariants,
    types: allTypes,
    needs: ["state"],
    run: async ({ put, open, name, type, quietMs }) => {
      const names = ["a", "b", "c"].map(name);
      await put(...names.map((one) => resource(type, one)));
      const stream = open();
      for (let count = 1; count <= names.length; count++) stream.ask(type, names.slice(0, count));
      const wanted = new Set(names);
      while (wanted.size > 0) {
        for (const one of (await stream.accept(type)).resources) wanted.delete(one.name);
      }
      await stream.quiet(type, quietMs);
    },
  },
  {
    statement: "ACK-10",
    title: "200 quick changes, each answered without delay: every answer is known",
    variants: allVariants,
    types: ["CDS", "EDS"] satisfies readonly TypeName[],
    needs: ["state", "receipts"],
    run: async ({ put, open, name, type, server, node, until }) => {
      await put(resource(type, name("a")));
      const stream = open({ autoAck: true });
      stream.ask(type, [name("a")]);
      for (let revision = 2; revision <= 200; revision++) {
        await put(resource(type, name("a"), revision));
        await turn();
      }
      const last = resource(type, name("a"), 200).bytes;
      await until("the last content", () => {
        const body = stream.received.at(-1)?.resources.find((one) => one.name === name("a"))?.body;
        return body !== undefined && Buffer.compare(body, last) === 0;
      });
      // Were one answer unknown, the resource would be pending for ever.
      await until("accepted", async () => (await server.receipt(node.id, type, name("a")))?.status === "accepted");
    },
  },
  {
    statement: "ACK-11",
    title: "a refusal is kept with its text, cut to a length, and cleared by the next ACK",
    variants: allVariants,
    types: allTypes,
    needs: ["state", "receipts"],
    run: async (context) => {
      const { put, name, type, server, node, until } = context;
      const { stream, response } = await accepted(context, "a");
      ensure(response.nonce !== "", "no nonce");
      await put(resource(type, name("a"), 2));
      const text = `refused by the suite ${"x".repeat(100 * 1024)}`;
      stream.nack(await stream.expect(type), text);
      const refused = await until("the refusal", async () => {
        const receipt = await server.receipt(node.id, type, name("a"));
        return receipt?.status === "refused" ? receipt : undefined;
      });
      const { reason = "" } = refused;
      ensure(reason.startsWith("refused by the suite"), `the text is ${JSON.stringify(reason.slice(0, 100))}`);
      ensure(reason.length < 16 * 1024, `${reason.length} characters of it are kept`);
      await put(resource(type, name("a"), 3));
      await stream.accept(type);
      await until("the refusal is cleared", async () => {
        const receipt = await server.receipt(node.id, type, name("a"));
        return receipt?.status === "accepted" && receipt.reason === undefined;
      });
    },
  },
];
