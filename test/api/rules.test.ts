import { beforeEach, describe, expect, test } from "vitest";
import { createApp } from "../../src/api/http.ts";
import type { ApiPorts } from "../../src/api/ports.ts";
import type { RuleListView, RuleObjectView } from "../../src/api/types/rules.ts";
import type { ProblemView } from "../../src/api/types/server.ts";
import { as, clock, portsWithStore, ruleStatus, ruleText, silent, version } from "./fixture.ts";

type App = ReturnType<typeof createApp>;
let app: App;

beforeEach(async () => {
  app = createApp({ ports: await portsWithStore(), log: silent, clock, version });
});

const items = "/api/v1/namespaces/shop/virtualservices";
const item = `${items}/reviews`;
const yaml = { "content-type": "application/yaml" };

interface Sent {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly to?: App;
}

const send = (
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE",
  url: string,
  { headers = {}, body, to = app }: Sent = {},
) =>
  to.inject({
    method,
    url,
    headers: { host: "localhost", ...as("editor"), ...headers },
    ...(body !== undefined && { payload: body }),
  });

const subsets = (name: string): string =>
  `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: a, namespace: shop}
spec: {host: a, subsets: [{name: ${name}, labels: {version: ${name}}}]}
`;

const put = (name: string, headers: Readonly<Record<string, string>> = {}, part: object = {}) =>
  send("PUT", `${items}/${name}`, { headers: { ...yaml, ...headers }, body: ruleText(name, part) });

describe("one rule", () => {
  test("is created, given back as written, changed and deleted", async () => {
    const made = await put("reviews");
    expect([made.statusCode, made.headers["location"]]).toEqual([201, item]);
    expect(made.json<RuleObjectView>()).toMatchObject({
      kind: "VirtualService",
      metadata: { name: "reviews", namespace: "shop", generation: 1, revision: 1, createdBy: "edith" },
      spec: { hosts: ["reviews"] },
      status: { verdict: "valid" },
    });
    const text = await send("GET", item, { headers: { accept: "application/yaml" } });
    expect([text.body, text.headers["etag"]]).toEqual([ruleText("reviews"), '"1.y"']);

    expect((await put("reviews")).json<RuleObjectView>().metadata.revision).toBe(1);
    const changed = await put("reviews", {}, { host: "reviews-v2" });
    expect([changed.statusCode, changed.json<RuleObjectView>().metadata.generation]).toEqual([200, 2]);

    const gone = await send("DELETE", item);
    expect([gone.statusCode, gone.json<RuleObjectView>().metadata.name]).toEqual([200, "reviews"]);
    expect((await send("GET", item)).statusCode).toBe(404);
    expect((await send("DELETE", item)).statusCode).toBe(404);
  });

  test("what was got as JSON can be put back", async () => {
    await put("reviews");
    const got = await send("GET", item);
    const back = await send("PUT", item, { headers: { "content-type": "application/json" }, body: got.body });
    expect([back.statusCode, back.json<RuleObjectView>().metadata.generation]).toEqual([200, 1]);
  });

  test("POST is for what is new", async () => {
    const headers = yaml;
    expect((await send("POST", items, { headers, body: ruleText("reviews") })).statusCode).toBe(201);
    const again = await send("POST", items, { headers, body: ruleText("reviews") });
    expect([again.statusCode, again.json<ProblemView>().code]).toEqual([409, "api/conflict"]);
  });

  test("a dry run of a new rule says what would be, and stores nothing", async () => {
    for (const [method, url] of [
      ["PUT", item],
      ["POST", items],
    ] as const) {
      const dry = await send(method, `${url}?dryRun=true`, { headers: yaml, body: ruleText("reviews") });
      expect([dry.statusCode, dry.headers["etag"]]).toEqual([200, undefined]);
      expect(dry.json<RuleObjectView>()).toMatchObject({ metadata: { revision: 0, generation: 1 } });
    }
    expect((await send("GET", item)).statusCode).toBe(404);
    const odd = await send("PUT", `${item}?dryRun=yes`, { headers: yaml, body: ruleText("reviews") });
    expect([odd.statusCode, odd.json<ProblemView>().code]).toEqual([400, "api/invalid-query"]);
  });

  test("a dry run of a change has no ETag, and the revision that is there", async () => {
    await put("reviews");
    await put("other");
    const type = { "content-type": "application/merge-patch+json" };
    const patch = '{"metadata": {"labels": {"a": "b"}}}';
    const dry = [
      await send("PATCH", `${item}?dryRun=true`, { headers: type, body: patch }),
      await send("PUT", `${item}?dryRun=true`, { headers: yaml, body: ruleText("reviews", { host: "x" }) }),
      await send("PUT", `${item}?dryRun=true`, { headers: yaml, body: ruleText("reviews") }),
      await send("DELETE", `${item}?dryRun=true`),
    ];
    for (const answer of dry) {
      expect([answer.statusCode, answer.headers["etag"]]).toEqual([200, undefined]);
      expect(answer.json<RuleObjectView>().metadata.revision).toBe(1);
    }
    const headers = { ...type, accept: "application/yaml" };
    const text = await send("PATCH", `${item}?dryRun=true`, { headers, body: patch });
    expect([text.headers["etag"], text.body]).toEqual([undefined, expect.stringContaining("a: b")]);
  });

  test("the status of a dry run follows from what was found", async () => {
    const asked: unknown[] = [];
    const statusOf: ApiPorts["ruleStatus"] = (document, trial) => {
      asked.push(trial);
      return ruleStatus(document);
    };
    const to = createApp({ ports: { ...(await portsWithStore()), ruleStatus: statusOf }, log: silent, clock, version });
    const body = ruleText("reviews").replace("host: reviews}", "host: reviews, subset: v2}");
    const url = `${item}?dryRun=true&allowDangling=true`;
    await send("PUT", url, { to, headers: yaml, body });
    expect(asked).toMatchObject([[{ code: "rule/unknown-subset", severity: "warning" }]]);
  });

  test.each([
    ["application/merge-patch+json", JSON.stringify({ metadata: { labels: { app: "x" } } })],
    ["application/json-patch+json", JSON.stringify([{ op: "add", path: "/metadata/labels/app", value: "x" }])],
  ])("%s keeps the author's comments", async (type, body) => {
    await put("reviews");
    const patched = await send("PATCH", item, { headers: { "content-type": type }, body });
    expect([patched.statusCode, patched.json<RuleObjectView>().metadata["labels"]]).toEqual([200, { app: "x" }]);
    const text = await send("GET", item, { headers: { accept: "application/yaml" } });
    expect(text.body).toContain("# all of it");
  });

  test("patches that cannot be applied", async () => {
    const headers = { "content-type": "application/json-patch+json" };
    expect((await send("PATCH", item, { headers, body: "[]" })).statusCode).toBe(404);
    await put("reviews");
    const failed = '[{"op":"test","path":"/kind","value":"Gateway"}]';
    expect((await send("PATCH", item, { headers, body: failed })).statusCode).toBe(409);
    expect((await send("PATCH", item, { headers, body: '[{"op":"fly"}]' })).statusCode).toBe(422);
    expect((await send("PATCH", item, { headers, body: '[{"op"' })).statusCode).toBe(400);
    const media = await send("PATCH", item, { headers: yaml, body: "a: 1" });
    expect([media.statusCode, media.headers["accept-patch"]]).toEqual([
      415,
      "application/merge-patch+json, application/json-patch+json",
    ]);
  });
});

describe("preconditions", () => {
  const statusOf = async (headers: Readonly<Record<string, string>>) =>
    (await put("reviews", headers, { host: "other" })).statusCode;

  test.each([
    [{ "if-match": '"1.y"' }, 200],
    [{ "if-match": '"1"' }, 200],
    [{ "if-match": '"9.y", "1.abc"' }, 200],
    [{ "if-match": "*" }, 200],
    [{ "if-match": 'W/"1.y"' }, 412],
    [{ "if-match": '"2"' }, 412],
    [{ "if-match": '"01"' }, 412],
    [{ "if-none-match": "*" }, 412],
    [{ "if-none-match": '"1.y"' }, 412],
    [{ "if-none-match": '"2.y"' }, 200],
    [{ "if-match": "1" }, 400],
    [{ "if-match": '"1", ' }, 400],
  ])("of a change: %j", async (headers, status) => {
    await put("reviews");
    expect(await statusOf(headers)).toBe(status);
  });

  test.each([
    [{ "if-none-match": "*" }, 201],
    [{ "if-match": "*" }, 412],
    [{ "if-match": '"1"' }, 412],
  ])("of a rule that is not there: %j", async (headers, status) => {
    expect(await statusOf(headers)).toBe(status);
  });

  test("a mismatch says who changed it when, and where it differs", async () => {
    await put("reviews");
    const { json, headers } = await put("reviews", { "if-match": '"7"' }, { host: "mine" });
    const problem = json<ProblemView>();
    expect(problem.detail).toBe(
      "VirtualService/shop/reviews is at revision 1, written by edith at 2026-11-22T08:00:00.000Z.",
    );
    expect(problem.errors?.map(({ pointer, message }) => [pointer, message])).toEqual([
      ["/spec/hosts/0", 'What is there says "reviews".'],
      ["/spec/http/0/route/0/destination/host", 'What is there says "reviews".'],
    ]);
    expect(headers["etag"]).toMatch(/^"1\.[\w-]{8}"$/);
  });

  test("a read of what is known already is short", async () => {
    await put("reviews");
    const etag = String((await send("GET", item)).headers["etag"]);
    const again = await send("GET", item, { headers: { "if-none-match": `"0", W/${etag}` } });
    expect([again.statusCode, again.body, again.headers["etag"]]).toEqual([304, "", etag]);
    expect((await send("GET", item, { headers: { "if-none-match": '"1.y"' } })).statusCode).toBe(200);
  });

  test("may be made a duty", async () => {
    const strict = createApp({ ports: await portsWithStore(), log: silent, clock, version, requireIfMatch: true });
    const to = strict;
    const body = ruleText("reviews");
    expect((await send("PUT", item, { headers: yaml, body, to })).statusCode).toBe(428);
    expect((await send("PUT", item, { headers: { ...yaml, "if-none-match": "*" }, body, to })).statusCode).toBe(201);
    expect((await send("DELETE", item, { to })).statusCode).toBe(428);
    expect((await send("DELETE", item, { to, headers: { "if-match": '"1.y"' } })).statusCode).toBe(200);
  });

  test("of fifty writers with one ETag one wins", async () => {
    await put("reviews");
    const all = await Promise.all(
      Array.from({ length: 50 }, (_, i) => put("reviews", { "if-match": '"1.y"' }, { host: `w${i}` })),
    );
    expect(all.map(({ statusCode }) => statusCode).sort()).toEqual([200, ...Array(49).fill(412)]);
  });
});

describe("what is wrong with a body", () => {
  test.each([
    ["application/yaml", "a: [", 400, "api/invalid-syntax"],
    ["application/json", '{"kind": }', 400, "api/invalid-syntax"],
    ["application/json", '{"kind": "a", "kind": "b"}', 400, "api/invalid-syntax"],
    ["application/json", "", 400, "api/invalid-syntax"],
    ["application/yaml", "kind: Nothing", 422, "api/invalid"],
    ["application/yaml", ruleText("other"), 422, "api/invalid"],
    ["application/yaml", ruleText("reviews", { namespace: "bank" }), 422, "api/invalid"],
    ["application/json; charset=latin1", "{}", 415, "api/unsupported-media-type"],
    ["text/plain", "a", 415, "api/unsupported-media-type"],
    ["application/yaml", "#".repeat(1024 * 1024 + 1), 413, "api/too-large"],
  ])("%s %#", async (type, body, status, code) => {
    const answer = await send("PUT", item, { headers: { "content-type": type }, body });
    expect([answer.statusCode, answer.json<ProblemView>().code]).toEqual([status, code]);
    expect(answer.headers["content-type"]).toBe("application/problem+json");
  });

  test.each([
    ["PUT", item, "1048576"],
    ["POST", "/api/v1/changesets", "4194304"],
  ] as const)("too large for %s %s: what is allowed, and what to do", async (method, url, bytes) => {
    const answer = await send(method, url, { headers: yaml, body: "#".repeat(Number(bytes) + 1) });
    expect(answer.json<ProblemView>()).toMatchObject({
      status: 413,
      detail: `A body has at most ${bytes} bytes here.`,
      hint: expect.stringMatching(/^Split it/),
    });
  });

  test("each fault with its place", async () => {
    const body = ruleText("reviews").replace("hosts", "hostss");
    const { errors = [] } = (await send("PUT", item, { headers: yaml, body })).json<ProblemView>();
    expect(errors[0]).toMatchObject({
      rule: "VirtualService/shop/reviews",
      document: 0,
      severity: "error",
      source: { line: expect.any(Number), column: expect.any(Number) },
    });
  });

  test("a field named __proto__ is refused like any unknown one", async () => {
    const body = '{"__proto__": {"admin": true}, "apiVersion": "networking.istio.io/v1"}';
    const answer = await send("PUT", item, { headers: { "content-type": "application/json" }, body });
    expect(answer.statusCode).toBe(422);
  });
});

describe("lists", () => {
  beforeEach(async () => {
    await put("a", {}, { labels: "app: x" });
    await put("b", {}, { labels: "app: y" });
    await put("c", {}, { labels: "app: x" });
  });
  const namesOf = async (url: string) =>
    (await send("GET", url)).json<RuleListView>().items.map(({ metadata }) => metadata.name);

  test("by place and labels", async () => {
    expect(await namesOf("/api/v1/virtualservices")).toEqual(["a", "b", "c"]);
    expect(await namesOf(items)).toEqual(["a", "b", "c"]);
    expect(await namesOf("/api/v1/namespaces/bank/virtualservices")).toEqual([]);
    expect(await namesOf("/api/v1/gateways")).toEqual([]);
    expect(await namesOf(`${items}?labelSelector=${encodeURIComponent("app in (x)")}`)).toEqual(["a", "c"]);
    expect((await send("GET", `${items}?labelSelector=((`)).statusCode).toBe(400);
  });

  test("pages go on at their place while rules come and go", async () => {
    const first = (await send("GET", `${items}?limit=2`)).json<RuleListView>();
    expect([first.items.length, first.total, first.revision]).toEqual([2, 3, 3]);
    await send("DELETE", `${items}/b`);
    await put("bb");
    expect(await namesOf(`${items}?limit=2&continue=${first.continue}`)).toEqual(["bb", "c"]);
  });

  test("as YAML", async () => {
    const { body } = await send("GET", `${items}?limit=2`, { headers: { accept: "application/yaml" } });
    expect(body).toBe(`${ruleText("a", { labels: "app: x" })}---\n${ruleText("b", { labels: "app: y" })}`);
  });

  test("in no other form", async () => {
    expect((await send("GET", items, { headers: { accept: "text/html" } })).statusCode).toBe(406);
  });

  test.each<[string, string, Readonly<Record<string, string>>, number]>([
    ["a namespace that none can be", "/api/v1/namespaces/Shop/virtualservices", {}, 404],
    ["an event that none can be", items, { "last-event-id": "x" }, 400],
    ["no event yet", items, { "last-event-id": "" }, 200],
  ])("%s", async (_what, url, headers, status) => {
    expect((await send("GET", url, { headers })).statusCode).toBe(status);
  });
});

describe("change sets", () => {
  const post = (body: object | string, query = "", headers: Readonly<Record<string, string>> = {}) =>
    send("POST", `/api/v1/changesets${query}`, {
      headers: { "content-type": typeof body === "string" ? "application/yaml" : "application/json", ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  const actions = (answer: Awaited<ReturnType<typeof post>>) =>
    answer
      .json<{ results: { name: string; action: string }[] }>()
      .results.map(({ name, action }) => `${name} ${action}`);

  test("several documents are one revision", async () => {
    const made = await post(`${ruleText("a")}---\n${ruleText("b")}`);
    expect([made.statusCode, made.json().revision, actions(made)]).toEqual([200, 1, ["a created", "b created"]]);
    const text = ruleText("c");
    const object = JSON.parse((await send("GET", `${items}/a`)).body);
    const deletes = [{ kind: "VirtualService", namespace: "shop", name: "b" }];
    const next = await post({ documents: [{ text, file: "c.yaml" }, { object }], deletes });
    expect(actions(next)).toEqual(["c created", expect.stringMatching(/^a /), "b deleted"]);
  });

  test("sent again from a file of another name", async () => {
    const key = { "idempotency-key": "k1" };
    const first = await post(ruleText("a"), "?file=a.yaml", key);
    for (const query of ["?file=b/a.yaml", ""]) {
      const again = await post(ruleText("a"), query, key);
      expect([again.statusCode, again.json()]).toEqual([200, first.json()]);
    }
  });

  test("a rule twice: lines are named of texts, not of objects", async () => {
    await put("a");
    const object = JSON.parse((await send("GET", `${items}/a`)).body);
    const text = ruleText("a");
    const detailOf = async (body: object | string) => (await post(body)).json<ProblemView>().detail;
    expect(await detailOf({ documents: [{ object }, { object }] })).toBe(
      "VirtualService/shop/a is in this change already.",
    );
    expect(await detailOf({ documents: [{ object }, { text }] })).toBe(
      "VirtualService/shop/a is in this change already.",
    );
    expect(await detailOf(`${text}---\n${text}`)).toBe("VirtualService/shop/a is in this change already, in line 5.");
  });

  test("all of it or nothing", async () => {
    const wrong = await post(`${ruleText("a")}---\n${ruleText("b").replace("hosts", "hostss")}`, "?file=all.yaml");
    expect(wrong.statusCode).toBe(422);
    expect(wrong.json<ProblemView>().errors?.[0]).toMatchObject({ document: 1, source: { file: "all.yaml" } });
    expect((await send("GET", `${items}/a`)).statusCode).toBe(404);
  });

  test("a base revision that others went past", async () => {
    await put("a");
    await put("b");
    expect((await post(ruleText("a", { host: "x" }), "?baseRevision=1")).statusCode).toBe(200);
    const late = await post(ruleText("a", { host: "y" }), "?baseRevision=2");
    expect([late.statusCode, late.json<ProblemView>().code]).toEqual([409, "api/conflict"]);
    expect(late.json<ProblemView>().errors?.[0]?.message).toMatch(/was changed by edith at .*, in revision 3\.$/);
    expect((await post(ruleText("a", { host: "y" }), "?baseRevision=2&dryRun=true")).statusCode).toBe(409);
    const unknown = await post(ruleText("a"), "?baseRevision=99");
    expect([unknown.statusCode, unknown.json<ProblemView>().code]).toEqual([409, "api/conflict"]);
  });

  test("sent twice with one key, made once", async () => {
    const key = { "idempotency-key": "k1" };
    const first = await post(ruleText("a"), "", key);
    const second = await post(ruleText("a"), "", key);
    expect(second.json()).toEqual(first.json());
    expect((await post(ruleText("a"), "", { "idempotency-key": "two words" })).statusCode).toBe(400);
  });

  test("a key is one change's", async () => {
    const key = { "idempotency-key": "k1" };
    await post(ruleText("a"), "", key);
    const others = [
      await post(ruleText("b"), "", key),
      await post(ruleText("a", { host: "x" }), "", key),
      await post(ruleText("a"), "?allowDangling=true", key),
      await post({ deletes: [{ kind: "VirtualService", namespace: "shop", name: "a" }] }, "", key),
    ];
    for (const other of others) {
      expect([other.statusCode, other.json<ProblemView>().code]).toEqual([422, "api/idempotency-key-reused"]);
    }
    expect((await send("GET", items)).json<RuleListView>()).toMatchObject({ revision: 1, total: 1 });
    expect((await post(ruleText("b"), "", { ...key, ...as("admin") })).statusCode).toBe(200);
  });

  test("sent again with its key when it could not be done any more, warnings and all", async () => {
    const key = { "idempotency-key": "k1" };
    const text = ruleText("a").replace("host: a}", "host: a, subset: v2}");
    await post(subsets("v2"));
    const first = await post(text, "", key);
    expect(first.statusCode, first.body).toBe(200);
    const deletes = [
      { kind: "VirtualService", namespace: "shop", name: "a" },
      { kind: "DestinationRule", namespace: "shop", name: "a" },
    ];
    expect((await post({ deletes })).statusCode).toBe(200);
    const again = await post(text, "", key);
    expect([again.statusCode, again.json()]).toEqual([200, first.json()]);
    expect((await post(text)).statusCode).toBe(422);
    const warned = await post(text, "?allowDangling=true", { "idempotency-key": "k2" });
    expect(warned.json().results[0].findings).toHaveLength(1);
    expect((await post(text, "?allowDangling=true", { "idempotency-key": "k2" })).json()).toEqual(warned.json());
  });

  test("of a reference and the deletion of what it refers to, sent at once, one is refused", async () => {
    for (let round = 0; round < 5; round++) {
      await post(subsets("v2"));
      const [wrote, deleted] = await Promise.all([
        send("PUT", `${items}/a`, { headers: yaml, body: ruleText("a").replace("host: a}", "host: a, subset: v2}") }),
        send("DELETE", "/api/v1/namespaces/shop/destinationrules/a"),
      ]);
      const statuses = [wrote.statusCode, deleted.statusCode];
      expect([
        [201, 409],
        [422, 200],
      ]).toContainEqual(statuses);
      await send("DELETE", `${items}/a`);
    }
  });

  test("a document that only moved in its file says so", async () => {
    const appliedFrom = async () =>
      (await send("GET", `${items}/a`)).json<RuleObjectView>().metadata["appliedFrom"] as unknown;
    await post(ruleText("a"), "?file=all.yaml");
    const { etag } = (await send("GET", `${items}/a`)).headers;
    const moved = await post(`${ruleText("b")}---\n${ruleText("a")}`, "?file=all.yaml");
    expect(actions(moved)).toEqual(["b created", "a unchanged"]);
    expect(await appliedFrom()).toEqual({ file: "all.yaml", line: 14 });
    const read = await send("GET", `${items}/a`, { headers: { "if-none-match": String(etag) } });
    expect(read.statusCode).toBe(200);
  });

  test("a dry run from an old base revision answers as the write would", async () => {
    for (const host of ["a", "b", "c"]) await post(ruleText("a", { host }));
    expect((await post(ruleText("new"), "?baseRevision=0&dryRun=true")).statusCode).toBe(200);
    await send("DELETE", `${items}/a`);
    expect((await post(ruleText("a"), "?baseRevision=2&dryRun=true")).statusCode).toBe(409);
    expect((await post(ruleText("a"), "?baseRevision=2")).statusCode).toBe(409);
  });

  test("a dry run", async () => {
    expect(actions(await post(ruleText("a"), "?dryRun=true"))).toEqual(["a created"]);
    expect((await send("GET", `${items}/a`)).statusCode).toBe(404);
  });

  test.each([[{ documents: [{}] }], [{ deletes: [{ kind: "Nothing", namespace: "a", name: "b" }] }], [[]], [{ x: 1 }]])(
    "refused: %j",
    async (body) => {
      expect((await post(body)).statusCode).toBe(422);
    },
  );
});

describe("who may", () => {
  test.each([
    ["GET", item, undefined, 401],
    ["GET", item, "Bearer nobody", 401],
    ["GET", item, "Bearer viewer", 404],
    ["PUT", item, "Bearer viewer", 403],
    ["POST", "/api/v1/changesets", "Bearer viewer", 403],
    ["GET", "/api/v1/tokens", "Bearer editor", 403],
    ["GET", "/api/v1/tokens", "Bearer admin", 200],
  ] as const)("%s %s as %s: %i", async (method, url, authorization, status) => {
    const headers = { host: "localhost", ...yaml, ...(authorization && { authorization }) };
    const answer = await app.inject({
      method,
      url,
      headers,
      ...(method !== "GET" && { payload: ruleText("reviews") }),
    });
    expect(answer.statusCode).toBe(status);
    if (status === 401) expect(answer.headers["www-authenticate"]).toMatch(/^Bearer/);
    if (status === 403) expect(answer.json<ProblemView>().hint).toMatch(/^Use a token/);
  });

  test("a token that asks too much waits, others do not", async () => {
    const to = createApp({
      ports: await portsWithStore(),
      log: silent,
      clock,
      version,
      limits: { requestBurst: 2, requestsPerSecond: 1 },
    });
    const ask = async (role: "viewer" | "editor") => send("GET", items, { to, headers: as(role) });
    expect([(await ask("viewer")).statusCode, (await ask("viewer")).statusCode]).toEqual([200, 200]);
    const third = await ask("viewer");
    expect([third.statusCode, third.headers["retry-after"]]).toEqual([429, "1"]);
    expect((await ask("editor")).statusCode).toBe(200);
  });
});

test("the document that describes the routes, and the schemas, are open", async () => {
  const document = await app.inject({ url: "/openapi.json", headers: { host: "x" } });
  expect(document.json()).toMatchObject({ openapi: "3.1.1" });
  expect((await app.inject("/schemas/virtualservices.json")).json()).toMatchObject({ title: "VirtualService" });
});

describe("route tests", () => {
  const broken = {
    name: "bob sees v2",
    message: "Expected subset v2, but all of it goes to subset v1.",
    source: { file: "tests.yaml", line: 7, column: 17 },
  };
  /** A change of the rule `bad` breaks a test. */
  const brokenTests: ApiPorts["brokenTests"] = (rules) =>
    [...rules].some(([key, rule]) => key.endsWith("/bad") && rule !== undefined) ? [broken] : [];

  test("that a change breaks refuse it, as a dry run too, and nothing is stored", async () => {
    const to = createApp({ ports: { ...(await portsWithStore()), brokenTests }, log: silent, clock, version });
    for (const query of ["", "?dryRun=true"]) {
      const answer = await send("PUT", `${items}/bad${query}`, { headers: yaml, body: ruleText("bad"), to });
      expect([answer.statusCode, answer.json<ProblemView>().code]).toEqual([422, "api/breaks-route-tests"]);
      expect(answer.json<ProblemView>().errors).toEqual([
        { message: `The route test "bob sees v2": ${broken.message}`, source: broken.source },
      ]);
    }
    expect((await send("GET", `${items}/bad`, { to })).statusCode).toBe(404);
    expect((await send("PUT", `${items}/good`, { headers: yaml, body: ruleText("good"), to })).statusCode).toBe(201);
    expect((await send("DELETE", `${items}/good`, { to })).statusCode).toBeLessThan(300);
  });
});
