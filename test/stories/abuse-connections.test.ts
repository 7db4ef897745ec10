import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { defaultApiLimits } from "../../src/api/limits.ts";
import type { ProblemView } from "../../src/api/types/server.ts";
import { type OperatorsServer, reviewsRoute, routePath, startOperatorsServer } from "../support/operators-server.ts";
import { type EventStream, openEventStream } from "../support/sse-client.ts";
import { waitFor } from "../support/wait-for.ts";

/* Connections that are many, slow, or that never listen. */

const yaml = "application/yaml";
const watchPath = "/api/v1/virtualservices";

async function tokens(server: OperatorsServer, count: number): Promise<readonly string[]> {
  const made = Array.from({ length: count }, (_, n) => server.makeToken(`watcher-${n}`, "viewer"));
  return (await Promise.all(made)).map(({ token }) => token);
}

function watchAs(server: OperatorsServer, token: string): Promise<EventStream> {
  return openEventStream({ url: `${server.url}${watchPath}`, token });
}

const statusesOf = (streams: readonly EventStream[]): readonly number[] => streams.map(({ status }) => status);
const cutAtTheEnd = (streams: readonly EventStream[]): void =>
  onTestFinished(() => {
    for (const { cut } of streams) cut();
  });

describe("watchers beyond the limit are refused, and the others hear everything", () => {
  test("a limit of 6, and of 4 for each token", async (context) => {
    const server = await startOperatorsServer(context, { limits: { watchers: 6, watchersPerToken: 4 } });
    const [one = "", two = ""] = await tokens(server, 2);
    const ofOne = await Promise.all(Array.from({ length: 5 }, () => watchAs(server, one)));
    expect(statusesOf(ofOne).toSorted()).toEqual([200, 200, 200, 200, 429]);
    const ofTwo = await Promise.all(Array.from({ length: 3 }, () => watchAs(server, two)));
    expect(statusesOf(ofTwo).toSorted()).toEqual([200, 200, 429]);
    const refused = await server.client(two).get(watchPath, { accept: "text/event-stream" });
    expect(refused.headers.get("retry-after")).toBe("10");
    expect(JSON.parse(refused.text) as ProblemView).toMatchObject({ code: "api/limited", status: 429 });
    cutAtTheEnd([...ofOne, ...ofTwo]);
    // A place is free again when somebody leaves.
    ofOne.find(({ status }) => status === 200)?.cut();
    const next = await waitFor(async () => {
      const stream = await watchAs(server, two);
      return stream.status === 200 ? stream : undefined;
    });
    next.cut();
  });

  test("the default limits, with 1,000 watchers", { timeout: 30_000 }, async (context) => {
    const server = await startOperatorsServer(context);
    const { watchers, watchersPerToken } = defaultApiLimits;
    const [last = "", ...owners] = await tokens(server, watchers / watchersPerToken + 1);
    const streams: EventStream[] = [];
    cutAtTheEnd(streams);
    for (const owner of owners) {
      streams.push(...(await Promise.all(Array.from({ length: watchersPerToken }, () => watchAs(server, owner)))));
    }
    expect(new Set(statusesOf(streams))).toEqual(new Set([200]));
    expect(streams).toHaveLength(1_000);
    const beyond = await Promise.all(Array.from({ length: 5 }, () => watchAs(server, last)));
    expect(statusesOf(beyond)).toEqual([429, 429, 429, 429, 429]);

    expect((await server.client(last).get("/api/v1/whoami")).status).toBe(200);
    expect((await server.admin.put(routePath("a"), reviewsRoute("a", "for all"), yaml)).status).toBe(201);
    await waitFor(() => streams.every(({ messages }) => messages.at(-1)?.id === "1.1"));
    for (const { messages } of streams) expect(messages.map(({ event }) => event)).toEqual(["BOOKMARK", "ADDED"]);
  });
});

test("a watcher that never reads is cut off, and the others hear everything", async (context) => {
  const server = await startOperatorsServer(context, { limits: { stalledMs: 300 } });
  const { admin, adminToken, url } = server;
  const deaf = connect(Number(new URL(url).port), "127.0.0.1");
  onTestFinished(() => void deaf.destroy());
  await once(deaf, "connect");
  deaf.pause();
  deaf.write(`GET ${watchPath}?watch=true HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${adminToken}\r\n\r\n`);
  const listening = await openEventStream({ url: `${url}${watchPath}`, token: adminToken });
  cutAtTheEnd([listening]);
  await waitFor(() => listening.messages.length === 1);

  // More than the system's buffers hold between two ends of a connection.
  const count = 30;
  const filling = (n: number) => {
    const annotations = Object.fromEntries(
      Array.from({ length: 250 }, (_, i) => [`a${i}`, `${n} ${"x".repeat(1_000)}`]),
    );
    const metadata = { name: "big", namespace: "shop", annotations };
    const http = [{ route: [{ destination: { host: "reviews.shop.svc.cluster.local" } }] }];
    const kind = { apiVersion: "networking.istio.io/v1", kind: "VirtualService" };
    return { ...kind, metadata, spec: { hosts: ["big.example"], http } };
  };
  for (let n = 0; n < count; n++) {
    const { status, text } = await admin.put(routePath("big"), filling(n));
    expect(status, text.slice(0, 500)).toBe(n === 0 ? 201 : 200);
  }
  await waitFor(() => listening.messages.length === count + 1);
  const isCut = Promise.withResolvers<void>();
  deaf.on("error", () => {}).once("close", isCut.resolve);
  deaf.resume();
  await isCut.promise;
  expect((await admin.put(routePath("a"), reviewsRoute("a", "after"), yaml)).status).toBe(201);
  await waitFor(() => listening.messages.length === count + 2);
});

describe.concurrent("who is slow is given up, and the others are served", () => {
  const head = (token: string): string =>
    `PUT ${routePath("a")} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${token}\r\ncontent-type: ${yaml}\r\n`;
  /** What is there from the start; then comes a byte of something every now and then. */
  const slow: Readonly<Record<string, (token: string) => readonly [first: string, drop: string]>> = {
    headers: (token) => [head(token), "x"],
    "header lines": (token) => [head(token), "x: y\r\n"],
    "a body": (token) => [`${head(token)}content-length: 1000\r\n\r\n`, "#"],
    "a body in chunks": (token) => [`${head(token)}transfer-encoding: chunked\r\n\r\n`, "1\r\n#\r\n"],
  };

  function trickle(port: number, [first, drop]: readonly [string, string]): { socket: Socket; said: Promise<string> } {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write(first);
    const timer = setInterval(() => socket.write(drop), 40);
    let text = "";
    socket.setEncoding("utf8").on("data", (part: string) => {
      text += part;
    });
    const said = Promise.withResolvers<string>();
    socket.once("close", () => {
      clearInterval(timer);
      said.resolve(text);
    });
    return { socket, said: said.promise };
  }

  test("headers and bodies that trickle in, 10 of each", async (context) => {
    const { expect } = context;
    const limits = { headersMs: 300, requestMs: 500 };
    const server = await startOperatorsServer(context, { limits });
    const { admin, adminToken, url } = server;
    const began = performance.now();
    const clients = Object.entries(slow).flatMap(([what, parts]) =>
      Array.from({ length: 10 }, () => ({ what, ...trickle(Number(new URL(url).port), parts(adminToken)) })),
    );
    context.onTestFinished(() => {
      for (const { socket } of clients) socket.destroy();
    });
    expect((await admin.put(routePath("b"), reviewsRoute("b", "meanwhile"), yaml)).status).toBe(201);
    for (const { what, said } of clients) {
      expect([what, (await said).split("\r\n")[0]]).toEqual([what, "HTTP/1.1 408 Request Timeout"]);
    }
    // The server looks for them once in a while.
    expect(performance.now() - began).toBeLessThan(5_000);
    expect((await admin.get(routePath("a"))).status).toBe(404);
    expect((await admin.get(routePath("b"))).status).toBe(200);
  });

  test("whoever goes on after being given up loses the connection", async (context) => {
    const { expect } = context;
    const { url } = await startOperatorsServer(context, { limits: { headersMs: 100, requestMs: 200 } });
    const socket = connect({ port: Number(new URL(url).port), host: "127.0.0.1", allowHalfOpen: true });
    context.onTestFinished(() => void socket.destroy());
    socket.on("error", () => {});
    socket.write("GET /healthz HTTP/1.1\r\n");
    const timer = setInterval(() => socket.write("x"), 40);
    context.onTestFinished(() => clearInterval(timer));
    const said = Promise.withResolvers<string>();
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    socket.on("data", (bytes) => said.resolve(String(bytes)));
    await closed;
    expect(await said.promise).toMatch(/^HTTP\/1\.1 408 /);
  });

  test("a connection that says nothing is closed", async (context) => {
    const { url } = await startOperatorsServer(context, { limits: { headersMs: 100, requestMs: 200 } });
    const silent = connect(Number(new URL(url).port), "127.0.0.1");
    silent.on("error", () => {}).resume();
    context.onTestFinished(() => void silent.destroy());
    await once(silent, "close");
  });
});
