import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { describe, expect, type TestContext, test } from "vitest";
import { processLauncher } from "../../src/app/envoy/launch.ts";
import { decode } from "../../src/base/decode.ts";
import { createCompiler } from "../../src/compile/compile.ts";
import { resourcesInDump } from "../../src/envoy/config-dump.ts";
import { type ProxyResources, resourcesIn } from "../../src/envoy/proxy-resources.ts";
import type { ResourceSet } from "../../src/envoy/resource-set.ts";
import { explain } from "../../src/explain/explain.ts";
import type { Explanation, Outcome } from "../../src/explain/explanation.ts";
import { nowhere } from "../../src/explain/places.ts";
import { question } from "../../src/explain/question.ts";
import { semanticsOf } from "../../src/explain/semantics.ts";
import { envoyBinary, envoyLines, launchTestEnvoy, startEnvoy, type TestEnvoy } from "../support/envoy.ts";
import { freePort } from "../support/free-port.ts";
import { egressEverywhere, instance, rule, service, sidecar, world } from "../support/mesh.ts";
import { startRawXds } from "../support/raw-xds.ts";
import { staticBootstrap } from "../support/static-envoy.ts";

/* What a real Envoy has, by its config dump: explained as by what it was sent, and where its requests really go. */

type Context = Pick<TestContext, "onTestFinished" | "skip">;

/** An instance that answers with its own name; its port. */
function startInstance({ onTestFinished }: Context, name: string): Promise<number> {
  const server = createServer((_, response) => response.end(name));
  onTestFinished(async () => void server.close().closeAllConnections());
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

interface Shop {
  readonly resources: ResourceSet;
  /** On which the sidecar listens for what it sends on. */
  readonly port: number;
  /** Which instance is behind an address. */
  readonly names: ReadonlyMap<string, string>;
}

/** Reviews in two versions, one of them with two instances, and ratings, for which there is no rule. */
async function shop(context: Context): Promise<Shop> {
  const port = await freePort();
  const names = new Map<string, string>();
  const running = async (name: string, version: string) => {
    const http = await startInstance(context, name);
    names.set(`127.0.0.1:${http}`, name);
    return instance(name, { address: "127.0.0.1", ports: { http }, labels: { version } });
  };
  const reviews = [await running("a1", "v1"), await running("a2", "v1"), await running("b", "v2")];
  const is = (value: string) => ({ kind: "exact", value }) as const;
  const to = (subset: string, weight = 1) => ({ host: "reviews", subset, weight });
  const rules = [
    egressEverywhere(port),
    rule("DestinationRule", "reviews", {
      host: "reviews",
      subsets: ["v1", "v2"].map((version) => ({ name: version, labels: { version } })),
    }),
    rule("VirtualService", "reviews", {
      hosts: ["reviews"],
      gateways: ["mesh"],
      http: [
        { name: "bob", match: [{ headers: { "x-user": is("bob") } }], route: [to("v2")] },
        {
          name: "api",
          match: [{ uri: { kind: "prefix", value: "/api/" }, method: is("GET"), headers: {} }],
          route: [to("v1")],
        },
        { name: "gone", match: [{ uri: is("/gone"), headers: {} }], route: [{ host: "nobody", weight: 1 }] },
        { name: "split", match: [], route: [to("v1", 50), to("v2", 50)] },
      ],
    }),
  ];
  const services = [service("reviews", reviews, { port }), service("ratings", [await running("r", "v1")], { port })];
  const compiled = createCompiler().compileFor(world({ services, rules }), sidecar());
  return { resources: compiled, port, names };
}

const explained = (resources: ProxyResources, body: JsonObject, version: string): Explanation => {
  const asked = decode(question, body);
  if (!asked.ok) throw new Error(asked.problems.map(({ message }) => message).join(" "));
  return explain({ resources, locate: nowhere }, asked.value, semanticsOf(version));
};

const addressesIn = ({ result }: Outcome): readonly string[] =>
  (result.kind === "forward" || result.kind === "tunnel") && result.leadsTo.kind === "endpoints"
    ? result.leadsTo.endpoints.map(({ address }) => address).sort()
    : [];

/** Without who gave what, which no dump knows. */
const summaryOf = ({ listener, virtualHost, request: sent, outcomes, nearMisses }: Explanation) => ({
  ...{ listener: listener?.name, host: virtualHost?.name, sent },
  outcomes: outcomes.map((outcome) => {
    const { share, route, result } = outcome;
    const { kind } = result;
    const leadsTo = kind === "forward" ? result.leadsTo.kind : undefined;
    const policies = kind === "forward" ? result.policies : undefined;
    const cluster = kind === "forward" || kind === "tunnel" ? result.cluster : undefined;
    return { share, route: route?.name, kind, cluster, leadsTo, policies, addresses: addressesIn(outcome) };
  }),
  misses: nearMisses.map(({ name, failed }) => [name, ...failed.map(({ asks, found }) => `${asks}; ${found}`)]),
});

interface Sent {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const requests: readonly Sent[] = [
  { method: "GET", host: "reviews", path: "/", headers: { "x-user": "bob" } },
  { method: "GET", host: "reviews.shop.svc.cluster.local", path: "/api/x?y=1" },
  { method: "POST", host: "reviews.shop", path: "/api/x" },
  { method: "GET", host: "reviews", path: "/gone" },
  { method: "GET", host: "reviews", path: "/a/../api/x" },
  { method: "GET", host: "ratings", path: "/" },
  { method: "GET", host: "unknown.example", path: "/" },
];

const send = (port: number, { method, host, path, headers = {} }: Sent): Promise<string> =>
  new Promise((resolve, reject) => {
    const to = { host: "127.0.0.1", port, method, path, headers: { ...headers, host: `${host}:${port}` } };
    request(to, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        body += chunk;
      });
      response.on("end", () => resolve(response.statusCode === 200 ? body : String(response.statusCode)));
    })
      .on("error", reject)
      .end();
  });

const dumpOf = async (envoy: TestEnvoy): Promise<JsonValue> =>
  (await (await envoy.ready()).configDump({ includeEndpoints: true })) as JsonValue;

describe.each(envoyLines)("Envoy %s", (line) => {
  test("its dump tells what its resources tell, and requests go where it is told", async (context) => {
    const { resources, port, names } = await shop(context);
    const tables = Object.values(resources.resources).flatMap((table) => [...table.values()]);
    const { port: xdsPort } = await startRawXds(context, tables);
    const { id } = sidecar();
    const envoy = await startEnvoy({
      context,
      line,
      node: { id, cluster: "web.shop", metadata: { INTERCEPTION_MODE: "NONE" } },
      xdsPort,
    });
    const dump = resourcesInDump(await dumpOf(envoy));

    const reached: string[] = [];
    for (const sent of requests) {
      const { method, host, path, headers = {} } = sent;
      const body: JsonObject = { method, url: `http://${host}:${port}${path}`, headers: { ...headers } };
      const told = explained(resourcesIn(resources), body, `${line}.0`);
      expect(summaryOf(explained(dump, body, `${line}.0`))).toEqual(summaryOf(told));

      const expected = told.outcomes.flatMap(addressesIn).map((address) => names.get(address) ?? address);
      for (let count = 0; count < 10; count++) {
        const answer = await send(port, sent);
        expect(expected.length === 0 ? ["503"] : expected, `${method} ${host}${path}`).toContain(answer);
        reached.push(answer);
      }
    }
    expect(new Set(reached)).toEqual(new Set(["503", ...names.values()]));
  });

  test("filters that are not known are named, and all else is told", async (context) => {
    const { path } = await envoyBinary(context, line);
    const bootstrap = staticBootstrap([strange("lua", lua), strange("rbac", [], [rbac]), echo], [nobody]);
    const envoy = await launchTestEnvoy({
      ...{ cleanup: context.onTestFinished, launcher: processLauncher(path), bootstrap, concurrency: 1 },
    });
    const dump = resourcesInDump(await dumpOf(envoy));
    const ask = (listener: string, url = "http://a/x") => explained(dump, { url, listener }, `${line}.0`);
    const forward = { kind: "forward", cluster: "nobody" };
    expect(ask("lua")).toMatchObject({
      unknownFilters: ["envoy.extensions.filters.http.lua.v3.Lua"],
      outcomes: [{ route: { name: "only" }, result: forward }],
    });
    expect(ask("rbac")).toMatchObject({
      unknownFilters: ["envoy.extensions.filters.network.rbac.v3.RBAC"],
      outcomes: [{ route: { name: "only" }, result: forward }],
    });
    expect(ask("echo", "tcp://10.0.0.1:1").outcomes).toEqual([
      { share: 1, result: { kind: "unknown", filter: "envoy.extensions.filters.network.echo.v3.Echo" } },
    ]);
  });
});

const typed = (name: string, type: string, message: JsonObject): JsonObject => ({
  name,
  typed_config: { "@type": `type.googleapis.com/${type}`, ...message },
});

const lua = [
  typed("lua", "envoy.extensions.filters.http.lua.v3.Lua", {
    default_source_code: { inline_string: "function envoy_on_request(handle) handle:headers():remove('x-a') end" },
  }),
];
const rbac = typed("rbac", "envoy.extensions.filters.network.rbac.v3.RBAC", {
  stat_prefix: "rbac",
  rules: { policies: { all: { permissions: [{ any: true }], principals: [{ any: true }] } } },
});

const address: JsonObject = { socket_address: { address: "127.0.0.1", port_value: 0 } };
const nobody: JsonObject = { name: "nobody", type: "STATIC", load_assignment: { cluster_name: "nobody" } };

const strange = (name: string, httpFilters: readonly JsonObject[], before: readonly JsonObject[] = []): JsonObject => ({
  name,
  address,
  filter_chains: [
    {
      filters: [
        ...before,
        typed("http", "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager", {
          stat_prefix: name,
          route_config: {
            name,
            virtual_hosts: [
              {
                name,
                domains: ["*"],
                routes: [{ name: "only", match: { prefix: "/" }, route: { cluster: "nobody" } }],
              },
            ],
          },
          http_filters: [...httpFilters, typed("router", "envoy.extensions.filters.http.router.v3.Router", {})],
        }),
      ],
    },
  ],
});

const echo: JsonObject = {
  ...{ name: "echo", address },
  filter_chains: [{ filters: [typed("echo", "envoy.extensions.filters.network.echo.v3.Echo", {})] }],
};
