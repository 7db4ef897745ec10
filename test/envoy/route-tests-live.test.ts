import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, type TestContext, test } from "vitest";
import { stringify } from "yaml";
import { startExample } from "../../src/app/dev/example-process.ts";
import { freePorts } from "../../src/app/dev/loopback.ts";
import { nodeIdOf } from "../../src/envoy/bootstrap.ts";
import { fairway } from "../cli/terminal.ts";
import { controlPlaneHere } from "../support/control-plane.ts";
import { temporaryFolder } from "../support/dev.ts";
import { type EnvoyLine, envoyLines, startEnvoy } from "../support/envoy.ts";
import { realPart } from "../support/real-part.ts";
import { waitFor } from "../support/wait-for.ts";

/* The same tests of routes, of what a server would give a gateway, of what it has, and of what it answers. */

const id = nodeIdOf({ kind: "gateway", ip: "127.0.0.9", name: "edge", namespace: "shop", domain: "cluster.local" });
const node = { id, cluster: "edge", metadata: { NAMESPACE: "shop", LABELS: { app: "edge" } } };

const rules = (gateway: number): string => `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: edge, namespace: shop }
spec:
  selector: { app: edge }
  servers: [{ port: { number: ${gateway}, protocol: HTTP, name: http }, bind: 127.0.0.1, hosts: ["*"] }]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: hello, namespace: shop }
spec:
  hosts: [shop.example]
  gateways: [edge]
  http:
    - match: [{ uri: { prefix: /api } }]
      route: [{ destination: { host: hello } }]
`;

const catalog = (port: number): string => `services:
  - host: hello.shop.svc.cluster.local
    ports: [{ name: http, number: 80 }]
    instances: [{ id: v1, address: 127.0.0.1, ports: { http: ${port} } }]
`;

/** `passing`: what holds, whoever is asked. */
const tests = (gateway: number) => {
  const at = (host: string, path: string) => ({ url: `http://${host}:${gateway}${path}` });
  return [
    {
      name: "passing: an answer of the service",
      request: at("shop.example", "/api"),
      expect: {
        service: "hello",
        response: { status: 200, body: "hello v1", headers: { server: "envoy", "x-none": null } },
      },
    },
    { name: "passing: nothing there", request: at("shop.example", "/"), expect: { status: 404 } },
    { name: "passing: nobody there", request: at("other.example", "/api"), expect: { status: 404 } },
    { name: "failing: nothing there", request: at("shop.example", "/"), expect: { status: 200 } },
    {
      name: "failing: another answer",
      request: at("shop.example", "/api"),
      expect: { service: "other", response: { status: 503, body: "hello v2" } },
    },
    {
      name: "inside: the rule",
      request: at("shop.example", "/api"),
      expect: { rule: "VirtualService/shop/hello", shares: [{ service: "hello", percent: 100 }] },
    },
  ];
};

async function setUp(context: TestContext, line: EnvoyLine) {
  const dir = temporaryFolder(context);
  const address = "127.0.0.1";
  const [gateway = 0, xds = 0, api = 0, metrics = 0] = await freePorts([
    { address },
    { address },
    { address },
    { address },
  ]);
  const service = await startExample({ name: "hello", version: "v1", address, port: 0, calls: [] });
  context.onTestFinished(async () => {
    await service.stop({ graceMs: 0 });
  });
  const file = (name: string, text: string): string => {
    writeFileSync(join(dir, name), text);
    return join(dir, name);
  };
  const paths = { rules: file("rules.yaml", rules(gateway)), catalog: file("catalog.yaml", catalog(service.port)) };
  file("edge.yaml", stringify(node));
  const plane = await controlPlaneHere(context, {
    plan: { controlPlane: { host: address, xds, api, metrics } },
    rules: [paths.rules],
    catalog: [paths.catalog],
  });
  const made = await plane.ports.tokens.create({ name: "tests", role: "viewer" }, "test");
  if ("conflict" in made) throw new Error(made.conflict);
  const envoy = await startEnvoy({ context, line, node, xdsPort: xds });
  const admin = await envoy.ready();
  await waitFor(async () => (await fetch(`http://${address}:${gateway}/`).catch(() => undefined))?.status === 404, {
    what: "the gateway",
  });
  const dump = JSON.stringify(await admin.configDump({ includeEndpoints: true }));
  return {
    suite: file("tests.yaml", stringify({ proxy: "edge.yaml", tests: tests(gateway) })),
    ways: {
      files: `--rules ${paths.rules} --catalog ${paths.catalog}`,
      server: `--server ${address}:${api} --token ${made.token}`,
      dump: `--config-dump ${file("dump.json", dump)}`,
      live: `--live http://${address}:${gateway}`,
    },
  };
}

interface Told {
  readonly suites: readonly { readonly tests: readonly { readonly name: string; readonly verdict: string }[] }[];
}

const verdicts = async (line: string): Promise<Readonly<Record<string, string>>> => {
  const { exit, out, err } = await fairway(`${line} -o json`);
  expect([exit, err]).toEqual([1, ""]);
  const { suites } = JSON.parse(out) as Told;
  return Object.fromEntries(suites.flatMap(({ tests }) => tests.map(({ name, verdict }) => [name, verdict])));
};

describe.each(envoyLines)("Envoy %s", (line) => {
  test("says of route tests what is said of its configuration", { timeout: 60_000 }, async (context) => {
    const { suite, ways } = await setUp(context, line);
    const common = {
      "passing: an answer of the service": "passed",
      "passing: nothing there": "passed",
      "passing: nobody there": "passed",
      "failing: nothing there": "failed",
      "failing: another answer": "failed",
    };
    expect(await verdicts(`test ${suite} ${ways.files}`)).toEqual({ ...common, "inside: the rule": "passed" });
    expect(await verdicts(`test ${suite} ${ways.server}`)).toEqual({ ...common, "inside: the rule": "passed" });
    expect(await verdicts(`test ${suite} ${ways.dump}`)).toEqual({ ...common, "inside: the rule": "passed" });
    expect(await verdicts(`test ${suite} ${ways.live}`)).toEqual({ ...common, "inside: the rule": "skipped" });

    const { exit, out } = await fairway(`test --only passing ${suite} ${ways.live}`);
    expect([exit, out.split("\n").at(-2)]).toEqual([0, "3 tests: 3 passed (0 ms)"]);
    const answer = await fairway(`test --only another ${suite} ${ways.live}`);
    expect(answer.out).toContain("expected status 503, but it is answered with 200");
    expect(answer.out).toContain('expected a body with "hello v2", but it is "hello v1');
    const rule = await fairway(`test --only inside ${suite} ${ways.live}`);
    expect([rule.exit, rule.out]).toEqual([
      1,
      "– inside: the rule  (rule, shares cannot be seen from outside)\n\n! 2 expectations cannot be seen from outside\n1 test: 1 skipped (0 ms)\n",
    ]);
  });
});

test("over TLS: the name is that of the request, the certificate is looked at", async (context) => {
  const dir = temporaryFolder(context);
  await realPart(context, "openssl", () =>
    promisify(execFile)("openssl", [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"],
      ...["-subj", "/CN=shop.example", "-keyout", join(dir, "key.pem"), "-out", join(dir, "cert.pem")],
    ]),
  );
  const names: unknown[] = [];
  const [key, cert] = ["key.pem", "cert.pem"].map((name) => readFileSync(join(dir, name)));
  const server = createServer({ key, cert }, ({ socket, headers }, response) => {
    names.push([(socket as { readonly servername?: unknown }).servername, headers.host]);
    response.end("hello");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const suite = join(dir, "tests.yaml");
  const request = { url: "https://shop.example/" };
  writeFileSync(suite, stringify({ tests: [{ name: "a", request, expect: { response: { body: "hello" } } }] }));
  const line = `test ${suite} --live https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const refused = await fairway(line);
  expect(refused.exit).toBe(1);
  expect(refused.out).toContain("self-signed certificate");
  expect(names).toEqual([]);
  expect(await fairway(`${line} --insecure`)).toMatchObject({ exit: 0 });
  expect(names).toEqual([["shop.example", "shop.example"]]);
});
