import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, type TestContext, test } from "vitest";
import { type ExampleProcess, type ExampleProcessOptions, startExample } from "../../src/app/dev/example-process.ts";
import { arrived, formatHop, type Hop, parseHop } from "../../src/app/dev/hop.ts";
import { isOpen, isRunning } from "../support/process.ts";

const address = "127.0.0.1";

async function example(
  { onTestFinished }: Pick<TestContext, "onTestFinished">,
  options: Partial<ExampleProcessOptions>,
): Promise<ExampleProcess> {
  const started = await startExample({ name: "web", version: "v1", calls: [], address, port: 0, ...options });
  onTestFinished(async () => {
    await started.stop({ graceMs: 1_000 });
  });
  return started;
}

/** A server in this process, in the place of a sidecar. */
async function stub(
  { onTestFinished }: Pick<TestContext, "onTestFinished">,
  answer: Parameters<typeof createServer>[1],
): Promise<string> {
  const server = createServer(answer ?? (() => {}));
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://${address}:${(server.address() as AddressInfo).port}/`;
}

const leaf = (service: string): Hop => ({ service, version: "v1", calls: [] });

describe("the way of a request", () => {
  test.each([
    [leaf("a"), "a v1", true],
    [{ ...leaf("a"), calls: [{ ...leaf("b"), calls: [leaf("c")] }] }, "a v1 -> b v1 -> c v1", true],
    [{ ...leaf("a"), calls: [leaf("b"), leaf("c")] }, "a v1 -> [b v1, c v1]", true],
    [
      { ...leaf("a"), calls: [{ ...leaf("b"), calls: [{ service: "c", failed: "503 no healthy upstream" }] }] },
      "a v1 -> b v1 -> c FAILED: 503 no healthy upstream",
      false,
    ],
  ] satisfies [Hop, string, boolean][])("%#: is told in one line", (hop, line, ok) => {
    expect(formatHop(hop)).toBe(line);
    expect(arrived(hop)).toBe(ok);
    expect(parseHop(JSON.stringify(hop))).toEqual(hop);
  });

  test.each([
    "",
    "nonsense",
    "null",
    "{}",
    '{"service":"a","version":"v1"}',
    '{"service":"a","version":"v1","calls":[1]}',
  ])("%j is none", (text) => {
    expect(parseHop(text)).toBeUndefined();
  });
});

describe("an example service", () => {
  test("tells the way, as text or JSON", async (context) => {
    const ratings = await example(context, { name: "ratings" });
    const reviews = await example(context, {
      name: "reviews",
      version: "v2",
      calls: [{ service: "ratings", url: `http://${address}:${ratings.port}/` }],
    });
    const web = await example(context, {
      calls: [{ service: "reviews", url: `http://${address}:${reviews.port}/` }],
    });
    const url = `http://${address}:${web.port}/`;
    const text = await fetch(url);
    expect([text.status, await text.text()]).toEqual([200, "web v1 -> reviews v2 -> ratings v1\n"]);
    const json = await fetch(url, { method: "POST", body: "x", headers: { accept: "application/json" } });
    expect(await json.json()).toEqual({
      service: "web",
      version: "v1",
      calls: [{ service: "reviews", version: "v2", calls: [leaf("ratings")] }],
    });
  });

  test("sends the service's name as Host, and passes on the headers that belong to the request", async (context) => {
    const seen: unknown[] = [];
    const url = await stub(context, ({ headers }, response) => {
      const { host, accept, "end-user": endUser, "x-request-id": id, cookie } = headers;
      seen.push({ host, accept, endUser, id, cookie });
      response.end(JSON.stringify(leaf("reviews")));
    });
    const web = await example(context, { calls: [{ service: "reviews.shop", url }] });
    await fetch(`http://${address}:${web.port}/`, {
      headers: { "end-user": "jason", "x-request-id": "7", cookie: "secret" },
    });
    expect(seen).toEqual([
      { host: "reviews.shop", accept: "application/json", endUser: "jason", id: "7", cookie: undefined },
    ]);
  });

  test.for([
    ["what Envoy says", 503, "no healthy upstream", "web v1 -> reviews FAILED: 503 no healthy upstream\n"],
    ["a long answer", 200, "x".repeat(70_000), "web v1 -> reviews FAILED: the answer is too long\n"],
  ] as const)("tells a failure behind it with 502: %s", async ([, status, body, expected], context) => {
    const url = await stub(context, (_, response) => response.writeHead(status).end(body));
    const web = await example(context, { calls: [{ service: "reviews", url }] });
    const answer = await fetch(`http://${address}:${web.port}/`);
    expect([answer.status, await answer.text()]).toEqual([502, expected]);
    // Its own health does not depend on others.
    const health = await fetch(`http://${address}:${web.port}/healthz`);
    expect([health.status, await health.text()]).toEqual([200, "ok\n"]);
  });

  test("finishes the request under way when it is asked to end, and leaves no process and no port", async (context) => {
    const { promise: asked, resolve: heard } = Promise.withResolvers<() => void>();
    const url = await stub(context, (_, response) => heard(() => response.end(JSON.stringify(leaf("reviews")))));
    const web = await example(context, { calls: [{ service: "reviews", url }] });
    const answer = new Promise<number | undefined>((resolve, reject) => {
      request({ host: address, port: web.port }, ({ statusCode }) => resolve(statusCode))
        .on("error", reject)
        .end();
    });
    const release = await asked;
    const stopped = web.stop();
    release();
    expect(await answer).toBe(200);
    expect(await stopped).toEqual({ code: 0, signal: null });
    expect(isRunning(web.pid)).toBe(false);
    expect(await isOpen(`${address}:${web.port}`)).toBe(false);
  });

  test("that cannot listen says why", async (context) => {
    const first = await example(context, {});
    await expect(example(context, { port: first.port })).rejects.toThrow(
      `example service web v1 ended with status 1: Error: listen EADDRINUSE: address already in use ${address}:${first.port}`,
    );
  });
});
