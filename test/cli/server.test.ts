import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { type ApiServer, createApiServer } from "../../src/api/http.ts";
import type { ApiPorts } from "../../src/api/ports.ts";
import { systemClock } from "../../src/base/clock.ts";
import { ports, proxy, service, silent, version } from "../api/fixture.ts";
import { fairway, noon } from "./terminal.ts";

const servers: (ApiServer | HttpServer)[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function serve(part: Partial<ApiPorts>): Promise<string> {
  const server = createApiServer({ ports: ports(part), log: silent, clock: systemClock, version });
  servers.push(server);
  return `127.0.0.1:${await server.listen("127.0.0.1", 0)}`;
}

/** Something else that answers on a port. */
async function answering(status: number, body: string): Promise<string> {
  const server = createServer((_request, response) => response.writeHead(status, { connection: "close" }).end(body));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const instance = (health: "healthy" | "draining") => ({
  id: health,
  address: "10.0.0.1",
  ports: {},
  labels: {},
  locality: "",
  weight: 1,
  health,
  registry: "file",
});

const at = (secondsAgo: number): string => new Date(noon - secondsAgo * 1_000).toISOString();

describe("services", () => {
  const services = () => [
    { ...service("shop", "reviews"), instances: [instance("healthy"), instance("draining")] },
    { ...service("shop", "details"), instances: [instance("healthy")] },
    {
      ...service("bank", "ledger"),
      origin: { kind: "rule", rule: "ServiceEntry/bank/ledger" },
      external: true,
      resolution: "dns",
    } as const,
  ];

  test("as a table", async () => {
    const { exit, out, err } = await fairway(`services --server ${await serve({ services })}`);
    expect([exit, err]).toEqual([0, ""]);
    await expect(out).toMatchFileSnapshot("expected/services.txt");
  });

  test("as JSON, of one namespace", async () => {
    const { out } = await fairway(`services -n bank -o json --server http://${await serve({ services })}/`);
    expect(JSON.parse(out)).toEqual({ items: [services()[2]] });
  });

  test("of the server that the environment names, page by page", async () => {
    const many = Array.from({ length: 1_203 }, (_, i) => service("shop", `s${i}`));
    const env = { FAIRWAY_SERVER: await serve({ services: () => many }) };
    const { out } = await fairway("services -o json", { env });
    expect(JSON.parse(out).items).toHaveLength(1_203);
    expect((await fairway("services", { env })).out).toMatch(/\n1203 services, 0 instances\n$/);
  });

  test("none", async () => {
    expect((await fairway(`services --server ${await serve({})}`)).out).toBe("No services are known.\n");
  });
});

describe("proxies", () => {
  const inSync = proxy("sidecar~1", {
    name: "web-1",
    types: {
      CDS: { resources: 12, pending: 0, refused: 0, lastAckAt: at(5) },
      LDS: { resources: 3, pending: 0, refused: 0, lastAckAt: at(65) },
    },
  });
  const pending = proxy("sidecar~2", { name: "web-2", types: { EDS: { resources: 7, pending: 2, refused: 0 } } });
  const gone = proxy("sidecar~3", { name: "web-3", namespace: "bank", streams: 0 });
  const refusing = proxy("router~4", {
    name: "gw",
    kind: "gateway",
    types: { LDS: { resources: 3, pending: 0, refused: 1, lastAckAt: at(7_200) } },
    refusals: [
      {
        type: "LDS",
        resource: "0.0.0.0_8080",
        reason: "Error adding/updating listener(s) 0.0.0.0_8080:\n  bad\u001b[2J regex",
        at: at(61),
        rules: [
          {
            rule: "VirtualService/shop/reviews",
            pointer: "/spec/http/0/match/0",
            file: "rules/reviews.yaml",
            line: 14,
            column: 9,
          },
        ],
      },
    ],
  });

  test("as a table, with what was refused and the rule behind it", async () => {
    const { exit, out, err } = await fairway(
      `proxies --server ${await serve({ proxies: () => [inSync, pending, gone, refusing] })}`,
    );
    expect([exit, err]).toEqual([1, ""]);
    await expect(out).toMatchFileSnapshot("expected/proxies.txt");
  });

  test.each([
    ["in sync", [inSync], 0],
    ["gone, which is no matter of configuration", [inSync, gone], 0],
    ["pending", [inSync, pending], 1],
    ["refusing", [inSync, refusing], 1],
    ["none", [], 0],
  ])("%s", async (_what, list, exit) => {
    expect((await fairway(`proxies --server ${await serve({ proxies: () => list })}`)).exit).toBe(exit);
  });

  test.each(["web-1", "web-1.shop", "sidecar~1"])("the one named %s", async (name) => {
    const { exit, out } = await fairway(
      `proxies ${name} -o json --server ${await serve({ proxies: () => [inSync, pending] })}`,
    );
    expect([exit, JSON.parse(out)]).toEqual([0, { items: [inSync] }]);
  });

  test("one that nobody knows", async () => {
    const answer = await fairway(`proxies web-9 --server ${await serve({ proxies: () => [inSync] })}`);
    expect(answer).toEqual({ exit: 1, out: "No such proxy is known.\n", err: "" });
  });
});

describe("a server that cannot be asked is exit 3", () => {
  test("nothing listens there", async () => {
    const address = await answering(200, "");
    await new Promise((resolve) => (servers.pop() as HttpServer).close(resolve));
    expect(await fairway(`services --server ${address}`)).toEqual({
      exit: 3,
      out: "",
      err: `fairway: cannot reach the server at http://${address}: nothing listens there\n  Start one with \`fairway serve\` or \`fairway dev\`, or name another one with --server.\n`,
    });
  });

  test.each([
    ["no JSON", 200, "hello", "It answered with status 200."],
    ["another JSON", 200, '{"items": [{"name": "x"}]}', "The field host is missing."],
    ["no problem document", 502, "<html>", "It answered with status 502."],
  ])("what answers is not ours: %s", async (_what, status, body, found) => {
    const address = await answering(status, body);
    const { exit, err } = await fairway(`services --server ${address}`);
    expect(exit).toBe(3);
    expect(err).toContain(`what listens at http://${address} does not answer as Fairway's API. ${found}`);
  });

  test("the server says what is wrong", async () => {
    const problem = JSON.stringify({ detail: "The store is away.", hint: "Wait." });
    const down = await fairway(`services --server ${await answering(503, problem)}`);
    expect(down).toEqual({ exit: 3, out: "", err: "fairway: The store is away.\n  Wait.\n" });
    const wrong = await fairway(`services --server ${await answering(400, problem)}`);
    expect(wrong.exit).toBe(2);
  });

  test("interrupted while waiting", async () => {
    const server = createServer(() => {});
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const controller = new AbortController();
    server.once("request", () => controller.abort());
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { exit, err } = await fairway(`services --server ${address}`, { signal: controller.signal });
    expect([exit, err.split("\n")[0]]).toEqual([
      3,
      `fairway: cannot reach the server at http://${address}: interrupted`,
    ]);
    server.closeAllConnections();
  });
});
