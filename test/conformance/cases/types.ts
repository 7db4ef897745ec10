import { fromBinary } from "@bufbuild/protobuf";
import { type ServiceError, status } from "@grpc/grpc-js";
import { TypedExtensionConfigSchema } from "../../../src/gen/envoy/config/core/v3/extension_pb.ts";
import { type Case, ensure, ensureNames } from "../case.ts";
import type { NodeFields } from "../client/request.ts";
import type { Response } from "../client/response.ts";
import { listenerWithExtension, resource } from "../resources.ts";
import { allVariants, deltaVariants } from "../variants.ts";
import { accepted, has, isEmpty } from "./offers.ts";

const namesOf = ({ resources }: Response): readonly string[] => resources.map(({ name }) => name);

const secrets: readonly Case[] = [
  ...["1.28.7", "1.29.12"].map(
    (buildVersion): Case => ({
      statement: "TYP-01",
      title: `an Envoy ${buildVersion} is not told that a secret is unknown, or gone, but gets it when it is there`,
      variants: deltaVariants,
      types: ["SDS"],
      needs: ["state"],
      except: { "final-state": "a deletion is kept from it" },
      run: async ({ put, del, open, name, type, node, quietMs }) => {
        const old: NodeFields = { ...node, userAgentName: "envoy", buildVersion };
        const stream = open({ node: old });
        stream.ask(type, [name("s")]);
        await stream.quiet(type, quietMs);
        await put(resource(type, name("s")));
        await stream.accept(type, has(name("s")));
        await del({ type, name: name("s") });
        await stream.quiet(type, quietMs);
        await put(resource(type, name("s"), 2));
        await stream.accept(type, has(name("s")));
      },
    }),
  ),
  {
    statement: "TYP-01",
    title: "an unknown secret does a newer Envoy no harm, and comes when it is there",
    variants: deltaVariants,
    types: ["SDS"],
    needs: ["state"],
    run: async ({ put, open, name, type, node, quietMs }) => {
      const stream = open({ node: { ...node, userAgentName: "envoy", buildVersion: "1.32.0" }, autoAck: true });
      stream.ask(type, [name("s")]);
      const answer = await stream.perhaps(type, quietMs);
      if (answer !== undefined) ensureNames(answer.removed, [name("s")], "the answer");
      await put(resource(type, name("s")));
      await stream.expect(type, has(name("s")));
    },
  },
  {
    statement: "TYP-01",
    title: "a rotation brings that secret alone",
    variants: allVariants,
    types: ["SDS"],
    needs: ["state"],
    run: async (context) => {
      const { put, name, type, quietMs } = context;
      const { stream } = await accepted(context, "a", "b", "c");
      await put(resource(type, name("b"), 2));
      ensureNames(namesOf(await stream.accept(type)), [name("b")], "the rotation");
      await stream.quiet(undefined, quietMs);
    },
  },
  {
    statement: "TYP-01",
    title: "what a client's status shows has no keys in it",
    variants: allVariants,
    types: ["SDS"],
    needs: ["state"],
    run: async (context) => {
      const { put, name, type, connect, node } = context;
      const { stream } = await accepted(context, "s");
      await put(resource(type, name("s"), 4242));
      await stream.accept(type, has(name("s")));
      const path = "/envoy.service.status.v3.ClientStatusDiscoveryService/FetchClientStatus";
      const connection = connect();
      const dump = await connection.call(path, new Uint8Array()).catch((error: ServiceError) => {
        // Who shows nothing shows no keys.
        ensure(error.code === status.UNIMPLEMENTED, `it failed with ${error.message}`);
      });
      connection.close();
      if (dump === undefined) return;
      ensure(dump.includes(node.id) && dump.includes(name("s")), "the client, or its secret, is not shown at all");
      ensure(!dump.includes("not a secret"), "the key is shown");
    },
  },
];

const extensions: readonly Case[] = [
  {
    statement: "TYP-02",
    title: "an extension that a listener refers to is never removed",
    variants: deltaVariants,
    types: ["ECDS"],
    needs: ["state"],
    except: { "final-state": "a deletion is kept from the client" },
    run: async (context) => {
      const { put, del, name, type, quietMs } = context;
      await put(listenerWithExtension(name("l"), name("a")));
      const { stream } = await accepted(context, "a");
      await del({ type, name: name("a") });
      await stream.quiet(type, 2 * quietMs);
      await put(resource(type, name("a"), 2));
      await stream.accept(type, has(name("a")));
    },
  },
  {
    statement: "TYP-02",
    title: "nor is its listener, which would be no better",
    variants: ["ads-sotw", "ads-delta"],
    types: ["ECDS"],
    needs: ["state"],
    except: { "final-state": "a deletion is kept from the client" },
    run: async (context) => {
      const { put, del, name, type, quietMs } = context;
      await put(listenerWithExtension(name("l"), name("a")));
      const { stream } = await accepted(context, "a");
      stream.ask("LDS");
      await stream.accept("LDS", has(name("l")));
      await del({ type, name: name("a") });
      await stream.quiet(undefined, 2 * quietMs);
    },
  },
  {
    statement: "TYP-02",
    title: "when the listener goes on without it, it is not removed before that is acknowledged",
    variants: ["ads-delta"],
    types: ["ECDS"],
    needs: ["state"],
    except: { "final-state": "a deletion is kept from the client" },
    run: async (context) => {
      const { put, change, name, type, quietMs } = context;
      await put(listenerWithExtension(name("l"), name("a")));
      const { stream } = await accepted(context, "a");
      stream.ask("LDS");
      await stream.accept("LDS", has(name("l")));
      await change([resource("LDS", name("l"), 2)], [{ type, name: name("a") }]);
      const listeners = await stream.expect("LDS", has(name("l")));
      await stream.quiet(type, quietMs);
      stream.ack(listeners);
      const after = await stream.perhaps(type, 2 * quietMs);
      if (after !== undefined) {
        ensureNames([...namesOf(after), ...after.removed], [name("a")], "what comes then");
        stream.ack(after);
      }
    },
  },
  {
    statement: "TYP-02",
    title: "a name that nobody has is not answered as removed",
    variants: deltaVariants,
    types: ["ECDS"],
    needs: ["state"],
    run: async ({ put, open, name, type, quietMs }) => {
      const stream = open();
      stream.ask(type, [name("a")]);
      await stream.quiet(type, quietMs);
      await put(resource(type, name("a")));
      await stream.accept(type, has(name("a")));
    },
  },
  {
    statement: "TYP-02",
    title: "the configuration has a type that its listener permits, from version to version",
    variants: allVariants,
    types: ["ECDS"],
    needs: ["state"],
    run: async (context) => {
      const { put, name, type } = context;
      const permitted = "type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer";
      await put(listenerWithExtension(name("l"), name("a"), permitted));
      const { stream, response } = await accepted(context, "a");
      await put(resource(type, name("a"), 2));
      for (const { resources } of [response, await stream.accept(type)]) {
        const [{ body } = {}] = resources;
        const inside = body && fromBinary(TypedExtensionConfigSchema, body).typedConfig?.typeUrl;
        ensure(inside === permitted, `it is a ${inside}`);
      }
    },
  },
];

const layers: readonly Case[] = [
  {
    statement: "TYP-03",
    title: "an unknown layer is answered with an empty one, and comes when it is there",
    variants: allVariants,
    types: ["RTDS"],
    needs: ["state"],
    run: async ({ put, open, name, type, quietMs }) => {
      const stream = open();
      stream.ask(type, [name("layer")]);
      await stream.accept(type, isEmpty(name("layer")));
      await stream.quiet(type, quietMs);
      await put(resource(type, name("layer")));
      await stream.accept(type, (one) => has(name("layer"))(one) && !isEmpty(name("layer"))(one));
    },
  },
  {
    statement: "TYP-03",
    title: "known and unknown layers of one request are all answered",
    variants: allVariants,
    types: ["RTDS"],
    needs: ["state"],
    run: async ({ put, open, name, type }) => {
      await put(resource(type, name("a")));
      const stream = open();
      stream.ask(type, [name("a"), name("b")]);
      const wanted = new Set([name("a"), name("b")]);
      while (wanted.size > 0) for (const one of namesOf(await stream.accept(type))) wanted.delete(one);
    },
  },
  {
    statement: "TYP-03",
    title: "a deleted layer is emptied",
    variants: allVariants,
    types: ["RTDS"],
    needs: ["state"],
    run: async (context) => {
      const { del, name, type } = context;
      const { stream } = await accepted(context, "a");
      await del({ type, name: name("a") });
      await stream.accept(type, (one) => isEmpty(name("a"))(one) || one.removed.includes(name("a")));
    },
  },
];

export const typeCases: readonly Case[] = [...secrets, ...extensions, ...layers];
