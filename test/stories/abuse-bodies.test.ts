import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import type { RuleListView, RuleObjectView } from "../../src/api/types/rules.ts";
import type { ProblemView } from "../../src/api/types/server.ts";
import { type OperatorsServer, reviewsRoute, routePath, startOperatorsServer } from "../support/operators-server.ts";

/* Bodies that are made to hurt. */

const yaml = "application/yaml";
const json = "application/json";
const mergePatch = "application/merge-patch+json";
const jsonPatch = "application/json-patch+json";
const path = routePath("a");
const changesets = "/api/v1/changesets";

const route = reviewsRoute("a", "theirs");
const routeData = {
  apiVersion: "networking.istio.io/v1",
  kind: "VirtualService",
  metadata: { name: "a", namespace: "shop" },
  spec: {
    hosts: ["a.example"],
    http: [{ route: [{ destination: { host: "reviews.shop.svc.cluster.local" } }] }],
  },
};
const routeJson = JSON.stringify(routeData);
const withField = (field: string): string => routeJson.replace('"spec":{', `"spec":{${field},`);
const withMetadata = (field: string): string => routeJson.replace('"metadata":{', `"metadata":{${field},`);

/** Each alias stands for ten of the one before: 10^`levels` values. */
const bomb = (levels: number): string =>
  Array.from({ length: levels }, (_, n) => {
    const items = n === 0 ? "x" : `*a${n - 1}`;
    return `a${n}: &a${n} [${Array.from({ length: 10 }, () => items).join(", ")}]`;
  }).join("\n");

const mebibyte = 1024 * 1024;

/** What is sent, and the statuses that are right. */
const bodies: Readonly<Record<string, readonly [string, string, string, string | Uint8Array, number]>> = {
  "100,000 brackets": ["PUT", path, json, "[".repeat(100_000), 400],
  "100,000 objects": ["PUT", path, json, '{"a":'.repeat(100_000), 400],
  "100,000 brackets of YAML": ["PUT", path, yaml, "[".repeat(100_000), 422],
  "100,000 lists in lists of YAML": ["PUT", path, yaml, "- ".repeat(50_000), 422],
  "100,000 brackets in a patch": ["PATCH", path, mergePatch, "[".repeat(100_000), 400],
  "a patch of 99 levels": ["PATCH", path, mergePatch, `${'{"a":'.repeat(99)}1${"}".repeat(99)}`, 422],
  "a YAML bomb": ["PUT", path, yaml, bomb(12), 422],
  "a YAML bomb inside a rule": ["PUT", path, yaml, `${route}${bomb(12)}\n`, 422],
  "a YAML bomb in a change set": ["POST", changesets, yaml, `${route}---\n${bomb(12)}\n`, 422],
  "an alias of itself": ["PUT", path, yaml, "a: &a [*a]", 400],
  "1 MB of nothing": ["PUT", path, yaml, "#\n".repeat(mebibyte / 2), 422],
  "1 MB of document marks": ["POST", changesets, yaml, "---\n".repeat(mebibyte / 4), 422],
  "__proto__ in JSON": ["PUT", path, json, withField('"__proto__":{"polluted":true}'), 422],
  "constructor.prototype in JSON": ["PUT", path, json, withField('"constructor":{"prototype":{"polluted":1}}'), 422],
  "__proto__ in YAML": ["PUT", path, yaml, `${route}  __proto__: { polluted: true }\n`, 422],
  "__proto__ merged into YAML": ["PUT", path, yaml, `${route}  <<: { __proto__: { polluted: true } }\n`, 422],
  "__proto__ in a merge patch": ["PATCH", path, mergePatch, '{"__proto__":{"polluted":true}}', 422],
  "__proto__ in a JSON patch": [
    "PATCH",
    path,
    jsonPatch,
    '[{"op":"add","path":"/__proto__/polluted","value":true}]',
    422,
  ],
  "__proto__ in a change set": ["POST", changesets, json, '{"documents":[],"__proto__":{"polluted":true}}', 422],
  "a key twice in JSON": ["PUT", path, json, withField('"hosts":["b.example"]'), 400],
  "a key twice in JSON, once in escapes": ["PUT", path, json, withField('"h\\u006fsts":["b.example"]'), 400],
  "a key twice in YAML": ["PUT", path, yaml, `${route}  hosts: [b.example]\n`, 422],
  "bytes that are not UTF-8": ["PUT", path, yaml, Buffer.from([...Buffer.from(route), 0xc3, 0x28]), 400],
  "a UTF-16 body": ["PUT", path, json, Buffer.from(routeJson, "utf16le"), 400],
  "a lone surrogate": ["PUT", path, json, withMetadata('"annotations":{"a":"\\ud800"}'), 422],
  "NUL in JSON": ["PUT", path, json, withMetadata('"annotations":{"a":"\u0000"}'), 400],
  "NUL in JSON, as an escape": ["PUT", path, json, withMetadata('"labels":{"a":"\\u0000"}'), 422],
  "NUL in a host": ["PUT", path, json, routeJson.replace("a.example", "a\\u0000.example"), 422],
  "NUL in YAML": ["PUT", path, yaml, `${route}  exportTo: ["\u0000"]\n`, 422],
  "NUL in a path": ["PUT", routePath("a%00b"), yaml, route, 422],
  "a name of 1 MB": ["PUT", path, yaml, reviewsRoute("a".repeat(mebibyte / 2 - 400), "long"), 422],
  "a name of 1 MB in a reference": [
    "POST",
    changesets,
    json,
    JSON.stringify({ deletes: [{ kind: "VirtualService", namespace: "shop", name: "a".repeat(mebibyte) }] }),
    422,
  ],
  "a label of 1 MB": ["PUT", path, json, withMetadata(`"labels":{"a":"${"b".repeat(mebibyte - 500)}"}`), 422],
  "a number of 1 MB": ["PUT", path, json, withField(`"exportTo":[${"9".repeat(mebibyte - 500)}]`), 400],
  "a token's name of 1 MB": ["POST", "/api/v1/tokens", json, `{"role":"admin","name":"${"a".repeat(900_000)}"}`, 422],
  "no body": ["PUT", path, yaml, "", 400],
  "another type": ["PUT", path, "text/html", route, 415],
  "10 MB": ["PUT", path, yaml, "x".repeat(10 * mebibyte), 413],
};

const versionIn = (text: string): unknown => (JSON.parse(text) as RuleObjectView).metadata;

const revisionOf = async ({ admin }: OperatorsServer): Promise<number> =>
  (await admin.json<RuleListView>("/api/v1/virtualservices")).revision;

test("every hostile body is refused by name, nothing of it is stored, and the server goes on", async (context) => {
  const server = await startOperatorsServer(context);
  const { admin } = server;
  expect((await admin.put(path, reviewsRoute("a", "ours"), yaml)).status).toBe(201);
  const before = await admin.get(path);
  for (const [what, [method, where, type, body, status]] of Object.entries(bodies)) {
    const answer = await admin.send(method, where, { headers: { "content-type": type }, body });
    const shown = `${what}: ${answer.text.slice(0, 300)}`;
    expect([answer.status, answer.headers.get("content-type")], shown).toEqual([status, "application/problem+json"]);
    const problem = JSON.parse(answer.text) as ProblemView;
    expect(problem.detail.length, shown).toBeGreaterThan(5);
    // What was sent is not sent back at length.
    expect(answer.text.length, shown).toBeLessThan(20_000);
    expect(await revisionOf(server), shown).toBe(1);
  }
  expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
  expect(versionIn((await admin.get(path)).text)).toEqual(versionIn(before.text));
  expect((await admin.put(path, reviewsRoute("a", "after"), yaml)).status).toBe(200);
});

test("__proto__ where every name is taken is a name like any other", async (context) => {
  const { admin } = await startOperatorsServer(context);
  const labels = '"labels":{"__proto__":"x","app":"y"}';
  expect((await admin.put(path, withMetadata(labels))).status).toBe(201);
  const stored = await admin.get(path);
  expect(stored.text).toContain(labels);
  const patch = '{"metadata":{"labels":{"__proto__":"z","app":null}}}';
  const answer = await admin.send("PATCH", path, { headers: { "content-type": mergePatch }, body: patch });
  expect([answer.status, answer.text.includes('"labels":{"__proto__":"z"}')], answer.text).toEqual([200, true]);
  expect((await admin.json<RuleListView>("/api/v1/virtualservices?labelSelector=app")).total).toBe(0);
});

describe("10 MB are not read", () => {
  /** Sends what `pieces` gives until the server hangs up; what it said, and how much it took. */
  const pour = async (port: number, head: string, pieces: Iterable<string>) => {
    const socket = connect(port, "127.0.0.1");
    let said = "";
    let sent = 0;
    const closed = Promise.withResolvers<void>();
    socket.on("error", () => {});
    socket.once("close", closed.resolve);
    socket.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    socket.write(head);
    for (const piece of pieces) {
      if (socket.destroyed || said !== "") break;
      const hasRoom = socket.write(piece);
      sent += piece.length;
      if (!hasRoom) await Promise.race([new Promise((resolve) => socket.once("drain", resolve)), closed.promise]);
      else await new Promise(setImmediate);
    }
    await closed.promise;
    return { said, sent };
  };
  const piece = "x".repeat(64 * 1024);
  const chunk = `${piece.length.toString(16)}\r\n${piece}\r\n`;
  const headOf = (token: string, more: string, where = path): string =>
    `PUT ${where} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${token}\r\ncontent-type: ${yaml}\r\n${more}\r\n\r\n`;
  const pieces = (text: string) => Array.from({ length: 10 * 16 }, () => text);

  test("with their length, or in chunks", async (context) => {
    const { adminToken, url } = await startOperatorsServer(context);
    const ways = [
      ["content-length: 10485760", piece, 512 * 1024],
      // What a rule may have is read; the system holds some more.
      ["transfer-encoding: chunked", chunk, 8 * mebibyte],
    ] as const;
    await Promise.all(
      ways.map(async ([more, text, most]) => {
        const { said, sent } = await pour(Number(new URL(url).port), headOf(adminToken, more), pieces(text));
        expect(said, more).toMatch(/^HTTP\/1\.1 413 .*"code":"api\/too-large"/s);
        expect(said, more).toMatch(/\r\nconnection: close\r\n/i);
        expect(sent, more).toBeLessThan(most);
      }),
    );
  });
});
