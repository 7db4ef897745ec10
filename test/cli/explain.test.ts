import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { decode } from "../../src/base/decode.ts";
import type { Explanation } from "../../src/explain/explanation.ts";
import { explanation } from "../../src/explain/shapes.ts";
import { proxy } from "../api/fixture.ts";
import { temporaryFolder } from "../support/dev.ts";
import { page, problem, startApi } from "./api-server.ts";
import { fairway, typed } from "./terminal.ts";

/** By files: the world of a golden case. */
const world = (name: string): readonly string[] => {
  const folder = `test/golden/${name}`;
  return ["--rules", `${folder}/rules.yaml`, "--catalog", `${folder}/catalog.yaml`, "--from", `${folder}/proxy.yaml`];
};

const dump = "test/cli/fixtures/config-dump.json";
const dumped = ["--config-dump", dump];
const atEdge = ["--destination", "10.0.0.1:8443"];

/** A mesh whose sidecars' connections are captured. */
const capturedMesh = "test/cli/fixtures/mesh-captured";
const captured = ["--catalog", `${capturedMesh}/catalog.yaml`, "--from", `${capturedMesh}/proxy.yaml`];
const registryOnly = ["--mesh", `${capturedMesh}/registry-only.yaml`];

const cases: Readonly<Record<string, { readonly exit: number; readonly words: readonly string[] }>> = {
  canary: { exit: 0, words: [...world("canary-weights"), "GET", "http://reviews:9080/api"] },
  conditions: {
    exit: 0,
    words: [...world("match-conditions"), "get", "http://reviews:9080/item/7", "-H", "x-user: bob", "-H", "x-app: web"],
  },
  gateway: {
    exit: 0,
    words: [...world("gateway-merged-hosts"), "GET", "http://www.example.com/other", "--listener", "0.0.0.0_8080"],
  },
  "gateway-nobody": { exit: 1, words: [...world("gateway-merged-hosts"), "GET", "http://nobody.test:8080/"] },
  ingress: {
    exit: 0,
    words: [...world("sidecar-ingress"), "GET", "http://web/", "--destination", "127.0.0.1:9080"],
  },
  unknown: { exit: 1, words: [...world("unknown-hosts-port-80"), "GET", "http://other.example/"] },
  dangling: { exit: 1, words: [...world("dangling-references"), "GET", "http://reviews:9080/"] },
  names: { exit: 0, words: [...world("service-entry-resolutions"), "GET", "http://several.example.com:9080/"] },
  weights: { exit: 0, words: [...world("service-entry-resolutions"), "GET", "http://fixed.example.com:9080/"] },
  grpc: { exit: 0, words: [...world("proxyless-client"), "POST", "http://reviews.shop:9080/shop.Reviews/Get"] },
  policies: {
    exit: 0,
    words: [...dumped, "GET", "https://shop.example/api/x", ...atEdge, "-H", "x-secret: 1"],
  },
  redirect: { exit: 0, words: [...dumped, "GET", "https://shop.example/old/x?y=1", ...atEdge] },
  answer: { exit: 1, words: [...dumped, "GET", "https://shop.example/tea", ...atEdge] },
  lost: { exit: 1, words: [...dumped, "GET", "https://shop.example/lost", ...atEdge] },
  "no-chain": { exit: 1, words: [...dumped, "GET", "https://other.example:8443/"] },
  tunnel: { exit: 0, words: [...dumped, "GET", "tls://db.example:8443"] },
  "unknown-filter": { exit: 1, words: [...dumped, "GET", "tls://queue.example:8443"] },
  "no-request": { exit: 1, words: [...dumped, "GET", "tls://shop.example:8443"] },
  captured: { exit: 0, words: [...captured, "GET", "http://reviews:9080/"] },
  "captured-unknown": { exit: 0, words: [...captured, "GET", "tcp://nobody:7"] },
  "captured-refused": { exit: 1, words: [...captured, ...registryOnly, "GET", "tcp://10.9.9.9:7"] },
  "captured-host-refused": { exit: 1, words: [...captured, ...registryOnly, "GET", "http://nobody:9080/"] },
  "captured-tcp": { exit: 0, words: [...captured, "GET", "tcp://db:5432"] },
  "captured-waits": { exit: 0, words: [...captured, "GET", "tcp://mail:2525"] },
  "captured-headless": { exit: 0, words: [...captured, "GET", "tcp://kafka:9092"] },
  "captured-inbound": { exit: 0, words: [...captured, "GET", "http://web/", "--inbound"] },
  "nobody-listens": { exit: 1, words: [...dumped, "GET", "http://10.0.0.1:1/"] },
};

describe("what is told of", () => {
  test.each(Object.entries(cases))("%s", async (name, { exit, words }) => {
    const text = await fairway(["explain", ...words]);
    expect([text.exit, text.err]).toEqual([exit, ""]);
    await expect(text.out).toMatchFileSnapshot(`expected/explain-${name}.txt`);
    const json = await fairway(["explain", ...words, "-o", "json"]);
    expect([json.exit, json.err]).toEqual([exit, ""]);
    const raw = JSON.parse(json.out);
    expect(decode(explanation, raw)).toMatchObject({ ok: true, value: raw });
  });
});

const told = async (words: readonly string[]): Promise<Explanation> =>
  JSON.parse((await fairway(["explain", ...words, "-o", "json"])).out);

test("a config dump may come through a pipe", async () => {
  const line = ["explain", "--config-dump", "-", "GET", "https://shop.example/tea", ...atEdge];
  const { out } = await fairway(line, { input: typed(readFileSync(dump, "utf8")) });
  const { out: fromFile } = await fairway(["explain", ...dumped, ...line.slice(3)]);
  expect(out).toBe(fromFile);
});

test("several headers of one name, and what a connection says of itself", async () => {
  const header = ["-H", "X-Also: a", "-H", "x-also:b"];
  const { nearMisses } = await told([...world("match-conditions"), "GET", "http://reviews:9080/item/7", ...header]);
  const asked = nearMisses.flatMap(({ failed }) => failed.map(({ asks }) => asks));
  expect(asked).toContain("the header x-any is there");
  expect(asked).not.toContain("the header x-also is there");
  const { filterChain } = await told([...dumped, "GET", "https://10.0.0.1:8443/", "--sni", "SHOP.example"]);
  expect(filterChain?.name).toBe("shop");
});

test("rules with errors are left out, and said so beside the answer", async () => {
  const node = "test/golden/canary-weights/proxy.yaml";
  const line = ["explain", "--rules", "test/cli/fixtures/rules", "--from", node, "GET", "http://reviews:9080/"];
  const { err } = await fairway(line);
  expect(err).toContain("rules/reviews.yaml:16:19  error    rule/invalid-value");
  expect(err).toContain("fairway: 1 document with errors left out\n");
});

describe("at a terminal", () => {
  const escapeCode = String.fromCharCode(27);
  const colour = new RegExp(`${escapeCode}\\[\\d+m`, "g");

  test("colours say how it ends, and nothing but colours is added", async () => {
    const words = ["explain", ...(cases["dangling"]?.words ?? [])];
    const plain = await fairway(words);
    const coloured = await fairway(words, { terminal: { columns: 200 } });
    expect(coloured.out).toContain(`${escapeCode}[31mnone${escapeCode}[39m`);
    for (const code of [31, 32]) expect(coloured.out).toContain(`${escapeCode}[${code}m→${escapeCode}[39m`);
    expect(coloured.out.replaceAll(colour, "")).toBe(plain.out);
  });

  test("what rules and proxies say cannot move the cursor", async ({ onTestFinished }) => {
    const file = join(temporaryFolder({ onTestFinished }), "dump.json");
    writeFileSync(file, readFileSync(dump, "utf8").replaceAll("short and stout", "\\u001b[2Jgone"));
    const { out } = await fairway(["explain", "--config-dump", file, "GET", "https://shop.example/tea", ...atEdge]);
    expect(out).toContain("␛[2Jgone");
    expect(out).not.toContain(escapeCode);
  });
});

describe("wrong use", () => {
  const node = ["--from", "test/golden/canary-weights/proxy.yaml"];
  const canary = world("canary-weights");
  const edge = world("gateway-merged-hosts");
  const url = "http://reviews:9080/";

  test.each<[string, readonly string[], number, string]>([
    [
      "nobody is asked",
      ["GET", url, "--rules", "test/golden/canary-weights/rules.yaml"],
      2,
      "it is not said which proxy",
    ],
    ["nobody is asked of a server", ["GET", url, "--server", "127.0.0.1:1"], 2, "it is not said which proxy"],
    ["no URL", [...canary, "GET"], 2, "missing required argument 'url'"],
    ["no such URL", [...canary, "GET", "reviews:9080"], 2, "Expected a URL such as http://reviews:9080/api"],
    ["no such scheme", [...canary, "GET", "ftp://reviews/"], 2, "Expected a URL such as http://reviews:9080/api"],
    ["no method", [...canary, "G E T", url], 2, "Expected a method such as GET"],
    ["a header without a colon", [...canary, "GET", url, "-H", "x-user"], 2, '"x-user" is no header'],
    ["a header without a name", [...canary, "GET", url, "-H", ": bob"], 2, '": bob" is no header'],
    ["a header of HTTP/2", [...canary, "GET", url, "-H", "x y: bob"], 2, "Expected the name of a header"],
    [
      "headers of no request",
      [...dumped, "GET", "tcp://10.0.0.1:8443", "-H", "a: b"],
      2,
      "A connection without a request",
    ],
    [
      "a destination without a port",
      [...canary, "GET", url, "--destination", "10.0.0.1"],
      2,
      "Expected an address with",
    ],
    ["a source that is a name", [...canary, "GET", url, "--source", "web:80"], 2, "Expected an address with"],
    ["no such listener", [...canary, "GET", url, "--listener", "x"], 1, 'the proxy has no listener "x"'],
    ["no such port", [...edge, "GET", "http://reviews:1/"], 1, "no listener is on port 1"],
    [
      "no such node file",
      ["--rules", "test", "--from", "nowhere.yaml", "GET", url],
      2,
      "cannot read the node nowhere.yaml",
    ],
    [
      "a node that is none",
      ["GET", url, "--from", dump, "--rules", "test/golden/no-rules/rules.yaml"],
      1,
      `${dump}:1:1: The field id is missing.`,
    ],
    ["no such rules", ["--rules", "nowhere", ...node, "GET", url], 2, ""],
    ["no such dump", ["--config-dump", "nowhere.json", "GET", url], 2, "cannot read nowhere.json"],
    ["a dump that is no JSON", ["--config-dump", "package.json.txt", "GET", url], 2, "cannot read package.json.txt"],
    [
      "a dump that is YAML",
      ["--config-dump", "test/golden/canary-weights/rules.yaml", "GET", url],
      1,
      "test/golden/canary-weights/rules.yaml is no JSON",
    ],
    ["a dump of something else", ["--config-dump", "package.json", "GET", url], 1, "package.json is no config dump"],
  ])("%s", async (_, words, exit, message) => {
    const answer = await fairway(["explain", ...words]);
    expect([answer.exit, answer.out], answer.err).toEqual([exit, ""]);
    expect(answer.err).toMatch(/^(fairway|error): /);
    expect(answer.err).toContain(message);
  });

  test("a listener that is meant is looked for among those that are there", async () => {
    const { err } = await fairway(["explain", ...edge, "GET", "http://reviews:1/"]);
    expect(err).toBe(
      "fairway: no listener is on port 1\n  It has 0.0.0.0_8080, 127.0.0.1_8081. Say which one is meant.\n",
    );
  });

  test("a dump with a broken resource", async ({ onTestFinished }) => {
    const file = join(temporaryFolder({ onTestFinished }), "dump.json");
    writeFileSync(file, readFileSync(dump, "utf8").replace('"port_value": 8443', '"port_value": "x"'));
    const { exit, err } = await fairway(["explain", "--config-dump", file, "GET", url]);
    expect(exit).toBe(1);
    expect(err).toMatch(/^fairway: .*dump\.json is no config dump: .*port_value/);
  });
});

describe("of a server", () => {
  const answer = JSON.stringify({
    otherChains: [],
    admitted: [],
    outcomes: [{ share: 1, result: { kind: "close", reason: "it is so" } }],
    nearMisses: [],
  });

  const serve = (reply: () => { readonly text: string } | ReturnType<typeof problem>) =>
    startApi({
      "GET /api/v1/proxies": () =>
        page([proxy("sidecar~1", { name: "web-1" }), proxy("2", { name: "x" }), proxy("3", { name: "x" })]),
      "POST /api/v1/explain": reply,
    });

  test("the question, and its answer", async () => {
    const { flag, seen } = await serve(() => ({ text: answer }));
    const line = `explain --from web-1.shop post http://reviews:9080/api?x -H x-user:bob -H x-user:eve --source 10.0.0.1:5 ${flag}`;
    expect(await fairway(line)).toEqual({
      exit: 1,
      out: "POST http://reviews:9080/api?x  from web-1.shop\n\nclosed: it is so\n",
      err: "",
    });
    expect(JSON.parse(seen.at(-1)?.body ?? "")).toEqual({
      ...{ proxy: "sidecar~1", method: "POST", url: "http://reviews:9080/api?x", source: "10.0.0.1:5" },
      ...{ headers: { "x-user": ["bob", "eve"] }, applicationProtocols: [] },
    });
    expect(JSON.parse((await fairway(`${line} -o json`)).out)).toEqual(JSON.parse(answer));
  });

  test.each([
    ["web-9", 1, "no proxy web-9 is known"],
    ["x", 2, "2 proxies have the name x\n  Say which: 2, 3."],
  ])("the proxy %s", async (name, exit, message) => {
    const { flag } = await serve(() => ({ text: answer }));
    const found = await fairway(`explain --from ${name} GET http://a/ ${flag}`);
    expect([found.exit, found.err.startsWith(`fairway: ${message}`)], found.err).toEqual([exit, true]);
  });

  test("what it refuses", async () => {
    const { flag } = await serve(() => problem(422, "No listener is on port 1.", { hint: "It has 127.0.0.1_80." }));
    const { exit, err } = await fairway(`explain --from web-1 GET http://a:1/ ${flag}`);
    expect(exit).toBe(1);
    expect(err).toContain("It has 127.0.0.1_80.");
  });

  test("an answer that is none", async () => {
    const { flag } = await serve(() => ({ text: '{"outcomes":[]}' }));
    const { exit, out } = await fairway(`explain --from web-1 GET http://a/ ${flag}`);
    expect([exit, out]).not.toEqual([0, expect.anything()]);
  });
});
