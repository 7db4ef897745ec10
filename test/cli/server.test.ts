import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import type { ProxyView } from "../../src/api/types/proxies.ts";
import type { ServiceView } from "../../src/api/types/services.ts";
import { proxy, service } from "../api/fixture.ts";
import { page, problem, startApi } from "./api-server.ts";
import { at } from "./rules.ts";
import { fairway } from "./terminal.ts";

const pageSize = 500;

/** A server of services and proxies, page by page. */
async function serve(part: {
  readonly services?: () => readonly ServiceView[];
  readonly proxies?: () => readonly ProxyView[];
}): Promise<string> {
  const listed = (all: readonly { readonly namespace: string }[], query: Readonly<Record<string, string>>) => {
    const { namespace, continue: after = "0" } = query;
    const items = all.filter((item) => namespace === undefined || item.namespace === namespace);
    const end = Number(after) + pageSize;
    return page(items.slice(Number(after), end), { ...(end < items.length && { continue: String(end) }) });
  };
  const { address } = await startApi({
    "GET /api/v1/services": ({ query }) => listed(part.services?.() ?? [], query),
    "GET /api/v1/proxies": ({ query }) => listed(part.proxies?.() ?? [], query),
  });
  return address;
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

  test("as a wide table: with the addresses that clients dial", async () => {
    const dialled = () => [
      { ...service("shop", "reviews"), addresses: ["10.96.0.1", "fd00::1"], instances: [instance("healthy")] },
      { ...service("bank", "ledger"), addresses: ["198.51.100.0/24"], resolution: "original-destination" } as const,
      service("shop", "details"),
      { ...service("shop", "books"), ports: [], aliasOf: "reviews.shop.svc.cluster.local" },
    ];
    const { exit, out } = await fairway(`services -o wide --server ${await serve({ services: dialled })}`);
    expect(exit).toBe(0);
    await expect(out).toMatchFileSnapshot("expected/services-wide.txt");
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

  test("with what stands in for something, once for all that have it", async () => {
    const reason = "a route names it, and no such service, port or subset is known";
    const missing = { type: "CDS", resource: "outbound|80||nobody", kind: "missing", reason } as const;
    const broken = { type: "RDS", resource: "80", kind: "broken", reason: "bad\u001b[2J luck" } as const;
    const repaired = [
      { ...inSync, repairs: [broken, missing] },
      { ...gone, repairs: [missing] },
    ];
    const { exit, out } = await fairway(`proxies --server ${await serve({ proxies: () => repaired })}`);
    expect(exit).toBe(0);
    await expect(out).toMatchFileSnapshot("expected/proxies-repaired.txt");
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

test("instances of a service", async () => {
  const reviews = { ...service("shop", "reviews"), instances: [instance("healthy"), instance("draining")] };
  const placed = {
    ...instance("healthy"),
    id: "d-1",
    locality: "r1/z1",
    labels: { app: "details" },
    ports: { http: 8080 },
  };
  const details = { ...service("shop", "details"), instances: [placed] };
  const server = await serve({ services: () => [details, reviews] });
  const all = await fairway(`instances -o wide --server ${server}`);
  expect([all.exit, all.err]).toEqual([0, ""]);
  await expect(all.out).toMatchFileSnapshot("expected/instances.txt");
  const one = await fairway(`instances reviews.shop -o json --server ${server}`);
  expect(JSON.parse(one.out).items.map(({ host, id }: { host: string; id: string }) => [host, id])).toEqual([
    [reviews.host, "healthy"],
    [reviews.host, "draining"],
  ]);
  expect(await fairway(`instances nobody --server ${server}`)).toEqual({
    exit: 1,
    out: "No such service is known.\n",
    err: "",
  });
});

describe("a server that cannot be asked is exit 3", () => {
  test("nothing listens there", async () => {
    const gone = createServer();
    await new Promise<void>((resolve) => gone.listen(0, "127.0.0.1", resolve));
    const address = `127.0.0.1:${(gone.address() as AddressInfo).port}`;
    await new Promise((resolve) => gone.close(resolve));
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
    ["a problem of somebody else", 404, '{"detail": "Not Found"}', "It answered with status 404."],
  ])("what answers is not ours: %s", async (_what, status, text, found) => {
    const { address } = await startApi({ "GET /api/v1/services": () => ({ status, text }) });
    const { exit, err } = await fairway(`services --server ${address}`);
    expect(exit).toBe(3);
    expect(err).toContain(`what listens at http://${address} does not answer as Fairway's API. ${found}`);
  });

  test.each([
    [400, 2],
    [401, 2],
    [403, 2],
    [404, 1],
    [409, 1],
    [429, 3],
    [503, 3],
  ])("the server says what is wrong: %d is exit %d", async (status, exit) => {
    const { flag } = await startApi({
      "GET /api/v1/services": () => problem(status, "It is away.", { hint: "Wait." }),
    });
    const answer = await fairway(`services ${flag}`);
    expect([answer.exit, answer.out]).toEqual([exit, ""]);
    expect(answer.err.startsWith("fairway: It is away.\n  Wait.\n")).toBe(true);
    expect(answer.err.includes("fairway token create")).toBe(status === 401);
  });

  test.each([
    [{ parameter: "limit", message: "Expected a number.", hint: "Use 5." }],
    [{ message: "limit: Expected a number.", hint: "Use 5." }],
  ])("a single problem is said once", async (error) => {
    const { flag } = await startApi({
      "GET /api/v1/services": () => problem(400, "limit: Expected a number.", { errors: [error] }),
    });
    expect((await fairway(`services ${flag}`)).err).toBe("fairway: limit: Expected a number.\n  Use 5.\n");
  });

  test("a connection that is cut is tried once more", async () => {
    let cuts = 0;
    const { flag, seen } = await startApi({
      "GET /api/v1/services": (_request, response) => {
        cuts += 1;
        if (cuts > 1) return page([service("shop", "reviews")]);
        response.socket?.destroy();
        return undefined;
      },
    });
    expect((await fairway(`services ${flag}`)).exit).toBe(0);
    expect(seen).toHaveLength(2);
  });

  test("interrupted while waiting", async () => {
    const controller = new AbortController();
    const { flag, address } = await startApi({
      "GET /api/v1/services": () => {
        controller.abort();
        return undefined;
      },
    });
    const { exit, err } = await fairway(`services ${flag}`, { signal: controller.signal });
    expect([exit, err.split("\n")[0]]).toEqual([
      3,
      `fairway: cannot reach the server at http://${address}: interrupted`,
    ]);
  });
});
