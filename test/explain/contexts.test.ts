import { request as httpsRequest } from "node:https";
import { connect } from "node:net";
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import type { Request } from "../../src/explain/request.ts";
import { semanticsOf } from "../../src/explain/semantics.ts";
import { envoyBinary, envoyLines } from "../support/envoy.ts";
import { announceSeed, fuzzCount, fuzzSeed } from "../support/fuzz.ts";
import { createRandom, type Random } from "../support/random.ts";
import { selfSigned } from "../support/self-signed.ts";
import { answerOf, naming, read, told } from "./answers.ts";
import { type Asked, askedEnvoy } from "./asked-envoy.ts";

/* What routes ask of the connection and of the filters before the router, and CONNECT: the matcher beside a real Envoy. */

const tableOf = (routes: readonly JsonObject[]): JsonObject => ({
  name: "table",
  virtual_hosts: [{ name: "h", domains: ["*"], routes: routes.map(naming) }],
});

const get = (path: string, more: Partial<Request> = {}): Request => ({
  ...{ method: "GET", scheme: "http", authority: "a.com", path, headers: [] },
  ...more,
});

const inline = (bytes: Buffer): JsonObject => ({ inline_string: bytes.toString() });

const booleans = [undefined, true, false] as const;

/** A route for each thing that can be asked of a certificate, each by a path of its own. */
const certificateRoutes = booleans.flatMap((presented) =>
  booleans.map((validated) => {
    const name = `${presented}-${validated}`;
    const wanted = { ...(presented !== undefined && { presented }), ...(validated !== undefined && { validated }) };
    return { name, match: { path: `/${name}`, tls_context: wanted } };
  }),
);

describe.each(envoyLines)("Envoy %s", (line) => {
  const semantics = semanticsOf(`${line}.0`);

  test("asks of certificates what we ask", async (context) => {
    const binary = await envoyBinary(context, line);
    const [server, trusted, stranger] = [selfSigned(), selfSigned(), selfSigned()];
    const plain: Asked = { manager: {}, table: tableOf(certificateRoutes) };
    const secure: Asked = {
      ...plain,
      transportSocket: {
        name: "tls",
        typed_config: {
          "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
          common_tls_context: {
            tls_certificates: [{ certificate_chain: inline(server.certificate), private_key: inline(server.key) }],
            validation_context: {
              trusted_ca: inline(trusted.certificate),
              trust_chain_verification: "ACCEPT_UNTRUSTED",
            },
          },
        },
      },
    };
    const envoy = await askedEnvoy(binary, [plain, secure], context.onTestFinished);
    const routeOver = (path: string, client?: typeof server): Promise<string> =>
      new Promise((resolve, reject) => {
        const port = envoy.portOf(1);
        const pair = client && { key: client.key, cert: client.certificate };
        const options = { host: "127.0.0.1", port, path, agent: false, rejectUnauthorized: false, ...pair } as const;
        const sent = httpsRequest({ ...options, headers: { host: "a.com" } }, (response) => {
          response.resume();
          resolve(String(response.headers["x-route"] ?? response.statusCode));
        });
        sent.on("error", reject);
        sent.end();
      });
    const clients = [
      { certificate: { presented: false, validated: false }, ask: (path: string) => routeOver(path) },
      { certificate: { presented: true, validated: true }, ask: (path: string) => routeOver(path, trusted) },
      { certificate: { presented: true, validated: false }, ask: (path: string) => routeOver(path, stranger) },
    ];
    const answers = new Set<string>();
    for (const { name } of certificateRoutes) {
      const path = `/${name}`;
      const open = told(read(plain, envoy.portOf(0)), get(path), semantics).answers;
      expect([path, answerOf(await envoy.ask(0, get(path)))]).toEqual([path, ...open]);
      for (const { certificate, ask } of clients) {
        const request = get(path, { scheme: "https", certificate });
        const here = told(read(secure, envoy.portOf(1)), request, semantics).answers;
        expect([path, certificate, await ask(path)]).toEqual([path, certificate, ...here]);
        answers.add(here.join());
      }
    }
    expect(answers).toContain("404");
    expect(answers.size).toBe(certificateRoutes.length);
  });

  test("asks of metadata what we ask", { timeout: 600_000 }, async (context) => {
    const binary = await envoyBinary(context, line);
    const random = createRandom(fuzzSeed);
    const listeners = fuzzCount(2_000);
    announceSeed("metadata", listeners * routesPerTable);
    const metadata = Array.from({ length: listeners }, () => randomMetadata(random));
    const asked = metadata.map(
      (value): Asked => ({ manager: {}, table: randomMetadataTable(random), filters: [setting(value), choosingAgain] }),
    );
    const envoy = await askedEnvoy(binary, asked, context.onTestFinished);
    let taken = 0;
    for (const [index, one] of asked.entries()) {
      const listened = read(one, envoy.portOf(index));
      for (let route = 0; route < routesPerTable; route++) {
        const request = get(`/${route}`, { metadata: { f: metadata[index] } });
        const there = answerOf(await envoy.ask(index, request));
        const match = JSON.stringify(one.table).match(new RegExp(`"path":"/${route}".*?"name"`))?.[0];
        expect([metadata[index], match, ...told(listened, request, semantics).answers]).toEqual([
          ...[metadata[index], match],
          there,
        ]);
        if (there !== "404") taken++;
      }
    }
    const share = taken / (listeners * routesPerTable);
    expect(share).toBeGreaterThan(0.2);
    expect(share).toBeLessThan(0.8);
  });

  test("lets connections become what we let them become", async (context) => {
    const binary = await envoyBinary(context, line);
    const routes = upgradeRoutes.map((route) => ({ match: { path: `/${route["name"]}` }, ...route }));
    const asked = upgradeManagers.map((manager): Asked => ({ manager, table: tableOf(routes) }));
    const envoy = await askedEnvoy(binary, asked, context.onTestFinished);
    const seen = new Set<string>();
    for (const [index, one] of asked.entries()) {
      const listened = read(one, envoy.portOf(index));
      for (const { name } of upgradeRoutes) {
        for (const headers of upgradeWishes) {
          const request = get(`/${name}`, { headers });
          const here = told(listened, request, semantics).answers.map((answer) => answer.split(" ")[0]);
          // The upstream does not become anything, and so has no body.
          const { status, headers: given } = await envoy.ask(index, request);
          const there = status === 200 ? (given["x-route"] ?? "") : String(status);
          expect([one.manager, name, headers, ...here]).toEqual([one.manager, name, headers, there]);
          seen.add(there);
        }
      }
    }
    expect([...seen].sort()).toEqual(["403", "direct", "off", "on", "plain"]);
  });

  test("finds the route of a CONNECT as we do", async (context) => {
    const binary = await envoyBinary(context, line);
    const header = (name: string): JsonObject => ({ headers: [{ name, present_match: true }] });
    const asked: Asked = {
      manager: { upgrade_configs: [{ upgrade_type: "CONNECT" }], strip_any_host_port: true },
      table: {
        name: "table",
        virtual_hosts: [
          {
            name: "a",
            domains: ["a.com"],
            routes: [
              { name: "any", match: { prefix: "" } },
              { name: "pattern", match: { safe_regex: { regex: ".*" } } },
              { name: "marked", match: { connect_matcher: {}, ...header("x-a") } },
              { name: "grpc", match: { connect_matcher: {}, grpc: {} } },
              { name: "asking", match: { connect_matcher: {}, query_parameters: [{ name: "q" }] } },
              { name: "tunnel", match: { connect_matcher: {} } },
            ].map(naming),
          },
          {
            name: "c",
            domains: ["c.com"],
            routes: [
              naming({
                ...{ name: "new", match: { connect_matcher: {}, ...header("x-a") } },
                route: { cluster: "one", host_rewrite_literal: "new.com" },
              }),
              naming({ name: "led", match: { connect_matcher: {} }, route: { cluster: "one" } }),
            ],
          },
          { name: "b", domains: ["b.com"], routes: [{ name: "any", match: { prefix: "/" } }].map(naming) },
        ],
      },
    };
    const envoy = await askedEnvoy(binary, [asked], context.onTestFinished);
    const port = envoy.portOf(0);
    const cases: readonly (readonly [string, Request["headers"], string])[] = [
      ["a.com:80", [], "tunnel"],
      ["a.com:80", [["x-a", ""]], "marked"],
      ["a.com:80", [["content-type", "application/grpc"]], "tunnel"],
      ["b.com:80", [], "404"],
      ["c.com:8080", [], "led one c.com:8080"],
      ["c.com:8080", [["x-a", ""]], "new one new.com"],
    ];
    for (const [authority, headers, expected] of cases) {
      const request: Request = { method: "CONNECT", scheme: "http", authority, headers };
      const here = told(read(asked, port), request, semantics).answers.map((answer) => answer.replace(/ [^ ]*=.*/, ""));
      expect([authority, headers, here, await connectAnswer(port, authority, headers)]).toEqual([
        ...[authority, headers],
        ...[[expected], expected],
      ]);
    }
    const plain = get("/x");
    expect(told(read(asked, port), plain, semantics).answers).toEqual(["any"]);
    expect(answerOf(await envoy.ask(0, plain))).toBe("any");
  });
});

const upgradeManagers: readonly JsonObject[] = [
  {},
  { upgrade_configs: [{ upgrade_type: "WebSocket" }] },
  { upgrade_configs: [{ upgrade_type: "websocket", enabled: false }, { upgrade_type: "other" }] },
];

const upgradeRoutes: readonly JsonObject[] = [
  { name: "plain", route: { cluster: "one" } },
  { name: "on", route: { cluster: "one", upgrade_configs: [{ upgrade_type: "websocket" }] } },
  { name: "off", route: { cluster: "one", upgrade_configs: [{ upgrade_type: "websocket", enabled: false }] } },
  { name: "direct" },
];

const upgradeWishes: readonly Request["headers"][] = [
  [],
  [["upgrade", "websocket"]],
  ...["websocket", "WEBSOCKET", "other", "none"].map((wish): Request["headers"] => [
    ["connection", "keep-alive, Upgrade"],
    ["upgrade", wish],
  ]),
];

/** The route that took the CONNECT, and where it led; or the status. */
const connectAnswer = (port: number, authority: string, headers: Request["headers"]): Promise<string> =>
  new Promise((resolve, reject) => {
    const lines = [["Host", authority], ...headers].map(([name, value]) => `${name}: ${value}\r\n`);
    const socket = connect(port, "127.0.0.1", () =>
      socket.write(`CONNECT ${authority} HTTP/1.1\r\n${lines.join("")}\r\n`),
    );
    let text = "";
    socket.on("error", reject);
    socket.on("close", () => reject(new Error(`closed after ${JSON.stringify(text)}`)));
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      if (!text.includes("\r\n\r\n")) return;
      const [, status = ""] = /^HTTP\/1\.1 ([0-9]+)/.exec(text) ?? [];
      const parts = ["x-route", "x-cluster", "x-authority"].map(
        (name) => new RegExp(`^${name}: (.*)\r$`, "m").exec(text)?.[1],
      );
      resolve(parts.filter((part) => part !== undefined).join(" ") || status);
      socket.destroy();
    });
  });

const routesPerTable = 20;
const keys = ["k", "n", "missing"] as const;
const scalars: readonly JsonValue[] = [null, true, false, 0, 1, 1.5, -1, "", "a", "ab", "é", "1"];

function randomValue(random: Random): JsonValue {
  return random.weighted<() => JsonValue>([
    [5, () => random.pick(scalars)],
    [2, () => Array.from({ length: random.int(3) }, () => random.pick(scalars))],
    [2, () => ({ k: random.pick(scalars), l: [random.pick(scalars)] })],
  ])();
}

const randomMetadata = (random: Random): JsonObject => ({ k: randomValue(random), n: { k: randomValue(random) } });

const setting = (value: JsonObject): JsonObject => ({
  name: "set",
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.filters.http.set_metadata.v3.Config",
    metadata: [{ metadata_namespace: "f", value }],
  },
});

/** A route is chosen before filters run; one of them must ask for it to be chosen again. */
const choosingAgain: JsonObject = {
  name: "again",
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
    default_source_code: { inline_string: "function envoy_on_request(handle) handle:clearRouteCache() end" },
  },
};

const randomMetadataTable = (random: Random): JsonObject =>
  tableOf(
    Array.from({ length: routesPerTable }, (_, route) => ({
      match: { path: `/${route}`, dynamic_metadata: [randomMatcher(random)] },
      name: `r${route}`,
    })),
  );

const randomMatcher = (random: Random): JsonObject => ({
  filter: random.chance(0.95) ? "f" : "g",
  path: Array.from({ length: 1 + random.int(2) }, () => ({ key: random.pick(keys) })),
  value: randomValueMatcher(random),
  invert: random.chance(0.3),
});

function randomValueMatcher(random: Random, depth = 0): JsonObject {
  return random.weighted<() => JsonObject>([
    [1, () => ({ null_match: {} })],
    [2, () => ({ bool_match: random.chance(0.5) })],
    [2, () => ({ present_match: random.chance(0.7) })],
    [1, () => ({ double_match: { exact: random.pick([0, 1, 1.5]) } })],
    [1, () => ({ double_match: { range: { start: random.pick([-1, 0, 1]), end: random.pick([1, 1.5, 2]) } } })],
    [
      3,
      () => ({
        string_match: { [random.pick(["exact", "prefix", "suffix", "contains"])]: random.pick(["a", "b", "1", "é"]) },
      }),
    ],
    [1, () => ({ string_match: { safe_regex: { regex: random.pick([".", "a.*", ".."]) } } })],
    [depth === 0 ? 2 : 0, () => ({ list_match: { one_of: randomValueMatcher(random, 1) } })],
    [
      depth === 0 ? 1 : 0,
      () => ({ or_match: { value_matchers: [randomValueMatcher(random, 1), randomValueMatcher(random, 1)] } }),
    ],
  ])();
}
