import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, test } from "vitest";
import { type ApiServer, createApiServer, createApp } from "../../src/api/http.ts";
import { routesWith } from "../../src/api/routes.ts";
import { explainFormats } from "../../src/app/explain-port.ts";
import { type Clock, systemClock } from "../../src/base/clock.ts";
import { createLog } from "../../src/base/log.ts";
import { as, finding, ports, proxy, registrations, rule, service, silent, version } from "./fixture.ts";

const gatewayId = "router~10.0.0.9~gw.shop~shop.svc.cluster.local";
const filled = ports({
  services: () => [service("shop", "reviews"), service("shop", "details"), service("bank", "ledger")],
  rules: () => [
    rule({ name: "b", verdict: "refused", inForce: "previous", findings: [finding()] }),
    rule({ kind: "Gateway", name: "gw" }),
    rule({ name: "a", namespace: "bank" }),
  ],
  findings: () => [
    finding({ file: "b.yaml", line: 10 }),
    finding({ file: "b.yaml", line: 9 }),
    finding({ severity: "warning" }),
  ],
  proxies: () => [proxy("sidecar~1"), proxy(gatewayId, { kind: "gateway" })],
});
const options = { ports: filled, log: silent, clock: systemClock, version };
const app = createApp(options);
const get = (url: string, headers: Record<string, string> = {}) =>
  app.inject({ url, headers: { host: "localhost", ...as("viewer"), ...headers } });
const routes = routesWith({ registrations: registrations.formats, explain: explainFormats });

describe("lists", () => {
  test.each([
    ["/api/v1/services", ["ledger.bank", "details.shop", "reviews.shop"]],
    ["/api/v1/services?namespace=shop", ["details.shop", "reviews.shop"]],
    ["/api/v1/services?namespace=shop&host=reviews.shop.svc.cluster.local", ["reviews.shop"]],
    ["/api/v1/services?namespace=", []],
  ])("%s", async (url, hosts) => {
    const answer = await get(url);
    expect(answer.statusCode).toBe(200);
    expect(answer.headers["content-type"]).toBe("application/json; charset=utf-8");
    const page = answer.json<{ items: { host: string }[]; total: number }>();
    expect(page.items.map(({ host }) => host.replace(".svc.cluster.local", ""))).toEqual(hosts);
    expect(page.total).toBe(hosts.length);
    expect(page).not.toHaveProperty("continue");
  });

  test.each([
    ["/api/v1/rules", ["gw", "a", "b"]],
    ["/api/v1/rules?kind=VirtualService", ["a", "b"]],
    ["/api/v1/rules?kind=VirtualService&namespace=shop", ["b"]],
    ["/api/v1/rules?verdict=refused", ["b"]],
  ])("%s", async (url, names) => {
    const { items } = (await get(url)).json<{ items: { name: string }[] }>();
    expect(items.map(({ name }) => name)).toEqual(names);
  });

  test.each([
    ["/api/v1/findings", [undefined, 9, 10]],
    ["/api/v1/findings?severity=error", [9, 10]],
    ["/api/v1/findings?kind=Gateway", []],
  ])("%s", async (url, lines) => {
    const { items } = (await get(url)).json<{ items: { line?: number }[] }>();
    expect(items.map(({ line }) => line)).toEqual(lines);
  });

  test("one after the other, by page", async () => {
    const first = (await get("/api/v1/services?limit=2")).json<{ items: object[]; total: number; continue: string }>();
    expect(first).toEqual({
      items: [service("bank", "ledger"), service("shop", "details")],
      total: 3,
      continue: expect.any(String),
    });
    const second = (await get(`/api/v1/services?limit=2&continue=${first.continue}`)).json();
    expect(second).toEqual({ items: [service("shop", "reviews")], total: 3 });
  });

  test("every problem of a query at once", async () => {
    const answer = await get("/api/v1/rules?limit=0&continue=%21&kind=A&kind=B&namspace=shop");
    expect(answer.statusCode).toBe(400);
    expect(answer.headers["content-type"]).toBe("application/problem+json");
    expect(answer.json()).toEqual({
      type: "urn:fairway:error:api/invalid-query",
      title: "The query or a header is not valid",
      status: 400,
      detail:
        "limit: It must be a number from 1 to 1000. continue: It is not what a page before gave. kind: It is given more than once. namspace: There is no such parameter here.",
      instance: "/api/v1/rules",
      requestId: answer.headers["x-request-id"],
      code: "api/invalid-query",
      errors: [
        { parameter: "limit", message: "It must be a number from 1 to 1000." },
        { parameter: "continue", message: "It is not what a page before gave." },
        { parameter: "kind", message: "It is given more than once." },
        { parameter: "namspace", message: "There is no such parameter here.", hint: "Did you mean namespace?" },
      ],
    });
  });
});

describe("one proxy", () => {
  test("by its id", async () => {
    const answer = await get(`/api/v1/proxies/${encodeURIComponent(gatewayId)}`);
    expect(answer.json()).toEqual(proxy(gatewayId, { kind: "gateway" }));
  });

  test("that nobody knows", async () => {
    const answer = await get("/api/v1/proxies/other");
    expect(answer.statusCode).toBe(404);
    expect(answer.json()).toMatchObject({ code: "api/not-found", detail: "No proxy of this id is known." });
  });
});

describe("health", () => {
  test.each([
    ["/healthz", { status: "ok" }],
    ["/readyz", { ready: true, reasons: [] }],
    ["/version", version],
  ])("%s", async (url, body) => {
    const answer = await get(url, { host: "anything.example" });
    expect([answer.statusCode, answer.json()]).toEqual([200, body]);
  });

  test("not ready says why", async () => {
    const reasons = ["The registry file has no complete catalog yet."];
    const unready = createApp({ ...options, ports: ports({ ready: () => ({ ready: false, reasons }) }) });
    const answer = await unready.inject("/readyz");
    expect([answer.statusCode, answer.json()]).toEqual([503, { ready: false, reasons }]);
    expect((await unready.inject("/healthz")).statusCode).toBe(200);
  });

  test("metrics are text", async () => {
    const answer = await get("/metrics");
    expect(answer.headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(answer.body).toBe("fairway_up 1\n");
  });
});

describe("refused", () => {
  test("every method that a path does not have", async () => {
    const byPath = Map.groupBy(routes, ({ path }) => path);
    for (const [path, own] of byPath) {
      // What is before an action could be a name with a colon in it.
      const action = /:[a-z]+(:[a-z]+)$/.exec(path)?.[1];
      const rows =
        action === undefined ? own : [...(byPath.get(path.slice(0, -action.length) as typeof path) ?? []), ...own];
      const has = new Set(rows.map(({ method }) => method));
      const url = path.replaceAll(/\/:[a-z]+/g, "/x");
      for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const) {
        if (method !== "OPTIONS" && has.has(method)) continue;
        const answer = await app.inject({ method, url, headers: { host: "localhost", "content-type": "text/plain" } });
        const allow = rows.flatMap((row) => (row.method === "GET" ? ["GET", "HEAD"] : [row.method])).join(", ");
        expect([url, method, answer.statusCode, answer.headers["allow"]]).toEqual([url, method, 405, allow]);
        expect(answer.json()).toMatchObject({ code: "api/method-not-allowed", status: 405, instance: url });
      }
      if (!has.has("GET")) continue;
      const head = await app.inject({ method: "HEAD", url, headers: { host: "localhost", ...as("viewer") } });
      expect([url, head.statusCode === 405, head.body]).toEqual([url, false, ""]);
    }
  });

  test.each(["GET", "POST"] as const)("%s of a path that is not there", async (method) => {
    const answer = await app.inject({ method, url: "/api/v1/servicess?x=1" });
    expect([answer.statusCode, answer.headers["content-type"]]).toEqual([404, "application/problem+json"]);
    expect(answer.json()).toMatchObject({ code: "api/not-found", instance: "/api/v1/servicess" });
  });

  test("a path that cannot be decoded", async () => {
    const answer = await get("/api/v1/proxies/%zz");
    expect([answer.statusCode, answer.headers["content-type"]]).toEqual([400, "application/problem+json"]);
    expect(answer.json()).toMatchObject({ code: "api/invalid-request" });
  });

  test.each([
    "evil.example",
    "evil.example:15080",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "10.0.0.1:15080",
  ])("state under the host name %j (DNS rebinding)", async (host) => {
    const answer = await get("/api/v1/rules", { host });
    expect(answer.statusCode).toBe(421);
    expect(answer.json()).toMatchObject({ code: "api/foreign-host" });
    expect(answer.body).not.toContain("reviews");
  });

  test.each(["localhost:15080", "127.0.0.1:1", "[::1]:2"])("not: the host name %s", async (host) => {
    expect((await get("/api/v1/rules", { host })).statusCode).toBe(200);
  });
});

describe("a page in a browser", () => {
  const post = (headers: Record<string, string>) =>
    createApp({ ports: ports(), log: silent, clock: systemClock, version }).inject({
      method: "DELETE",
      url: "/api/v1/tokens/none",
      headers: { host: "127.0.0.1:15080", ...as("admin"), ...headers },
    });

  test.each(["https://evil.example", "http://127.0.0.1:9999", "null"])("of %s changes nothing", async (origin) => {
    expect((await post({ origin })).json()).toMatchObject({ status: 403, code: "api/foreign-origin" });
  });

  test("of this server, and a program, may", async () => {
    for (const headers of [{ origin: "http://127.0.0.1:15080" }, {}])
      expect((await post(headers)).statusCode).toBe(404);
  });
});

describe("request ids", () => {
  test("a caller's word is kept, anything else replaced", async () => {
    expect((await get("/healthz", { "x-request-id": "abc-1" })).headers["x-request-id"]).toBe("abc-1");
    const made = (await get("/healthz", { "x-request-id": "a b\t<script>" })).headers["x-request-id"];
    expect(made).toMatch(/^[0-9a-f-]{36}$/);
  });
});

test("a failure of ours is told to the log, not to the client", async () => {
  const lines: string[] = [];
  const log = createLog({ level: "info", format: "json", write: (line) => lines.push(line) });
  const services = () => {
    throw new Error("the secret inside");
  };
  const broken = createApp({ ...options, log, ports: ports({ services }) });
  const answer = await broken.inject({ url: "/api/v1/services", headers: { host: "localhost", ...as("viewer") } });
  expect(answer.statusCode).toBe(500);
  expect(answer.json()).toMatchObject({ code: "api/failed", requestId: answer.headers["x-request-id"] });
  expect(answer.body).not.toContain("secret");
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({
    level: "error",
    msg: "request failed",
    requestId: answer.headers["x-request-id"],
    path: "/api/v1/services",
    err: { message: "the secret inside" },
  });
});

describe("over a socket", () => {
  const servers: ApiServer[] = [];
  const start = async (part: Partial<Parameters<typeof createApiServer>[0]> = {}, host = "127.0.0.1") => {
    const server = createApiServer({ ...options, ...part });
    servers.push(server);
    return { server, port: await server.listen(host, 0) };
  };
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.close()));
  });

  /** Sends raw bytes and reads until the server closes. */
  const raw = async (port: number, bytes: string): Promise<string> => {
    const socket = connect(port, "127.0.0.1");
    socket.write(bytes);
    return text(socket);
  };

  test("state is served on loopback", async () => {
    const { port } = await start();
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/services?limit=1`, { headers: as("viewer") });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ items: [service("bank", "ledger")], total: 3 });
  });

  test("bound elsewhere, any Host header is taken", async () => {
    const { port } = await start({}, "0.0.0.0");
    const answer = await raw(
      port,
      "GET /api/v1/whoami HTTP/1.1\r\nhost: mesh.example\r\nauthorization: Bearer viewer\r\nconnection: close\r\n\r\n",
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  });

  test("health and metrics may be bound anywhere, and nothing else is there", async () => {
    const { port } = await start({ serve: "health" }, "0.0.0.0");
    const statusOf = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).status;
    expect(await statusOf("/healthz")).toBe(200);
    expect(await statusOf("/metrics")).toBe(200);
    expect(await statusOf("/api/v1/services")).toBe(404);
  });

  test("a port that is taken", async () => {
    const { port } = await start();
    const other = createApiServer(options);
    await expect(other.listen("127.0.0.1", port)).rejects.toMatchObject({
      code: "usage/invalid",
      message: `cannot listen on 127.0.0.1:${port}: something else listens there already`,
    });
    await other.close();
  });

  test("bytes that are no HTTP, and headers that are too large", async () => {
    const { port } = await start();
    const broken = await raw(port, "nonsense\r\n\r\n");
    expect(broken).toMatch(/^HTTP\/1\.1 400 Bad Request\r\ncontent-type: application\/problem\+json\r\n/);
    const large = await raw(port, `GET /healthz HTTP/1.1\r\nhost: localhost\r\nx: ${"a".repeat(20_000)}\r\n\r\n`);
    expect(large).toMatch(/^HTTP\/1\.1 431 .*"code":"api\/headers-too-large"/s);
  });

  test("methods that nobody knows", async () => {
    const { port } = await start();
    const answer = await raw(port, "PROPFIND /api/v1/rules HTTP/1.1\r\nhost: localhost\r\n\r\n");
    expect(answer).toMatch(/^HTTP\/1\.1 405 .*allow: GET, HEAD/is);
  });

  test("closing lets a running request end, and closes idle connections", async () => {
    let answerMetrics: (() => void) | undefined;
    let asked: () => void = () => {};
    const wasAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const metrics = () =>
      new Promise<{ contentType: string; text: string }>((resolve) => {
        answerMetrics = () => resolve({ contentType: "text/plain", text: "late" });
        asked();
      });
    const { server, port } = await start({ ports: ports({ metrics }) });
    const idle = connect(port, "127.0.0.1");
    const answer = new Promise<string>((resolve, reject) => {
      httpRequest({ port, path: "/metrics", agent: false }, (response) => text(response).then(resolve, reject))
        .on("error", reject)
        .end();
    });
    await wasAsked;
    const closed = server.close();
    answerMetrics?.();
    expect(await answer).toBe("late");
    await closed;
    idle.destroy();
    await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow();
  });

  test("closing does not wait for ever for a request that never ends", async () => {
    let drained: (() => void) | undefined;
    const clock: Clock = {
      now: () => 0,
      monotonic: () => 0,
      after: (_delayMs, task) => {
        drained = task;
        return () => {};
      },
    };
    let asked: () => void = () => {};
    const wasAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const metrics = () => {
      asked();
      return new Promise<never>(() => {});
    };
    const { server, port } = await start({ clock, ports: ports({ metrics }) });
    const answer = fetch(`http://127.0.0.1:${port}/metrics`);
    const failure = expect(answer).rejects.toThrow();
    await wasAsked;
    const closed = server.close();
    drained?.();
    await closed;
    await failure;
  });
});
