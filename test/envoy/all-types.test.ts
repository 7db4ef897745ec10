import { once } from "node:events";
import { request } from "node:https";
import { connect } from "node:tls";
import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import type { Resource } from "../../src/envoy/resource-set.ts";
import {
  answer,
  bootstrapWithRuntime,
  byRds,
  httpListener,
  oneHost,
  overAds,
  routeTable,
  virtualHost,
} from "../support/raw-config.ts";
import { everyoneIsAt, type RawPlane, startRawEnvoy, startRawPlane } from "../support/raw-plane.ts";
import { rawResource, typedStruct } from "../support/raw-resources.ts";
import { selfSigned } from "../support/self-signed.ts";
import { type Answer, createAsker } from "../support/traffic.ts";
import { waitFor } from "../support/wait-for.ts";

/* The types that nothing is compiled for yet: a real Envoy starts with them, serves, and follows their changes. */

type Context = Parameters<typeof startRawEnvoy>[0];

async function askerOf(context: Context, url: string) {
  const { ask, close } = createAsker(url);
  context.onTestFinished(close);
  return ask;
}

const answered = (ask: () => Promise<Answer>, wanted: Partial<Answer>): Promise<unknown> =>
  waitFor(
    async () => {
      expect(await ask()).toMatchObject(wanted);
      return true;
    },
    { what: JSON.stringify(wanted) },
  );

const options = { removalGraceMs: 50 };

describe.concurrent.each(["delta", "sotw"] as const)("%s", (variant) => {
  test("TYP-03 RTDS: a layer is followed until it is gone, and nobody waits for one that is not there", {
    timeout: 30_000,
  }, async (context) => {
    const isNew = { runtime_fraction: { default_value: { numerator: 0 }, runtime_key: "shop.new" } };
    const fixed = [
      httpListener("main", byRds("main", overAds)),
      routeTable("main", oneHost([answer("new", isNew), answer("old")])),
    ];
    const layer = (share: number): Resource => rawResource("RTDS", { name: "shop", layer: { "shop.new": share } });
    const plane = await startRawPlane(context, [...fixed, layer(100)], options);
    const envoy = await startRawEnvoy(context, plane, {
      ...{ name: `runtime-${variant}`, variant },
      bootstrap: (all) => bootstrapWithRuntime(all, ["shop", "nobody's"]),
    });
    const ask = await askerOf(context, await envoy.urlOf("main"));
    expect(await ask()).toEqual({ status: 200, text: "new" });
    plane.set([...fixed, layer(0)]);
    await answered(ask, { text: "old" });
    plane.set([...fixed, layer(100)]);
    await answered(ask, { text: "new" });
    plane.set(fixed);
    await answered(ask, { text: "old" });
    expect(plane.refusals).toEqual([]);
  });

  test("SDS: a certificate is followed; TYP-01 one that goes breaks nothing", { timeout: 30_000 }, async (context) => {
    const certificates = [selfSigned(), selfSigned(), selfSigned()];
    const secret = (index: number): Resource => {
      const { certificate = "", key = "" } = certificates[index] ?? {};
      return rawResource("SDS", {
        name: "front",
        tls_certificate: {
          certificate_chain: { inline_string: String(certificate) },
          private_key: { inline_string: String(key) },
        },
      });
    };
    const listener = (name: string, secretName: string): Resource =>
      httpListener(name, byRds("main", overAds), { chain: { transport_socket: withSecret(secretName) } });
    const fixed = [
      listener("main", "front"),
      // Over state-of-the-world nothing says that a secret is not there: Envoy waits for it.
      ...(variant === "delta" ? [listener("other", "nobody's")] : []),
      routeTable("main", oneHost([answer("served")])),
    ];
    const plane = await startRawPlane(context, [...fixed, secret(0)], options);
    const envoy = await startRawEnvoy(context, plane, { name: `secrets-${variant}`, variant });
    const url = await envoy.urlOf("main", "https");
    const shows = (index: number) =>
      waitFor(async () => (await presented(url)) === String(certificates[index]?.certificate).replaceAll("\n", ""), {
        what: `certificate ${index}`,
      });
    await shows(0);
    expect(await getOverTls(url)).toBe("200 served");
    plane.set([...fixed, secret(1)]);
    await shows(1);

    plane.set(fixed);
    if (variant === "delta") await waitFor(() => plane.sends.includes("SDS -front"), { what: "the removal" });
    await passed(plane, envoy, [...fixed, routeTable("marker", [])]);
    await shows(1);
    expect(await getOverTls(url)).toBe("200 served");

    plane.set([...fixed, secret(2)]);
    await shows(2);
    expect(plane.refusals).toEqual([]);
  });

  test("ECDS: a filter is followed; TYP-02 it is never removed while it is used", {
    timeout: 30_000,
  }, async (context) => {
    const filter: JsonObject = {
      name: "shop.filter",
      config_discovery: { config_source: overAds, type_urls: [`type.googleapis.com/${lua}`] },
    };
    const saying = (text: string): Resource =>
      rawResource("ECDS", {
        name: "shop.filter",
        typed_config: typedStruct(lua, {
          default_source_code: {
            inline_string: `function envoy_on_request(handle) handle:respond({[":status"] = "200"}, "${text}") end`,
          },
        }),
      });
    const fixed = [
      httpListener("main", byRds("main", overAds), { filters: [filter] }),
      routeTable("main", oneHost([answer("no filter")])),
    ];
    const plane = await startRawPlane(context, [...fixed, saying("one")], options);
    const envoy = await startRawEnvoy(context, plane, { name: `extensions-${variant}`, variant });
    const ask = await askerOf(context, await envoy.urlOf("main"));
    await everyoneIsAt(plane, [envoy]);
    expect(await ask()).toEqual({ status: 200, text: "one" });
    plane.set([...fixed, saying("two")]);
    await answered(ask, { text: "two" });

    plane.set(fixed);
    await passed(plane, envoy, fixed);
    expect(await ask()).toEqual({ status: 200, text: "two" });
    plane.set([...fixed, saying("three")]);
    await answered(ask, { text: "three" });
    await everyoneIsAt(plane, [envoy]);
    expect(plane.sends.filter((send) => send.startsWith("ECDS"))).toEqual(Array(3).fill("ECDS shop.filter"));
    expect(plane.refusals).toEqual([]);
  });

  test("SRDS: scopes come, turn to other tables, and go", { timeout: 30_000 }, async (context) => {
    const scope = (key: string, table: string): Resource =>
      rawResource("SRDS", {
        name: `scope ${key}`,
        route_configuration_name: table,
        key: { fragments: [{ string_key: key }] },
      });
    const table = (name: string): Resource => routeTable(name, oneHost([answer(name)]));
    const fixed = [
      httpListener("main", {
        scoped_routes: {
          name: "scopes",
          scope_key_builder: { fragments: [{ header_value_extractor: { name: "x-scope", index: 0 } }] },
          rds_config_source: overAds,
          scoped_rds: { scoped_rds_config_source: overAds },
        },
      }),
    ];
    const plane = await startRawPlane(context, [...fixed, scope("a", "t1"), table("t1")], options);
    const envoy = await startRawEnvoy(context, plane, { name: `scopes-${variant}`, variant });
    const ask = await askerOf(context, await envoy.urlOf("main"));
    const of = (key: string) => () => ask({ "x-scope": key });
    expect(await of("a")()).toEqual({ status: 200, text: "t1" });
    expect(await of("b")()).toMatchObject({ status: 404 });

    plane.set([...fixed, scope("a", "t1"), scope("b", "t2"), table("t1"), table("t2")]);
    await answered(of("b"), { status: 200, text: "t2" });
    plane.set([...fixed, scope("a", "t2"), scope("b", "t3"), table("t2"), table("t3")]);
    await answered(of("a"), { status: 200, text: "t2" });
    await answered(of("b"), { status: 200, text: "t3" });
    plane.set([...fixed, scope("b", "t3"), table("t3")]);
    await answered(of("a"), { status: 404 });
    expect(await of("b")()).toEqual({ status: 200, text: "t3" });
    await everyoneIsAt(plane, [envoy]);
    expect(plane.refusals).toEqual([]);
  });
});

test.concurrent("TYP-04 VHDS: virtual hosts on demand come, change, outlive a change of their table, and go", {
  timeout: 30_000,
}, async (context) => {
  const filter: JsonObject = {
    name: "envoy.filters.http.on_demand",
    typed_config: typedStruct("envoy.extensions.filters.http.on_demand.v3.OnDemand"),
  };
  const fixed = (text: string): readonly Resource[] => [
    httpListener("main", byRds("shop/main", overAds), { filters: [filter] }),
    routeTable("shop/main", [virtualHost("always", "always.example", [answer(text)])], {
      vhds: { config_source: overAdsSoon },
    }),
  ];
  const host = (domain: string, text: string): Resource =>
    rawResource("VHDS", virtualHost(`shop/main/${domain}`, domain, [answer(text)]));
  const plane = await startRawPlane(context, [...fixed("1"), host("a.example", "a1")], options);
  const envoy = await startRawEnvoy(context, plane, { name: "hosts", variant: "delta" });
  const ask = await askerOf(context, await envoy.urlOf("main"));
  const of = (name: string) => () => ask({ host: name });
  expect(await of("always.example")()).toEqual({ status: 200, text: "1" });
  expect(await of("a.example")()).toEqual({ status: 200, text: "a1" });
  expect(await of("none.example")()).toMatchObject({ status: 404 });

  plane.set([...fixed("1"), host("a.example", "a2")]);
  await answered(of("a.example"), { text: "a2" });
  plane.set([...fixed("2"), host("a.example", "a2")]);
  await answered(of("always.example"), { text: "2" });
  await answered(of("a.example"), { status: 200, text: "a2" });
  plane.set([...fixed("2"), host("a.example", "a2"), host("none.example", "some")]);
  await answered(of("none.example"), { status: 200, text: "some" });
  plane.set([...fixed("2"), host("none.example", "some")]);
  await answered(of("a.example"), { status: 404 });
  expect(plane.refusals).toEqual([]);
});

/**
 * Envoy's first request for virtual hosts names none, over ADS not even the table, and so gets no answer; it waits until one of
 * the table's hosts is there, or so long.
 */
const overAdsSoon: JsonObject = { ...overAds, initial_fetch_timeout: "0.3s" };

const lua = "envoy.extensions.filters.http.lua.v3.Lua";

const withSecret = (name: string): JsonObject => ({
  name: "envoy.transport_sockets.tls",
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
    common_tls_context: { tls_certificate_sds_secret_configs: [{ name, sds_config: overAds }] },
  },
});

/** A later change has arrived: whatever the earlier one was to bring has, too. */
async function passed(
  plane: RawPlane,
  envoy: Parameters<typeof everyoneIsAt>[1][number],
  resources: readonly Resource[],
): Promise<void> {
  plane.set([...resources, httpListener("marker", { route_config: { name: "marker" } })]);
  await waitFor(async () => (await (await envoy.admin()).listeners()).some(({ name }) => name === "marker"), {
    what: "the marker",
  });
}

/** The certificate that the server shows, as one line of PEM. */
async function presented(url: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false });
  try {
    await once(socket, "secureConnect");
    const body = socket.getPeerCertificate().raw.toString("base64");
    return `-----BEGIN CERTIFICATE-----${body}-----END CERTIFICATE-----`;
  } finally {
    socket.destroy();
  }
}

const getOverTls = (url: string): Promise<string> =>
  new Promise((resolve, reject) => {
    request(url, { rejectUnauthorized: false, agent: false }, (response) => {
      let text = `${response.statusCode} `;
      response.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      response.on("end", () => resolve(text));
    })
      .on("error", reject)
      .end();
  });
