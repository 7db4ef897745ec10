import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { Ajv2020 } from "ajv/dist/2020.js";
import { createParser, type EventSourceMessage } from "eventsource-parser";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import { type ApiServer, type ApiServerOptions, createApiServer } from "../../src/api/http.ts";
import type { OpenApiDocument } from "../../src/api/openapi.ts";
import type { ApiPorts, Caller } from "../../src/api/ports.ts";
import type { WatchEventView } from "../../src/api/types/change-sets.ts";
import type { ProblemView } from "../../src/api/types/server.ts";
import { formatPosition, parsePosition } from "../../src/api/watch.ts";
import { parseDocuments } from "../../src/base/yaml-document.ts";
import { ruleKey } from "../../src/config/rule.ts";
import { change } from "../config/store-support.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { waitFor } from "../support/wait-for.ts";
import { access, as, portsWithStore, ruleText, silent, version } from "./fixture.ts";

const servers: ApiServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function start(part: Partial<ApiServerOptions> = {}, ports?: ApiPorts) {
  const clock = createFakeClock();
  const own = ports ?? (await portsWithStore());
  const server = createApiServer({ ports: own, log: silent, clock, version, ...part });
  servers.push(server);
  const url = `http://127.0.0.1:${await server.listen("127.0.0.1", 0)}`;
  const write = async (method: string, name: string, part: object = {}) => {
    const body = method === "PUT" ? { body: ruleText(name, part) } : {};
    const headers = { ...as("editor"), "content-type": "application/yaml" };
    const answer = await fetch(`${url}/api/v1/namespaces/shop/virtualservices/${name}`, { method, headers, ...body });
    expect(answer.ok, await answer.text()).toBe(true);
  };
  return {
    server,
    clock,
    url,
    ports: own,
    put: (name: string, part?: object) => write("PUT", name, part),
    remove: (name: string) => write("DELETE", name),
  };
}

/** A watch, and what it was told so far. */
async function watch(url: string, query = "", headers: Readonly<Record<string, string>> = {}) {
  const abort = new AbortController();
  onTestFinished(() => abort.abort());
  const answer = await fetch(`${url}/api/v1/virtualservices${query}`, {
    headers: { ...as("viewer"), accept: "text/event-stream", ...headers },
    signal: abort.signal,
  });
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "text/event-stream"]);
  const messages: EventSourceMessage[] = [];
  let comments = 0;
  let ended = false;
  const parser = createParser({ onEvent: (message) => messages.push(message), onComment: () => void comments++ });
  const reader = (async () => {
    for await (const part of answer.body ?? []) parser.feed(new TextDecoder().decode(part));
  })();
  reader.then(
    () => {
      ended = true;
    },
    () => {},
  );
  const told = () =>
    messages.map(({ event, id, data }) => {
      const { object } = JSON.parse(data) as WatchEventView;
      return [event, object?.metadata.name, id].filter((part) => part !== undefined).join(" ");
    });
  return {
    messages,
    told,
    hears: (count: number) => waitFor(() => messages.length >= count && told(), { what: `event ${count}` }),
    comments: () => comments,
    ended: () => ended,
    stop: () => abort.abort(),
  };
}

test("what is there, a bookmark, then each change in order", async () => {
  const { url, put, remove } = await start();
  await put("a");
  const { hears, messages } = await watch(url);
  await hears(2);
  await put("b");
  await put("a", { host: "x" });
  await remove("b");
  expect(await hears(5)).toEqual(["ADDED a", "BOOKMARK 1", "ADDED b 2.1", "MODIFIED a 3.1", "DELETED b 4.1"]);
  expect(JSON.parse(messages[3]?.data ?? "")).toMatchObject({
    type: "MODIFIED",
    revision: 3,
    object: { spec: { hosts: ["x"] } },
  });
});

test("its events are as the document says", async () => {
  const { url, put } = await start();
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as OpenApiDocument;
  const answer = document.paths["/api/v1/virtualservices"]?.["get"]?.responses["200"];
  const { schema } = (answer && "content" in answer ? answer.content?.["text/event-stream"] : undefined) ?? {};
  await put("a");
  const { hears, messages } = await watch(url);
  await put("b");
  await hears(3);
  const isValid = new Ajv2020().compile(schema ?? false);
  expect(messages.filter((message) => !isValid(JSON.parse(JSON.stringify(message))))).toEqual([]);
});

test("goes on where the connection was lost, without a gap and without anything twice", async () => {
  const { url, put } = await start();
  const seen: string[] = [];
  let last: string | undefined;
  for (let round = 0; round < 4; round++) {
    const { hears, messages, stop } = await watch(url, "?since=0", last === undefined ? {} : { "last-event-id": last });
    await put(`r${round}a`);
    await put(`r${round}b`);
    await hears(last === undefined ? 2 : 3);
    last = messages.at(-1)?.id;
    seen.push(...messages.map(({ id = "" }) => id));
    stop();
    await put(`r${round}c`);
  }
  expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map((revision) => `${revision}.1`));
});

test("labels: what stops to match is deleted, what begins to is added", async () => {
  const { url, put, remove } = await start();
  await put("a", { labels: "app: x" });
  await put("b", { labels: "app: y" });
  const { hears } = await watch(url, "?labelSelector=app%3Dx");
  await hears(2);
  await put("a", { labels: "app: y" });
  await put("b", { labels: "app: x" });
  await put("b", { labels: "app: x", host: "c" });
  await put("a", { labels: "app: z" });
  await remove("b");
  expect(await hears(6)).toEqual([
    "ADDED a",
    "BOOKMARK 2",
    "DELETED a 3.1",
    "ADDED b 4.1",
    "MODIFIED b 5.1",
    "DELETED b 7.1",
  ]);
});

test("of a rule that a directory has too: what is seen, live and when it goes on later", async () => {
  const { url, put, remove, ports } = await start();
  const files = (...hosts: readonly string[]) =>
    ports.store.record(
      hosts.map((host) => {
        const text = ruleText("a", { host, labels: "app: x" });
        const json = JSON.stringify(parseDocuments(text)[0]?.value);
        const labels = { app: "x" } as const;
        return { kind: "VirtualService", namespace: "shop", name: "a", labels, format: "yaml", text, json };
      }),
    );
  const all = await watch(url);
  const labelled = await watch(url, "?labelSelector=app%3Dx");
  await all.hears(1);
  await labelled.hears(1);
  await put("a", { host: "mine" });
  await files("theirs");
  await ports.store.write(change([], [{ key: ruleKey("VirtualService", "shop", "a"), expect: { kind: "any" } }]));
  await files();
  await put("a", { host: "mine" });
  await files("theirs");
  await files();
  await remove("a");
  const seen = ["ADDED a 1.1", "MODIFIED a 2.1", "DELETED a 4.1"];
  const again = ["ADDED a 5.1", "MODIFIED a 6.1", "MODIFIED a 7.1", "DELETED a 8.1"];
  expect(await all.hears(8)).toEqual(["BOOKMARK 0", ...seen, ...again]);
  expect(await labelled.hears(5)).toEqual([
    ...["BOOKMARK 0", "ADDED a 2.1", "DELETED a 4.1"],
    ...["ADDED a 6.1", "DELETED a 7.1"],
  ]);
  const hostOf = ({ data }: EventSourceMessage) => (JSON.parse(data) as WatchEventView).object?.spec;
  expect(all.messages.slice(4, 7).map(hostOf)).toMatchObject([
    { hosts: ["mine"] },
    { hosts: ["theirs"] },
    { hosts: ["mine"] },
  ]);
  expect(await (await watch(url, "?since=0")).hears(7)).toEqual([...seen, ...again]);
});

describe("cannot begin", () => {
  test.each([
    ["?watch=true&since=99", 410, "api/gone"],
    ["?watch=true&since=x", 400, "api/invalid-query"],
    ["?watch=true&limit=3", 400, "api/invalid-query"],
  ])("%s", async (query, status, code) => {
    const { url } = await start();
    const answer = await fetch(`${url}/api/v1/virtualservices${query}`, { headers: as("viewer") });
    expect([answer.status, ((await answer.json()) as ProblemView).code]).toEqual([status, code]);
  });

  test("at what is not remembered any more", async () => {
    const { url, put } = await start({}, await portsWithStore({ rememberedEvents: 2 }));
    for (const name of ["a", "b", "c", "d"]) await put(name);
    const answer = await fetch(`${url}/api/v1/virtualservices?watch=true&since=1`, { headers: as("viewer") });
    expect(answer.status).toBe(410);
    expect(await (await watch(url, "?since=3")).hears(1)).toEqual(["ADDED d 4.1"]);
  });

  test("when there are too many, of one token or in all", async () => {
    const { url } = await start({ limits: { watchers: 3, watchersPerToken: 2 } });
    const status = async (role: "viewer" | "editor" | "admin") => {
      const abort = new AbortController();
      onTestFinished(() => abort.abort());
      const init = { headers: as(role), signal: abort.signal };
      return (await fetch(`${url}/api/v1/virtualservices?watch=true`, init)).status;
    };
    expect([await status("viewer"), await status("viewer"), await status("viewer")]).toEqual([200, 200, 429]);
    expect([await status("editor"), await status("admin")]).toEqual([200, 429]);
  });
});

test("signs of life, and a bookmark after a quiet time", async () => {
  const { url, clock, put, ports } = await start();
  const { comments, hears } = await watch(url, "?labelSelector=app%3Dx");
  await hears(1);
  clock.advance(10_000);
  await waitFor(() => comments() === 1);
  await put("other");
  expect(ports.store.revision()).toBe(1);
  clock.advance(20_000);
  expect(await hears(2)).toEqual(["BOOKMARK 0", "BOOKMARK 1"]);
});

test("ends when the token counts no more", async () => {
  let revoked = false;
  const changing = {
    ...access,
    authenticate: async (request: { readonly authorization: string | undefined; readonly peer: string }) =>
      revoked ? { kind: "invalid" as const, reason: "The token was revoked." } : access.authenticate(request),
    denialOf: (caller: Caller) => (caller.role === "viewer" ? undefined : "No."),
  };
  const { url, clock } = await start({}, { ...(await portsWithStore()), access: changing });
  const { hears, messages, ended } = await watch(url);
  await hears(1);
  revoked = true;
  clock.advance(10_000);
  expect(await hears(2)).toEqual(["BOOKMARK 0", "ERROR"]);
  expect(JSON.parse(messages[1]?.data ?? "")).toMatchObject({ code: "api/unauthenticated", status: 401 });
  await waitFor(ended);
});

test("ends at once when the server closes", async () => {
  const { url, server } = await start();
  const { hears, ended } = await watch(url);
  await hears(1);
  await server.close();
  await waitFor(ended);
});

test("a watcher that takes nothing is cut off, and others hear everything", async () => {
  const { url, clock, put, ports } = await start();
  const port = Number(new URL(url).port);
  const deaf = connect(port, "127.0.0.1");
  await once(deaf, "connect");
  deaf.pause();
  deaf.write(
    "GET /api/v1/virtualservices?watch=true HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer viewer\r\n\r\n",
  );
  let closed = false;
  deaf.on("close", () => {
    closed = true;
  });
  const { hears, ended } = await watch(url);
  await hears(1);
  const padding = "x".repeat(1_000_000);
  for (let i = 0; i < 40; i++) {
    const json = { apiVersion: "networking.istio.io/v1", metadata: { annotations: { padding } }, spec: {} };
    const rule = { kind: "VirtualService", namespace: "shop", name: "big", labels: {}, format: "yaml" } as const;
    const put = { ...rule, text: ruleText("big", { host: `h${i}` }), json: JSON.stringify(json) };
    await ports.store.write({ puts: [{ ...put, expect: { kind: "any" } }], deletes: [], by: "edith" });
  }
  await hears(41);
  clock.advance(10_001);
  deaf.resume();
  await waitFor(() => closed, { what: "the end of the deaf watcher" });
  await put("after");
  await hears(42);
  expect(ended()).toBe(false);
}, 20_000);

test("a body that trickles in is given up", async () => {
  const { url } = await start({ limits: { requestMs: 200, headersMs: 100 } });
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  socket.write(
    "PUT /api/v1/namespaces/shop/virtualservices/a HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer editor\r\n" +
      "content-type: application/yaml\r\ncontent-length: 1000\r\n\r\nkind: ",
  );
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 408 /);
});

test("a body that is too large is refused before it comes", async () => {
  const { url } = await start();
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  socket.write(
    "POST /api/v1/changesets HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer editor\r\n" +
      "content-type: application/yaml\r\ncontent-length: 10000000\r\n\r\n",
  );
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 413 /);
});

test("a position is the inverse of its text", () => {
  for (const text of ["0", "7", "7.0", "7.12"]) expect(formatPosition(parsePosition(text) ?? expect.fail())).toBe(text);
  for (const text of ["", "-1", "07", "7.", "7.01", "a", "1e3"]) expect(parsePosition(text)).toBeUndefined();
});
