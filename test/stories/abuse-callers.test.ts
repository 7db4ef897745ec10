import { describe, expect, test } from "vitest";
import type { TokenView } from "../../src/api/types/access.ts";
import type { Page } from "../../src/api/types/pages.ts";
import type { RuleListView } from "../../src/api/types/rules.ts";
import type { ProblemView } from "../../src/api/types/server.ts";
import type { RegisteredServiceView } from "../../src/api/types/services.ts";
import { formatTokenText, newTokenText } from "../../src/security/token-text.ts";
import { type OperatorsServer, reviewsRoute, routePath, startOperatorsServer } from "../support/operators-server.ts";
import { openEventStream } from "../support/sse-client.ts";
import { waitFor } from "../support/wait-for.ts";

/* Callers who may not do what they ask for. */

const yaml = "application/yaml";
const json = "application/json";
const stranger = (): string => formatTokenText(newTokenText());

const writes: readonly (readonly [string, string, string, unknown])[] = [
  ["PUT", routePath("a"), yaml, reviewsRoute("a", "theirs")],
  ["POST", "/api/v1/namespaces/shop/virtualservices", yaml, reviewsRoute("b", "theirs")],
  ["PATCH", routePath("kept"), "application/merge-patch+json", { metadata: { labels: { a: "b" } } }],
  ["DELETE", routePath("kept"), json, undefined],
  ["POST", "/api/v1/changesets", yaml, reviewsRoute("a", "theirs")],
  ["PUT", `${routePath("a")}?dryRun=true`, yaml, reviewsRoute("a", "theirs")],
];
const registrations: typeof writes = [
  ["PUT", "/api/v1/services/x.shop.svc.cluster.local", json, { ports: [{ name: "http", number: 80 }] }],
];
const administration: typeof writes = [
  ["GET", "/api/v1/tokens", json, undefined],
  ["POST", "/api/v1/tokens", json, { name: "mine", role: "admin" }],
  ["DELETE", "/api/v1/tokens/root", json, undefined],
];
const reads: typeof writes = [
  ["GET", routePath("kept"), json, undefined],
  ["GET", "/api/v1/virtualservices?watch=true", json, undefined],
  ["GET", "/api/v1/proxies", json, undefined],
];

const ask = (
  { client }: OperatorsServer,
  token: string | undefined,
  [method, path, type, body]: (typeof writes)[number],
) =>
  client(token).send(method, path, {
    headers: { "content-type": type },
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });

async function setUp(context: Parameters<typeof startOperatorsServer>[0], limits = {}) {
  const server = await startOperatorsServer(context, { limits });
  const { admin } = server;
  expect((await admin.put(routePath("kept"), reviewsRoute("kept", "ours"), yaml)).status).toBe(201);
  const held = async () => ({
    rules: (await admin.json<RuleListView>("/api/v1/virtualservices")).items.map(({ metadata, spec }) => [
      metadata,
      spec,
    ]),
    tokens: (await admin.json<Page<TokenView>>("/api/v1/tokens")).items.map(({ name, role }) => `${name} ${role}`),
    services: await admin.json<Page<RegisteredServiceView>>("/api/v1/registrations"),
  });
  return { server, held };
}

describe("nothing is changed or told", () => {
  test("by what a role may not do", async (context) => {
    const { server, held } = await setUp(context);
    const viewer = await server.makeToken("viewer", "viewer");
    const editor = await server.makeToken("editor", "editor");
    const before = await held();
    for (const request of [...writes, ...registrations, ...administration]) {
      const answer = await ask(server, viewer.token, request);
      const { code, detail } = JSON.parse(answer.text) as ProblemView;
      expect([request[0], request[1], answer.status, code]).toEqual([request[0], request[1], 403, "api/forbidden"]);
      expect(detail).toContain("viewer");
    }
    for (const request of administration) expect((await ask(server, editor.token, request)).status).toBe(403);
    for (const token of [viewer.token, editor.token]) {
      expect((await ask(server, token, ["GET", routePath("kept"), json, undefined])).status).toBe(200);
    }
    expect(await held()).toEqual(before);
  });

  test("without a token", async (context) => {
    const { server, held } = await setUp(context);
    const before = await held();
    // More than an address has failed attempts: to come without a token is none.
    for (const request of [...writes, ...registrations, ...administration, ...reads]) {
      const answer = await ask(server, undefined, request);
      expect([request[1], answer.status, answer.headers.get("www-authenticate")]).toEqual([request[1], 401, "Bearer"]);
      expect(answer.text).not.toContain("ours");
    }
    for (const path of ["/healthz", "/readyz", "/version", "/metrics", "/openapi.json"]) {
      expect((await server.client().get(path)).status, path).toBe(200);
    }
    expect(await held()).toEqual(before);
  });

  test("by wrong tokens; after too many of them an address waits, but not for a right one", async (context) => {
    const { server, held } = await setUp(context);
    const before = await held();
    const right = await server.makeToken("right", "viewer");
    const wrong = [stranger(), "fw_x", `${right.token}x`, `${right.token.slice(0, -1)}!`, stranger().slice(0, -1)];
    const statuses: number[] = [];
    for (let n = 0; n < 16; n++) {
      const [request] = [writes[n % writes.length]];
      if (request === undefined) continue;
      const answer = await ask(server, wrong[n % wrong.length], request);
      statuses.push(answer.status);
      const challenge = answer.headers.get("www-authenticate");
      if (answer.status === 401) expect(challenge).toBe('Bearer error="invalid_token"');
      else expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
      expect((await server.client(right.token).get("/api/v1/whoami")).status).toBe(200);
    }
    expect([...new Set(statuses)]).toEqual([401, 429]);
    expect(statuses.filter((status) => status === 401).length).toBeLessThan(15);
    expect((await held()).rules).toEqual(before.rules);
  });
});

test("a token that was revoked or has expired: its requests are refused and its watches end", async (context) => {
  const { server } = await setUp(context, { heartbeatMs: 50 });
  const { admin } = server;
  const revoked = await server.makeToken("revoked", "editor");
  const expiring = await server.makeToken("expiring", "editor", "1s");
  const staying = await server.makeToken("staying", "editor");
  const url = `${server.url}/api/v1/virtualservices`;
  const watches = await Promise.all([revoked, expiring, staying].map(({ token }) => openEventStream({ url, token })));
  const [ofRevoked, ofExpiring, ofStaying] = watches;
  expect(watches.map(({ status }) => status)).toEqual([200, 200, 200]);

  expect((await admin.remove(`/api/v1/tokens/${revoked.id}`)).status).toBe(204);
  for (const [token, watch, reason] of [
    [revoked.token, ofRevoked, "revoked"],
    [expiring.token, ofExpiring, "expired"],
  ] as const) {
    await watch?.ended;
    expect(watch?.messages.at(-1)).toMatchObject({ event: "ERROR", data: expect.stringContaining(reason) });
    const answer = await ask(server, token, ["PUT", routePath("a"), yaml, reviewsRoute("a", "late")]);
    expect([answer.status, answer.text.includes(reason)]).toEqual([401, true]);
  }
  const written = await ask(server, staying.token, ["PUT", routePath("b"), yaml, reviewsRoute("b", "still")]);
  expect(written.status).toBe(201);
  await waitFor(() => ofStaying?.messages.at(-1)?.id === "2.1");
  expect((await admin.get(routePath("a"))).status).toBe(404);
  ofStaying?.cut();
});
