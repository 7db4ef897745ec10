import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { sendLive } from "../../src/cli/live-request.ts";
import { proxy } from "../api/fixture.ts";
import { temporaryFolder } from "../support/dev.ts";
import { page, problem, type SeenRequest, startApi } from "./api-server.ts";
import { fairway } from "./terminal.ts";

const fixtures = "test/cli/fixtures/route-tests";
const golden = "test/golden/canary-weights";
const files = `--rules ${golden}/rules.yaml --catalog ${golden}/catalog.yaml`;

/** Writes files into a folder that ends with the test; their paths. */
function written(texts: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const dir = temporaryFolder({ onTestFinished });
  return Object.fromEntries(
    Object.entries(texts).map(([name, text]) => {
      writeFileSync(join(dir, name), text);
      return [name, join(dir, name)];
    }),
  );
}

/** A file with these tests. */
const suite = (tests: readonly object[], proxyOf: unknown = undefined): string => {
  const { "t.json": path = "" } = written({ "t.json": JSON.stringify({ proxy: proxyOf, tests }) });
  return path;
};

describe("by files", () => {
  const line = `test ${fixtures}/canary.yaml ${files}`;

  test("as people see it", async () => {
    const { exit, out, err } = await fairway(line);
    expect([exit, err]).toEqual([1, ""]);
    await expect(out).toMatchFileSnapshot("expected/route-tests.txt");
  });

  test("as JSON", async () => {
    const { exit, out } = await fairway(`${line} -o json`);
    expect(exit).toBe(1);
    await expect(out).toMatchFileSnapshot("expected/route-tests-json.txt");
  });

  test("as JUnit's XML, which may be a file beside the text", async () => {
    const { exit, out } = await fairway(`${line} -o junit`);
    expect(exit).toBe(1);
    await expect(out).toMatchFileSnapshot("expected/route-tests.xml");
    const { "report.xml": report = "" } = written({ "report.xml": "" });
    const text = await fairway(`${line} --junit ${report}`);
    expect(readFileSync(report, "utf8")).toBe(out);
    expect(text.out).toBe((await fairway(line)).out);
  });

  test("quiet when all is well", async () => {
    expect(await fairway(`test --only one ${fixtures}/canary.yaml ${files}`)).toEqual({
      exit: 0,
      out: "✓ one in ten gets the canary\n\n1 test: 1 passed (0 ms)\n",
      err: "",
    });
  });

  test("nothing seen is nothing passed", async () => {
    const { exit, out } = await fairway(`test --only comes ${fixtures}/canary.yaml ${files}`);
    expect([exit, out.split("\n").at(-2)]).toEqual([1, "1 test: 1 skipped (0 ms)"]);
  });

  test("rules that are left out are no good end", async () => {
    const { exit, out, err } = await fairway(
      `test --only subset ${fixtures}/canary.yaml ${files} --rules test/cli/fixtures/rules`,
    );
    expect([exit, out.split("\n").at(-2)]).toEqual([1, "1 test: 1 passed (0 ms)"]);
    expect(err).toMatch(/\nfairway: 2 documents with errors left out\n$/);
  });
});

test("of captured connections, from the workload and to it", async () => {
  const tests = [
    { name: "out", request: { url: "tcp://kafka:9092" }, expect: { service: "kafka", port: 9092 } },
    { name: "in", request: { url: "http://web/", inbound: true }, expect: { cluster: "inbound|8080||" } },
    { name: "unknown", request: { url: "tcp://nobody:7" }, expect: { cluster: "PassthroughCluster" } },
  ];
  const path = suite(tests, { id: "sidecar~10.0.0.9~web-1.shop~shop.svc.cluster.local" });
  const { exit, out } = await fairway(`test ${path} --catalog test/cli/fixtures/mesh-captured/catalog.yaml`);
  expect([exit, out]).toEqual([0, "✓ out\n✓ in\n✓ unknown\n\n3 tests: 3 passed (0 ms)\n"]);
});

describe("by a config dump", () => {
  const line = `test ${fixtures}/rewrites.json --config-dump ${fixtures}/config-dump.json`;

  test("paths, headers, redirects and answers; which rule it was, nobody knows", async () => {
    expect(await fairway(line)).toEqual({
      exit: 0,
      out: [
        "✓ a path and headers, as they are sent on  (rule cannot be seen in a config dump)",
        "✓ a redirect",
        "✓ an answer of the proxy",
        "– a dump knows no rules  (rule cannot be seen in a config dump)",
        "",
        "! 2 expectations cannot be seen in a config dump",
        "4 tests: 3 passed, 1 skipped (0 ms)",
        "",
      ].join("\n"),
      err: "",
    });
  });

  test("what is not as expected", async () => {
    const path = suite([
      {
        name: "a",
        request: { url: "http://shop.example/api/", headers: { "x-secret": "é" } },
        expect: { path: "/api/", headers: { "x-added": "o", "x-secret": "é" } },
      },
      { name: "b", request: { url: "http://shop.example/old" }, expect: { status: 302, location: "/new" } },
    ]);
    const { exit, out } = await fairway(`test ${path} --config-dump ${fixtures}/config-dump.json -o json`);
    expect(exit).toBe(1);
    const { tests } = JSON.parse(out).suites[0];
    expect(tests.map((one: { failures: { message: string }[] }) => one.failures.map(({ message }) => message))).toEqual(
      [
        [
          'expected path "/api/", but it is sent on with path "/"',
          "expected a request with x-added: o, but it is sent on with x-added: ö",
          "expected a request with x-secret: é, but it is sent on without the header x-secret",
        ],
        [
          "expected status 302, but it is redirected to http://shop.example/new with 301",
          "expected a redirect to /new, but it is redirected to http://shop.example/new",
        ],
      ],
    );
  });
});

describe("wrong use is exit 2", () => {
  test("every problem of every file, with its place", async () => {
    const { "other.yaml": other = "" } = written({ "other.yaml": "tests: 5\n" });
    const { exit, out, err } = await fairway(`test ${fixtures}/broken.yaml ${other} ${files}`);
    expect([exit, out]).toEqual([2, ""]);
    expect(err.replace(other, "other.yaml").split("\n")).toEqual([
      "fairway: the tests have problems",
      `  ${fixtures}/broken.yaml:1:1: There is no field "proxi". Did you mean proxy?`,
      expect.stringContaining(`  ${fixtures}/broken.yaml:4:21: Expected a URL such as `),
      `  ${fixtures}/broken.yaml:5:43: Expected a text, found 1. Put it in quotes.`,
      expect.stringContaining(`  ${fixtures}/broken.yaml:7:8: The YAML is broken: `),
      "  other.yaml:1:8: Expected a list, found 5.",
      "",
    ]);
  });

  const nowhere = (): string => suite([{ name: "a", request: { url: "http://a/" }, expect: { port: 1 } }]);

  test.each([
    ["a file that is not there", () => `test missing.yaml ${files}`, "there is no file or directory missing.yaml"],
    ["a directory", () => `test ${fixtures} ${files}`, `cannot read ${fixtures}: It is a directory: name its files.`],
    [
      "an empty file",
      () => `test ${written({ "e.yaml": "# nothing\n" })["e.yaml"]} ${files}`,
      /^there are no tests in \S+e\.yaml$/,
    ],
    ["no such test", () => `test --only nowhere ${fixtures}/canary.yaml`, 'no test has "nowhere" in its name'],
    [
      "files and a proxy at once",
      () => `test ${fixtures}/canary.yaml --live http://127.0.0.1:1 ${files}`,
      "it is not clear who is asked",
    ],
    [
      "no proxy, by files",
      () => `test ${nowhere()} ${files}`,
      /^\S+:1:1: it is not said which proxy gets the requests$/,
    ],
    [
      "a proxy's file that is not there",
      () => `test ${suite([{ name: "a", request: { url: "http://a/" }, expect: { port: 1 } }], "web.yaml")} ${files}`,
      /^cannot read the node \S+web\.yaml: /,
    ],
    [
      "any certificate, of nobody",
      () => `test ${fixtures}/canary.yaml --insecure ${files}`,
      "--insecure says nothing without --live",
    ],
    [
      "an address with a path",
      () => `test ${nowhere()} --live http://127.0.0.1:1/api`,
      '"http://127.0.0.1:1/api" is no address of a proxy',
    ],
    [
      "two addresses of one kind",
      () => `test ${nowhere()} --live http://127.0.0.1:1 --live 127.0.0.1:2`,
      "two --live addresses are for http",
    ],
    [
      "a report that cannot be written",
      () => `test --only one ${fixtures}/canary.yaml --junit missing/report.xml ${files}`,
      /^cannot write missing\/report\.xml: /,
    ],
  ])("%s", async (_what, line, message) => {
    const { exit, out, err } = await fairway(line());
    expect([exit, out]).toEqual([2, ""]);
    const [first = ""] = err.split("\n");
    expect(first).toMatch(
      typeof message === "string" ? `fairway: ${message}` : new RegExp(message.source.replace("^", "^fairway: ")),
    );
  });
});

describe("by a server (test/envoy/route-tests-live.test.ts asks a real one)", () => {
  const web = { ...proxy("sidecar~10.0.0.9~web-1.shop~shop.svc.cluster.local", {}), name: "web-1", namespace: "shop" };
  const explained = (status: number) => ({
    ...{ otherChains: [], admitted: [], nearMisses: [] },
    outcomes: [{ share: 1, result: { kind: "answer", status, reason: "so it is" } }],
  });

  const serve = (explain: (body: { readonly url: string }) => ReturnType<typeof problem>) =>
    startApi({
      "GET /api/v1/proxies": () => page([web]),
      "POST /api/v1/explain": ({ body }: SeenRequest) => explain(JSON.parse(body)),
    });

  const tests = [
    { name: "a", request: { url: "http://a/", headers: { "x-a": ["1", "2"] } }, expect: { status: 404 } },
    { name: "b", request: { url: "http://b/", method: "PUT" }, expect: { status: 503 } },
  ];

  test("the proxy by a name, a node or its file; the requests as they are written", async () => {
    const { flag, seen } = await serve(({ url }) => ({ json: explained(url === "http://a/" ? 404 : 503) }));
    const { "web.yaml": node = "" } = written({ "web.yaml": `id: ${web.id}\n` });
    for (const named of ["web-1.shop", { id: web.id }, node]) {
      const { exit, out, err } = await fairway(`test ${suite(tests, named)} ${flag}`);
      expect([exit, err, out.split("\n").at(-2)]).toEqual([0, "", "2 tests: 2 passed (0 ms)"]);
    }
    const asked = seen.filter(({ path }) => path === "/api/v1/explain").map(({ body }) => JSON.parse(body));
    const bodies = tests.map(({ request }) => ({ proxy: web.id, ...request }));
    expect(asked).toEqual([...bodies, ...bodies, ...bodies]);
  });

  test("a request that it cannot explain is a test that fails", async () => {
    const { flag } = await serve(() => problem(422, "Several listeners are on port 80.", { hint: "Say which." }));
    const { exit, out } = await fairway(`test ${suite(tests, "web-1")} ${flag}`);
    expect(exit).toBe(1);
    expect(out).toContain("Several listeners are on port 80. Say which.");
    expect(out.split("\n").at(-2)).toBe("2 tests: 2 failed (0 ms)");
  });

  test("more than it takes at once is asked again", async () => {
    let asked = 0;
    const { flag } = await serve(() => (++asked === 1 ? problem(429, "Too many requests.") : { json: explained(404) }));
    const { exit } = await fairway(`test --only a ${suite(tests, "web-1")} ${flag}`);
    expect([exit, asked]).toEqual([0, 2]);
  });

  test.each([
    ["a proxy that it does not know", 1, suite.bind(undefined, tests, "web-9"), "no proxy web-9 is known"],
    ["no proxy", 2, suite.bind(undefined, tests), "it is not said which proxy gets the requests"],
  ])("%s", async (_what, exit, path, message) => {
    const { flag } = await serve(() => ({ json: explained(404) }));
    const answer = await fairway(`test ${path()} ${flag}`);
    expect([answer.exit, answer.out]).toEqual([exit, ""]);
    expect(answer.err).toContain(message);
  });
});

describe("by a running proxy (test/envoy/route-tests-live.test.ts asks a real one)", () => {
  /** A server on loopback that ends with the test; its address. */
  async function listening(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
    const server = createServer(answer);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  test("it gets the requests as they are, and nothing is followed", async () => {
    const seen: object[] = [];
    const url = await listening(({ method, url: path = "", rawHeaders }, response) => {
      seen.push({ method, path, headers: rawHeaders.map((text) => Buffer.from(text, "latin1").toString()) });
      response.writeHead(
        302,
        [
          ["location", "/é?b"],
          ["x-a", "1"],
          ["x-a", "2"],
        ]
          .flat()
          .map((text) => Buffer.from(text).toString("latin1")),
      );
      response.end("moved");
    });
    const path = suite([
      {
        name: "a",
        request: { method: "POST", url: "http://shop.example:99/e?a", headers: { "X-User": ["bob", "é"] } },
        expect: {
          ...{ status: 302, location: "/é?b" },
          response: { status: 302, headers: { "X-A": "1,2", "x-b": null }, body: "ove" },
        },
      },
    ]);
    expect(await fairway(`test ${path} --live ${url}`)).toMatchObject({
      exit: 0,
      out: "✓ a\n\n1 test: 1 passed (0 ms)\n",
    });
    expect(seen).toEqual([
      {
        ...{ method: "POST", path: "/e?a" },
        headers: expect.arrayContaining(["Host", "shop.example:99", "X-User", "bob", "é"]),
      },
    ]);
  });

  test("what is not as expected, what cannot be seen, and what cannot be sent", async () => {
    const url = await listening((_, response) => response.writeHead(200, { "x-a": "1" }).end("hello"));
    const request = { url: "http://a/" };
    const path = suite([
      {
        name: "all wrong",
        request,
        expect: {
          ...{ status: 404, location: "/", subset: "v1" },
          response: { status: 201, headers: { "x-a": null, "x-b": "" }, body: "bye" },
        },
      },
      {
        name: "seen in part",
        request,
        expect: { response: { body: "hello" }, shares: [{ subset: "v1", percent: 100 }] },
      },
      { name: "not seen", request, expect: { subset: "v1" } },
      { name: "from elsewhere", request: { ...request, source: "10.0.0.1:1" }, expect: { status: 200 } },
      { name: "no request", request: { url: "tcp://a:1" }, expect: { status: 200 } },
      { name: "with TLS", request: { url: "https://a/" }, expect: { status: 200 } },
    ]);
    const { exit, out } = await fairway(`test ${path} --live ${url}`);
    expect(exit).toBe(1);
    expect(
      out
        .replaceAll(path, "t.json")
        .replaceAll(/^ +1 │.*\n.*\n/gm, "")
        .replaceAll(/:1:\d+/g, ""),
    ).toBe(
      [
        "✗ all wrong  (subset cannot be seen from outside)",
        "  t.json  expected status 404, but it is answered with 200",
        "  t.json  expected an answer with location: /, but it is without location",
        "  t.json  expected status 201, but it is answered with 200",
        "  t.json  expected an answer without x-a, but it is with x-a: 1",
        '  t.json  expected an answer with x-b: "", but it is without x-b',
        '  t.json  expected a body with "bye", but it is "hello"',
        "✓ seen in part  (shares cannot be seen from outside)",
        "– not seen  (subset cannot be seen from outside)",
        "– from elsewhere  (a request that is sent from here has no `source` of its own)",
        "– no request  (no --live address for connections without requests)",
        "– with TLS  (no --live address for https)",
        "",
        "! 3 expectations cannot be seen from outside",
        "6 tests: 1 passed, 1 failed, 4 skipped (0 ms)",
        "",
      ].join("\n"),
    );
  });

  test("nobody there is a test that fails", async () => {
    const url = await listening(() => {});
    const { port } = new URL(url);
    const gone = createTcpServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => gone.once("listening", resolve));
    const address = `127.0.0.1:${(gone.address() as AddressInfo).port}`;
    await new Promise((resolve) => gone.close(resolve));
    expect(address).not.toContain(`:${port}`);
    const path = suite([{ name: "a", request: { url: "http://a/" }, expect: { status: 200 } }]);
    const { exit, out } = await fairway(`test ${path} --live ${address}`);
    expect(exit).toBe(1);
    expect(out).toContain(`no answer from http://${address}: nothing listens there`);
  });

  const get = { method: "GET", scheme: "http", authority: "a", path: "/", headers: [] } as const;
  const target = (url: string, part: object = {}) => ({
    ...{ url: new URL(url), insecure: false, withinMs: 10_000, signal: new AbortController().signal },
    ...part,
  });

  test("an answer that does not come is not waited for", async () => {
    const url = await listening(() => {});
    await expect(sendLive(get, target(url, { withinMs: 50 }))).rejects.toMatchObject({ name: "TimeoutError" });
    const slow = await listening((_, response) => response.writeHead(200).write("a"));
    await expect(sendLive(get, target(slow, { withinMs: 50 }))).rejects.toMatchObject({ name: "TimeoutError" });
  });

  test("what goes on in another protocol has its status", async () => {
    const server = createTcpServer((socket) =>
      socket.once("data", () =>
        socket.write("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"),
      ),
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => new Promise((resolve) => server.close(() => resolve())));
    const upgrade = {
      ...get,
      headers: [
        ["connection", "upgrade"],
        ["upgrade", "x"],
      ] as const,
    };
    const { port } = server.address() as AddressInfo;
    expect((await sendLive(upgrade, target(`http://127.0.0.1:${port}`))).status).toBe(101);
  });

  test("of an endless answer a part is read", async () => {
    const url = await listening((_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write("x".repeat(65_536)));
      };
      response.on("drain", more);
      more();
    });
    const { body } = await sendLive(get, target(url));
    expect(body).toHaveLength(1024 * 1024);
  });
});
