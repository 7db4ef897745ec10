import { create, type DescEnum, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { resourceType, type TypeName } from "../../../src/envoy/resource-types.ts";
import { ClientResourceStatusSchema } from "../../../src/gen/envoy/admin/v3/config_dump_shared_pb.ts";
import {
  type ClientConfig,
  type ClientConfig_GenericXdsConfig,
  ClientStatusRequestSchema,
  ClientStatusResponseSchema,
  ConfigStatusSchema,
} from "../../../src/gen/envoy/service/status/v3/csds_pb.ts";
import { StringMatcherSchema } from "../../../src/gen/envoy/type/matcher/v3/string_pb.ts";
import { StructMatcherSchema } from "../../../src/gen/envoy/type/matcher/v3/struct_pb.ts";
import { type Case, type CaseContext, ensure, ensureNames } from "../case.ts";
import { resource } from "../resources.ts";
import { allTypes, allVariants } from "../variants.ts";
import { accepted, has, offered } from "./offers.ts";

const csdsPath = "/envoy.service.status.v3.ClientStatusDiscoveryService";

type Question = MessageInitShape<typeof ClientStatusRequestSchema>;
type Matchers = NonNullable<Question["nodeMatchers"]>;

const exactly = (value: string) => create(StringMatcherSchema, { matchPattern: { case: "exact", value } });
const idIs = (id: string): Matchers => [{ nodeId: exactly(id) }];
const metadataIs = (key: string, value: string) =>
  create(StructMatcherSchema, {
    path: [{ segment: { case: "key", value: key } }],
    value: { matchPattern: { case: "stringMatch", value: exactly(value) } },
  });

async function ask({ connect }: Pick<CaseContext, "connect">, question: Question): Promise<readonly ClientConfig[]> {
  const bytes = toBinary(ClientStatusRequestSchema, create(ClientStatusRequestSchema, question));
  return fromBinary(ClientStatusResponseSchema, await connect().call(`${csdsPath}/FetchClientStatus`, bytes)).config;
}

/** Of the cell's node. */
async function configsOf(
  context: CaseContext,
  type: TypeName,
  question: Question = {},
): Promise<readonly ClientConfig_GenericXdsConfig[]> {
  const configs = await ask(context, { nodeMatchers: idIs(context.node.id), ...question });
  ensure(configs.length === 1, `${configs.length} clients are answered, and one is asked for`);
  const { url } = resourceType(type);
  return (configs[0]?.genericXdsConfigs ?? []).filter(({ typeUrl }) => typeUrl === url);
}

/** `SYNCED/ACKED`, or `none`. */
const standing = (config: ClientConfig_GenericXdsConfig | undefined): string =>
  config === undefined
    ? "none"
    : `${nameOf(ConfigStatusSchema, config.configStatus)}/${nameOf(ClientResourceStatusSchema, config.clientStatus)}`;

/** The number, where the packaged API does not know the value yet. */
const nameOf = (desc: DescEnum, value: number): string => desc.value[value]?.name ?? String(value);

async function stands(
  context: CaseContext,
  short: string,
  wanted: string,
  check: (config: ClientConfig_GenericXdsConfig) => boolean = () => true,
): Promise<void> {
  const { type, name } = context;
  let seen = "nothing";
  const found = async (): Promise<boolean> => {
    const config = (await configsOf(context, type)).find((one) => one.name === name(short));
    seen = `${standing(config)} ${config?.versionInfo ?? ""} ${config?.errorState?.details ?? ""}`;
    return config !== undefined && standing(config) === wanted && check(config);
  };
  await context.until(`${short} as ${wanted}`, found).catch((cause: Error) => {
    throw new Error(`${cause.message}; last seen: ${seen}`);
  });
}

const received = (bytes: Uint8Array, body: Uint8Array | undefined): boolean =>
  body !== undefined && Buffer.compare(bytes, body) === 0;

export const clientStatusCases: readonly Case[] = [
  {
    statement: "CSD-01",
    title: "a client that has accepted everything is shown so, and no other",
    variants: allVariants,
    types: ["CDS"],
    needs: ["client-status"],
    run: async (context) => {
      const { open, type, otherNode } = context;
      const [stream, other] = [open(), open({ node: otherNode("-b") })];
      for (const one of [stream, other]) {
        one.ask(type);
        await one.accept(type);
      }
      await context.until("both are known", async () =>
        (await configsOf(context, type)).every((one) => standing(one) === "SYNCED/ACKED"),
      );
      const configs = await ask(context, { nodeMatchers: idIs(otherNode("-b").id) });
      ensureNames(
        configs.map(({ node }) => node?.id ?? ""),
        [otherNode("-b").id],
        "the other node",
      );
    },
  },
  {
    statement: "CSD-01",
    title: "sent, accepted, changed, refused, mended: each as it stands",
    variants: allVariants,
    types: allTypes,
    needs: ["state", "client-status"],
    run: async (context) => {
      const { put, name, type, variant } = context;
      const { stream, response } = await offered(context, "a");
      await stands(context, "a", "STALE/REQUESTED");
      stream.ack(response);
      // In the state of the world a response has a version; what its resources have is the server's business.
      const [{ version: sent = "" } = {}] = variant.wire === "delta" ? response.resources : [];
      await stands(context, "a", "SYNCED/ACKED", ({ versionInfo }) => versionInfo === sent || sent === "");
      const version = (await configsOf(context, type)).find((one) => one.name === name("a"))?.versionInfo ?? "";
      ensure(version !== "", "there is no version");
      await put(resource(type, name("a"), 2));
      const second = await stream.expect(type);
      await stands(context, "a", "STALE/ACKED", (config) => config.versionInfo !== version);
      stream.nack(second, "no good", { version: response.version });
      await stands(
        context,
        "a",
        "ERROR/NACKED",
        ({ errorState }) => errorState?.details.includes("no good") === true && errorState.versionInfo !== version,
      );
      await put(resource(type, name("a"), 3));
      await stream.accept(type, has(name("a")));
      await stands(context, "a", "SYNCED/ACKED", ({ errorState }) => errorState === undefined);
    },
  },
  {
    statement: "CSD-01",
    title: "asked for and not there: not sent, and what the client was told of it",
    variants: allVariants,
    // Of the others an empty resource takes the place of what does not exist.
    types: ["LDS", "CDS", "SDS"],
    needs: ["state", "client-status"],
    run: async (context) => {
      const { put, open, name, type } = context;
      await put(resource(type, name("a")));
      const stream = open();
      stream.ask(type, [name("a"), name("gone")]);
      await stream.accept(type, has(name("a")));
      const told: readonly string[] = ["NOT_SENT/REQUESTED", "NOT_SENT/DOES_NOT_EXIST", "NOT_SENT/5"];
      await context.until("a resource that is not sent", async () =>
        (await configsOf(context, type)).some((one) => one.name === name("gone") && told.includes(standing(one))),
      );
      await put(resource(type, name("gone")));
      await stream.accept(type, has(name("gone")));
      await stands(context, "gone", "SYNCED/ACKED");
    },
  },
  {
    statement: "CSD-01",
    title: "contents are shown, or left out on demand; those of secrets never are",
    variants: ["ads-sotw", "ads-delta"],
    types: ["CDS", "SDS"],
    needs: ["state", "client-status", "raw"],
    run: async (context) => {
      const { type, name } = context;
      await accepted(context, "a");
      await stands(context, "a", "SYNCED/ACKED");
      const { bytes } = resource(type, name("a"));
      const shown = (await configsOf(context, type)).find((one) => one.name === name("a"))?.xdsConfig?.value;
      if (type === "SDS") ensure(shown === undefined, "the body of a secret is shown");
      else ensure(received(bytes, shown), "the body is not the resource's");
      const without = await configsOf(context, type, { excludeResourceContents: true });
      ensure(without.length > 0, "without contents there is nothing at all");
      ensure(
        without.every(({ xdsConfig }) => xdsConfig === undefined),
        "a body is shown that was not wanted",
      );
    },
  },
  {
    statement: "CSD-01",
    title: "node matchers: by exact id, prefix and metadata; one of several is enough; none is everybody",
    variants: ["ads-sotw"],
    types: ["CDS"],
    needs: ["client-status"],
    run: async (context) => {
      const { open, otherNode, until } = context;
      const metadata = { NAMESPACE: "shop" };
      const nodes = ["-a", "-b", "-c"].map((suffix) => ({
        ...otherNode(suffix),
        ...(suffix === "-c" && { metadata }),
      }));
      const ids = nodes.map(({ id }) => id);
      const [a = "", b = "", c = ""] = ids;
      for (const node of nodes) {
        const stream = open({ node });
        stream.ask("CDS");
        await stream.accept("CDS");
      }
      const inShop = metadataIs("NAMESPACE", "shop");
      const questions: readonly (readonly [string, Matchers, readonly string[]])[] = [
        ["an exact id", idIs(a), [a]],
        ["a prefix", [{ nodeId: { matchPattern: { case: "prefix", value: b.slice(0, b.indexOf("-b") + 2) } } }], [b]],
        ["either of two", [...idIs(a), ...idIs(b)], [a, b]],
        ["nobody's id", idIs("nobody"), []],
        ["metadata", [{ nodeMetadatas: [inShop] }], [c]],
        ["metadata of another node's id", [{ nodeId: exactly(a), nodeMetadatas: [inShop] }], []],
      ];
      for (const [what, nodeMatchers, wanted] of questions) {
        await until(what, async () => {
          const found = (await ask(context, { nodeMatchers })).map(({ node }) => node?.id ?? "");
          ensureNames(found, wanted, what);
          return true;
        });
      }
      const everybody = (await ask(context, {})).map(({ node }) => node?.id ?? "");
      ensure(
        ids.every((id) => everybody.includes(id)),
        `without matchers: ${everybody.join(" ")}`,
      );
    },
  },
];
