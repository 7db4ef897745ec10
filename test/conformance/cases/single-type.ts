import { status } from "@grpc/grpc-js";
import { resourceType, resourceTypes, type TypeName } from "../../../src/envoy/resource-types.ts";
import { type Case, ensure, ensureNames } from "../case.ts";
import { resource } from "../resources.ts";
import { allTypes, type VariantName, variantOf } from "../variants.ts";

const singleVariants: readonly VariantName[] = ["single-sotw", "single-delta"];

/** SNG-01 is also what every other case says in the single-type variants. */
export const singleTypeCases: readonly Case[] = [
  ...(["explicit", "empty"] as const).map(
    (form): Case => ({
      statement: "SNG-01",
      title: `asked, accepted, changed: with an ${form} type_url`,
      variants: singleVariants,
      types: allTypes,
      needs: ["state"],
      run: async ({ put, open, name, type, quietMs }) => {
        const a = name("a");
        const typeUrl = form === "empty" ? "" : resourceType(type).url;
        await put(resource(type, a));
        const stream = open();
        stream.ask(type, [a], { typeUrl });
        const first = await stream.expect(type);
        ensureNames(
          first.resources.map((one) => one.name),
          [a],
          "the first answer",
        );
        stream.ask(type, [a], { typeUrl, nonce: first.nonce, version: first.version });
        await stream.quiet(type, quietMs);
        await put(resource(type, a, 2));
        const second = await stream.expect(type);
        stream.ask(type, [a], { typeUrl, nonce: second.nonce, version: second.version });
        ensure(second.version !== first.version, "the version did not change with the content");
      },
    }),
  ),
  {
    statement: "SNG-02",
    title: "another type: INVALID_ARGUMENT, and nothing of it",
    variants: singleVariants,
    types: allTypes,
    needs: [],
    run: async ({ open, type }) => {
      const other = type === "LDS" ? "CDS" : "LDS";
      const stream = open();
      stream.ask(other, []);
      const { code, details } = await stream.status();
      ensure(code === status.INVALID_ARGUMENT, `the stream ended with ${code} (${details})`);
      ensure(stream.received.length === 0, "a response came before the refusal");
    },
  },
  {
    statement: "SNG-02",
    title: "Fetch methods: UNIMPLEMENTED",
    variants: ["single-sotw"],
    types: allTypes,
    needs: [],
    run: async ({ connect, type }) => {
      const { path, fetch } = resourceType(type).service;
      const code = await connect()
        .call(`${path}/${fetch}`, new Uint8Array())
        .then(
          () => status.OK,
          (error: { readonly code: number }) => error.code,
        );
      ensure(code === status.UNIMPLEMENTED, `the call ended with ${code}`);
    },
  },
  {
    statement: "SNG-02",
    title: "VHDS and LEDS have no state-of-the-world method: UNIMPLEMENTED",
    variants: ["single-delta"],
    types: ["VHDS"],
    needs: [],
    run: async ({ connect }) => {
      for (const { service } of resourceTypes.filter((type) => type.service.sotw === undefined)) {
        const method = service.delta?.replace("Delta", "Stream");
        const code = await connect()
          .call(`${service.path}/${method}`, new Uint8Array())
          .then(
            () => status.OK,
            (error: { readonly code: number }) => error.code,
          );
        ensure(code === status.UNIMPLEMENTED, `${method} ended with ${code}`);
      }
    },
  },
  {
    statement: "SNG-03",
    title: "200 streams of one node, one name each: each gets its own, and one closing does not matter",
    variants: singleVariants,
    types: ["EDS", "RDS"] satisfies readonly TypeName[],
    needs: ["state"],
    run: async ({ put, open, name, type, variant }) => {
      const names = Array.from({ length: 200 }, (_, index) => name(`n${index}`));
      await put(...names.map((one) => resource(type, one)));
      const streams = names.map((one) => {
        const stream = open({ variant: variantOf(variant.name) });
        stream.ask(type, [one]);
        return { stream, one };
      });
      for (const { stream, one } of streams) {
        ensureNames(
          (await stream.accept(type)).resources.map((found) => found.name),
          [one],
          "a stream's answer",
        );
      }
      for (const { stream } of streams.slice(0, 100)) stream.cancel();
      await put(...names.map((one) => resource(type, one, 2)));
      for (const { stream, one } of streams.slice(100)) {
        ensureNames(
          (await stream.accept(type)).resources.map((found) => found.name),
          [one],
          "after a change",
        );
      }
    },
  },
];
