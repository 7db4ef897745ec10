import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { resourceType, type TypeName } from "../../../src/envoy/resource-types.ts";
import { type Case, ensure, ensureNames } from "../case.ts";
import type { Response } from "../client/response.ts";
import { resource } from "../resources.ts";
import { allTypes, allVariants, deltaVariants } from "../variants.ts";
import { has } from "./offers.ts";

const namesOf = ({ resources }: Response): readonly string[] => resources.map(({ name }) => name);

/** `xdstp://suite/<type>/<id>`. */
const xdstp = (type: TypeName, id: string, authority = "suite"): string =>
  `xdstp://${authority}/${resourceType(type).url.split("/").at(-1)}/${id}`;

const opaque: readonly (readonly [string, (type: TypeName) => string])[] = [
  ["slashes, a question mark and brackets", () => "grpc/server?xds.resource.listening_address=[::]:5072"],
  ["parameters in no order, one twice", () => "a?z=1&b=2&z=1&a"],
  ["spaces and percent signs", () => "a b/c%20d%2Fe%"],
  ["other scripts", () => "ünïcode/日本語/🜁"],
  ["slashes alone, dots and a star", () => "//../*.example.com"],
  ["an xdstp name with a parameter", (type) => xdstp(type, "a/b?c=d")],
  ["an xdstp name with percent signs", (type) => xdstp(type, "a%20b/%5B::%5D:80?c%20=%26")],
  ["an xdstp name with a directive", (type) => xdstp(type, "a?b=c#alt=xdstp://other/x")],
];

const plainNames: readonly Case[] = [
  ...opaque.map(
    ([what, nameOf]): Case => ({
      statement: "XTP-01",
      title: `${what}: the name comes back as it was asked for`,
      variants: allVariants,
      types: ["LDS", "CDS", "RDS", "EDS", "SDS"],
      needs: ["state"],
      run: async ({ put, open, type, quietMs }) => {
        const name = nameOf(type);
        await put(resource(type, name), resource(type, `${name}x`));
        const stream = open();
        stream.ask(type, [name]);
        ensureNames(namesOf(await stream.accept(type)), [name], "the answer");
        await put(resource(type, name, 2));
        ensureNames(namesOf(await stream.accept(type)), [name], "the change");
        await stream.quiet(type, quietMs);
      },
    }),
  ),
  {
    statement: "XTP-01",
    title: "all of them at once, of every type",
    variants: allVariants,
    types: allTypes,
    needs: ["state"],
    run: async ({ put, open, type }) => {
      const names = opaque.map(([, nameOf]) => nameOf(type));
      await put(...names.map((name) => resource(type, name)));
      const stream = open();
      stream.ask(type, names);
      ensureNames(namesOf(await stream.accept(type)), names, "the answer");
    },
  },
];

/** In the canonical order, and in another one. */
const orders = (type: TypeName): readonly [string, string] => [
  xdstp(type, "id?a=1&b=2&c=3"),
  xdstp(type, "id?c=3&a=1&b=2"),
];
const xdstpTypes = allTypes.filter((type) => type !== "VHDS");
const canonicalAnswer = {
  names: "the answer may have the canonical name of what was asked for",
  superfluous: "the answer may have the canonical name of what was asked for",
} as const;

const parameters: readonly Case[] = [
  {
    statement: "XTP-02",
    title: "the order of parameters does not matter",
    variants: allVariants,
    types: xdstpTypes,
    needs: ["state"],
    except: canonicalAnswer,
    run: async ({ put, open, type, quietMs }) => {
      const [canonical, other] = orders(type);
      await put(resource(type, canonical));
      for (const asked of [canonical, other]) {
        const stream = open();
        stream.ask(type, [asked]);
        const [found, ...more] = (await stream.accept(type, ({ resources }) => resources.length > 0)).resources;
        ensure(found?.nameInside === canonical && more.length === 0, `${asked}: got ${found?.nameInside}`);
        await stream.quiet(type, quietMs);
        stream.cancel();
      }
    },
  },
  {
    statement: "XTP-02",
    title: "asked for in two orders at once, it comes once, and once for each change",
    variants: allVariants,
    types: ["LDS", "CDS", "RDS", "EDS"],
    needs: ["state"],
    except: canonicalAnswer,
    run: async ({ put, open, type, quietMs }) => {
      const [canonical, other] = orders(type);
      await put(resource(type, canonical));
      const stream = open({ autoAck: true });
      stream.ask(type, [other, canonical]);
      for (const revision of [1, 2]) {
        if (revision > 1) await put(resource(type, canonical, revision));
        const { resources } = await stream.expect(type);
        ensureNames(
          resources.map((one) => one.nameInside ?? "nothing"),
          [canonical],
          "the answer",
        );
        await stream.quiet(type, quietMs);
      }
    },
  },
  ...[
    {
      title: "other values, or fewer, or more parameters are another name",
      ids: ["id?a=1&b=3", "id?a=1", "id", "id?a=1&b=2&c=3"],
    },
    { title: "an unknown authority is not found, and the stream goes on", ids: [] },
  ].map(
    ({ title, ids }): Case => ({
      statement: "XTP-02",
      title,
      variants: allVariants,
      types: ["LDS", "CDS", "RDS", "EDS"],
      needs: ["state"],
      run: async ({ put, open, type, variant }) => {
        const there = xdstp(type, "id?a=1&b=2");
        const others = ids.length === 0 ? [xdstp(type, "id?a=1&b=2", "nobody")] : ids.map((id) => xdstp(type, id));
        await put(resource(type, there));
        const stream = open({ autoAck: true });
        stream.ask(type, others);
        if (variant.wire === "delta") ensureNames((await stream.expect(type)).removed, others, "what is removed");
        stream.ask(type, [...others, there]);
        await stream.expect(type, has(there));
        // An answer for an unknown name has nothing in it.
        for (const { name, body } of stream.received.flatMap(({ resources }) => resources))
          ensure(name === there || (body?.length ?? 0) <= Buffer.byteLength(name) + 4, `${name} was found`);
      },
    }),
  ),
];

/** What the suite's model cannot follow. */
const members = {
  types: "members of a locality have no names inside, and are not among the types that the suite follows",
  names: "a glob covers names that were not asked for",
  superfluous: "members are not followed",
} as const;

/** Field 7 of a state-of-the-world request, or 8 and 9 of a delta one: `ResourceLocator`s with a dynamic parameter. */
function locators(fields: readonly number[], name: string): Uint8Array {
  const entry = new BinaryWriter().tag(1, WireType.LengthDelimited).string("env");
  const parameter = entry.tag(2, WireType.LengthDelimited).string("prod").finish();
  const locator = new BinaryWriter().tag(1, WireType.LengthDelimited).string(name);
  const bytes = locator.tag(2, WireType.LengthDelimited).bytes(parameter).finish();
  const writer = new BinaryWriter();
  for (const field of fields) writer.tag(field, WireType.LengthDelimited).bytes(bytes);
  return writer.finish();
}

const newer: readonly Case[] = [
  {
    statement: "XTP-03",
    title: "a glob of localities is answered with its members, or as removed, and a member by its full name",
    variants: deltaVariants,
    types: ["LEDS"],
    needs: ["state"],
    except: members,
    run: async ({ put, open, type }) => {
      const [glob, member] = [xdstp(type, "group/*"), xdstp(type, "group/m1")] as const;
      await put(resource(type, member));
      const stream = open({ autoAck: true });
      stream.ask(type, [glob]);
      const { resources, removed } = await stream.expect(type);
      ensureNames(
        [...resources.map((one) => one.name), ...removed],
        [resources.length > 0 ? member : glob],
        "the answer",
      );
      stream.send(type, { subscribe: [member] });
      await stream.expect(type, has(member));
    },
  },
  {
    statement: "XTP-03",
    title: "a glob of another type is a name like any other, and the stream goes on",
    variants: allVariants,
    types: ["LDS", "CDS", "RDS", "EDS"],
    needs: ["state"],
    except: canonicalAnswer,
    run: async ({ put, open, name, type, variant }) => {
      const glob = xdstp(type, "group/*");
      await put(resource(type, xdstp(type, "group/m1")), resource(type, name("a")));
      const stream = open({ autoAck: true });
      stream.ask(type, [glob]);
      if (variant.wire === "delta") {
        const { resources, removed } = await stream.expect(type);
        ensure(resources.length > 0 || removed.includes(glob), "the glob was not answered");
      }
      stream.ask(type, [glob, name("a")]);
      await stream.expect(type, has(name("a")));
    },
  },
  {
    statement: "XTP-03",
    title: "dynamic parameters are as if they were not there",
    variants: allVariants,
    types: ["LDS", "CDS", "RDS", "EDS"],
    needs: ["state"],
    run: async ({ put, open, name, type, variant, quietMs }) => {
      const [a, b] = [name("a"), name("b")] as const;
      await put(resource(type, a), resource(type, b));
      const stream = open();
      const unknown = locators(variant.wire === "sotw" ? [7] : [8, 9], b);
      stream.ask(type, [a], { unknown });
      const first = await stream.accept(type);
      ensureNames(namesOf(first), [a], "the answer");
      await stream.quiet(type, quietMs);
      await put(resource(type, b, 2));
      await stream.quiet(type, quietMs);
      await put(resource(type, a, 2));
      ensureNames(namesOf(await stream.accept(type)), [a], "the change");
    },
  },
];

export const xdstpCases: readonly Case[] = [...plainNames, ...parameters, ...newer];
