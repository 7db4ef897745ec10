import { describe, expect, test } from "vitest";
import { createApp } from "../../src/api/http.ts";
import type { ProblemView } from "../../src/api/types/server.ts";
import { createExplainPort, type ExplainInput } from "../../src/app/explain-port.ts";
import { decode } from "../../src/base/decode.ts";
import { createSignal } from "../../src/base/signal.ts";
import { createCompiler } from "../../src/compile/compile.ts";
import { createWorld } from "../../src/compile/world.ts";
import type { Explanation } from "../../src/explain/explanation.ts";
import { explanation } from "../../src/explain/shapes.ts";
import { createCatalog } from "../../src/model/catalog.ts";
import { defaultMeshSettings } from "../../src/model/mesh-settings.ts";
import type { ProxyNode } from "../../src/model/proxy.ts";
import { rulesOf } from "../config/support.ts";
import { instance, service, sidecar } from "../support/mesh.ts";
import { as, clock, ports, silent, version } from "./fixture.ts";

const rules = rulesOf(`apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews, namespace: shop}
spec:
  hosts: [reviews]
  http:
    - {name: bob, match: [{headers: {x-user: {exact: bob}}}], route: [{destination: {host: nobody}}]}
    - {name: rest, route: [{destination: {host: reviews}}]}
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default, namespace: shop}
spec:
  egress: [{port: {number: 9080, protocol: HTTP, name: http}, captureMode: NONE, hosts: ["*/*"]}]
`);

const world = createWorld(createCatalog([service("reviews", [instance("a")])]), rules, [], defaultMeshSettings);
const compiler = createCompiler();
const nodes = [sidecar("web-1"), sidecar("x"), sidecar("x", { id: "other", namespace: "mall" })];

function appWith({ proxies = nodes, isReady = true }: { proxies?: readonly ProxyNode[]; isReady?: boolean } = {}) {
  const input = {
    ruleSet: createSignal(rules),
    ledger: {
      proxies: () => proxies.map((node) => ({ node })),
      receiptsOf: (wanted: string) => proxies.flatMap((node) => (node.id === wanted ? [{ node }] : []))[0],
    },
    world: createSignal(isReady ? world : undefined),
    resources: { resourcesOf: (node: ProxyNode) => (isReady ? compiler.compileFor(world, node) : undefined) },
  } as unknown as ExplainInput;
  return createApp({ ports: ports({ explain: createExplainPort(input) }), log: silent, clock, version });
}

const app = appWith();

const post = (
  body: unknown,
  {
    headers = as("viewer"),
    to = app,
    url = "/api/v1/explain",
  }: { headers?: object; to?: typeof app; url?: string } = {},
) =>
  to.inject({
    method: "POST",
    url,
    headers: { host: "localhost", "content-type": "application/json", ...headers },
    payload: typeof body === "string" ? body : JSON.stringify(body),
  });

const asked = { proxy: "web-1", url: "http://reviews:9080/" };

test.each(["web-1", "web-1.shop", nodes[0]?.id ?? "", "x.shop"])("a proxy by the name %s", async (proxy) => {
  const answer = await post({ ...asked, proxy });
  expect(answer.statusCode).toBe(200);
  expect(decode(explanation, answer.json())).toMatchObject({ ok: true, value: answer.json() });
});

test("the whole answer: listener, route, what is behind it, and what was in the way of others", async () => {
  const told = (await post({ ...asked, headers: { "x-user": ["eve", "ann"] } })).json<Explanation>();
  expect(told).toMatchObject({
    listener: { name: "127.0.0.1_9080" },
    virtualHost: { name: "reviews.shop.svc.cluster.local:9080", domain: "reviews" },
    outcomes: [
      {
        share: 1,
        route: {
          name: "rest",
          origins: [{ kind: "rule", rule: "VirtualService/shop/reviews", pointer: "/spec/http/1" }],
        },
        result: { kind: "forward", leadsTo: { endpoints: [{ address: "10.0.0.1:9080" }] } },
      },
    ],
    nearMisses: [{ name: "bob", failed: [{ asks: 'the header x-user is "bob"' }] }],
  });
});

test("of captured connections: the name is looked up, in either direction", async () => {
  const node = sidecar("y", { namespace: "mall", addresses: ["10.0.0.1"], interceptionMode: "redirect" });
  const to = appWith({ proxies: [node] });
  const ask = async (part: object) =>
    (await post({ proxy: "y", url: "http://reviews.shop:9080/", ...part }, { to })).json<Explanation>();
  expect(await ask({})).toMatchObject({
    capture: {
      ...{ direction: "outbound", by: "virtualOutbound", port: 9080 },
      found: "reviews.shop.svc.cluster.local has no address that a registry knows",
    },
    listener: { name: "0.0.0.0_9080" },
    protocol: { found: "recognised as HTTP/1.1 by its first bytes" },
  });
  expect(await ask({ inbound: true })).toMatchObject({
    capture: { direction: "inbound", by: "virtualInbound", destination: "10.0.0.1:9080" },
    outcomes: [{ result: { cluster: "inbound|9080||" } }],
  });
});

describe("a body that cannot be read", () => {
  test.each<[string, unknown, readonly string[]]>([
    ["nothing asked", {}, ["/proxy", "/url"]],
    ["no URL", { ...asked, url: "reviews" }, ["/url"]],
    ["a scheme of its own", { ...asked, url: "ftp://reviews/" }, ["/url"]],
    ["port 0", { ...asked, url: "http://reviews:0/" }, ["/url"]],
    ["no method", { ...asked, method: "G E T" }, ["/method"]],
    ["headers in a list", { ...asked, headers: ["x"] }, ["/headers"]],
    ["the name of a header", { ...asked, headers: { ":path": "/" } }, ["/headers/:path"]],
    ["the value of a header", { ...asked, headers: { a: 1, b: [] } }, ["/headers/a", "/headers/b"]],
    ["headers of no request", { ...asked, url: "tcp://10.0.0.1:1", headers: { a: "b" } }, [""]],
    ["addresses", { ...asked, source: "a:1", destination: "10.0.0.1" }, ["/destination", "/source"]],
    ["a certificate", { ...asked, certificate: { presented: "yes" } }, ["/certificate/presented"]],
    ["what is not known", { ...asked, form: "x" }, ["/form"]],
    ["no object", [], [""]],
  ])("%s", async (_, body, pointers) => {
    const answer = await post(body);
    expect([answer.statusCode, answer.headers["content-type"]]).toEqual([422, "application/problem+json"]);
    const { code, errors = [] } = answer.json<ProblemView>();
    expect([code, errors.map(({ pointer }) => pointer).sort()]).toEqual(["api/invalid", pointers]);
  });

  test("no JSON", async () => {
    const answer = await post("{");
    expect([answer.statusCode, answer.json<ProblemView>().code]).toEqual([400, "api/invalid-syntax"]);
  });
});

describe("what cannot be said", () => {
  test.each<[string, object, number, string, string]>([
    ["nobody of that name", { proxy: "web-9" }, 404, "No such proxy is known.", "GET /api/v1/proxies lists all."],
    ["several of that name", { proxy: "x" }, 422, "2 proxies have this name.", `such as ${nodes[1]?.id}.`],
    ["no such listener", { listener: "y" }, 422, 'The proxy has no listener "y".', "127.0.0.1_9080"],
  ])("%s", async (_, part, status, detail, hint) => {
    const answer = await post({ ...asked, ...part });
    const problem = answer.json<ProblemView>();
    expect([answer.statusCode, problem.detail]).toEqual([status, detail]);
    expect(problem.hint).toContain(hint);
  });

  test("a mesh that is not known yet", async () => {
    const answer = await post(asked, { to: appWith({ isReady: false }) });
    expect([answer.statusCode, answer.json<ProblemView>().detail]).toEqual([
      ...[404, "The registries have not all reported yet."],
    ]);
  });

  test("who asks without a token, and what is in the query", async () => {
    expect((await post(asked, { headers: {} })).statusCode).toBe(401);
    expect((await post(asked, { url: "/api/v1/explain?proxy=x" })).statusCode).toBe(400);
  });
});
