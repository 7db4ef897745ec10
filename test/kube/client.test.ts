import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import type { KubeAccess } from "../../src/kube/access.ts";
import { createKubeClient, type KubeLimits } from "../../src/kube/client.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { hang, json, reset, says, status, text } from "../support/fake-kube-answers.ts";
import { type Answer, startFakeKubeApi } from "../support/fake-kube-api.ts";
import { selfSigned } from "../support/self-signed.ts";
import { waitFor } from "../support/wait-for.ts";
import { loginTo } from "./support.ts";

interface Context {
  readonly onTestFinished: (task: () => void) => void;
}

function clientOf(context: Context, access: KubeAccess, limits: Partial<KubeLimits> = {}) {
  const clock = createFakeClock();
  const client = createKubeClient({ access, clock, userAgent: "fairway/1.2.3", limits });
  context.onTestFinished(client.close);
  return { clock, ...client };
}

test("a request says who asks and in whose name, and gives the answer", async (context) => {
  const api = await startFakeKubeApi(context);
  const login = { server: `${api.server}/`, user: "me", headers: { Authorization: "Bearer t" }, tls: {} };
  const { send } = clientOf(context, { login: async () => login, refused: () => {} });
  expect(await send({ path: "/api/v1/things", query: { labelSelector: "a=b c" } })).toMatchObject({
    kind: "ThingList",
  });
  expect(api.requests[0]).toMatchObject({
    query: { labelSelector: "a=b c" },
    headers: { authorization: "Bearer t", "user-agent": "fairway/1.2.3", accept: "application/json" },
  });
});

test("what is written goes out as JSON, of the type that is asked for", async (context) => {
  const api = await startFakeKubeApi(context);
  let heard = "";
  api.always("other", (response) => {
    response.req.on("data", (chunk: Buffer) => {
      heard += `${response.req.method} ${response.req.headers["content-type"]} ${chunk}`;
    });
    response.req.on("end", () => json(201, { made: "é" })(response));
  });
  const { send } = clientOf(context, loginTo(api.server));
  const contentType = "application/merge-patch+json";
  expect(await send({ method: "PATCH", path: "/x", body: { a: "é" }, contentType })).toEqual({ made: "é" });
  expect(heard).toBe('PATCH application/merge-patch+json {"a":"é"}');
});

const failures: readonly [string, Answer, object][] = [
  ["a refusal", status(403, "Forbidden"), { code: "kubernetes/refused", kind: "forbidden", status: 403 }],
  [
    "a time to wait",
    status(429, "TooManyRequests", { "Retry-After": "2" }),
    { kind: "throttled", retryAfterMs: 2_000 },
  ],
  ["plain text", text(503, "busy\n"), { kind: "failed", message: expect.stringMatching(/answered with 503: busy$/) }],
  ["no JSON", text(200, "<html>"), { kind: "broken" }],
  ["no object", json(200, "hello"), { kind: "broken" }],
  ["too many bytes", json(200, "x".repeat(2_000)), { kind: "too-large" }],
  ["a reset", reset, { code: "server/unreachable", kind: "unreachable" }],
  ["an answer that breaks off", says("{", "reset"), { kind: "cut" }],
];

test.for(failures)("%s is told", async ([, answer, wanted], context) => {
  const api = await startFakeKubeApi(context);
  api.always("other", answer);
  const { send } = clientOf(context, loginTo(api.server), { maxBodyBytes: 1_000 });
  await expect(send({ path: "/x" })).rejects.toMatchObject({ hint: expect.any(String), ...wanted });
});

test("nobody there is told with the address", async (context) => {
  const { send } = clientOf(context, loginTo("http://127.0.0.1:1"));
  await expect(send({ path: "/x" })).rejects.toThrow(/^GET \/x at http:\/\/127\.0\.0\.1:1 as tester got no answer: /);
});

test("an answer that does not come, or does not end, is given up in time", async (context) => {
  const api = await startFakeKubeApi(context);
  const { send, stream, clock } = clientOf(context, loginTo(api.server));
  for (const [answer, limitMs] of [
    [hang, 120_000],
    [says("{"), 120_000],
  ] as const) {
    api.next("other", answer);
    const asked = api.requests.length;
    const sent = send({ path: "/x" });
    await waitFor(() => api.requests.length > asked);
    clock.advance(limitMs);
    await expect(sent).rejects.toMatchObject({ kind: "unreachable", message: "/x gave no answer within 120 s" });
  }
  api.next("other", hang);
  const opened = stream({ path: "/y" });
  await waitFor(() => api.requests.length === 3);
  clock.advance(30_000);
  await expect(opened).rejects.toThrow("/y gave no answer within 30 s");
  expect(clock.pending()).toBe(0);
  await waitFor(() => api.connections() === 0);
});

test("a stream that has begun may take its time, and ends with its signal", async (context) => {
  const api = await startFakeKubeApi(context);
  api.always("other", says("one\n"));
  const { stream, clock } = clientOf(context, loginTo(api.server));
  const controller = new AbortController();
  const chunks = await stream({ path: "/x", signal: controller.signal });
  clock.advance(1_000_000);
  const heard: string[] = [];
  const read = (async () => {
    for await (const chunk of chunks) heard.push(chunk.toString());
  })();
  await waitFor(() => heard.length === 1);
  controller.abort();
  await expect(read).rejects.toThrow();
  await waitFor(() => api.connections() === 0);
});

test("a login that is not accepted is renewed once", async (context) => {
  const api = await startFakeKubeApi(context);
  const tokens = ["old", "new", "newer"];
  let current = 0;
  const { send } = clientOf(context, {
    login: async () => ({
      ...{ server: api.server, user: "me", tls: {} },
      headers: { Authorization: `Bearer ${tokens[current]}` },
    }),
    refused: () => {
      current += 1;
    },
  });
  const only =
    (token: string): Answer =>
    (response, request) =>
      (request.headers.authorization === `Bearer ${token}` ? json(200, {}) : status(401, "Unauthorized"))(response);
  api.always("other", only("new"));
  await send({ path: "/x" });
  expect(current).toBe(1);
  api.always("other", only("none"));
  await expect(send({ path: "/x" })).rejects.toMatchObject({ kind: "unauthorized" });
  expect(api.requests).toHaveLength(4);
});

test("requests one after the other share a connection, over TLS that is verified", async (context) => {
  const { key, certificate } = selfSigned();
  const sockets = new Set<unknown>();
  const server = createServer({ key, cert: certificate }, (_, response) => void response.end("{}"));
  server.on("connection", (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const login = (tls: object) => ({
    login: async () => ({ server: url, user: "me", headers: {}, tls }),
    refused: () => {},
  });

  // The certificate names localhost.
  const { send } = clientOf(context, login({ ca: certificate, servername: "localhost" }));
  for (let n = 0; n < 20; n++) await send({ path: "/x" });
  expect(sockets.size).toBe(1);
  await Promise.all(Array.from({ length: 200 }, () => send({ path: "/x" })));
  expect(sockets.size).toBeLessThanOrEqual(64);

  await expect(clientOf(context, login({})).send({ path: "/x" })).rejects.toMatchObject({
    kind: "unreachable",
    message: expect.stringContaining("self-signed certificate"),
  });
  await expect(clientOf(context, login({ ca: certificate })).send({ path: "/x" })).rejects.toThrow(/altnames/);
});
