import { existsSync, globSync, mkdtempSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, type TestContext, test } from "vitest";
import { commands } from "../src/app/commands.ts";
import { introduction } from "../src/app/dev/introduction.ts";
import { freePorts } from "../src/app/dev/loopback.ts";
import { envoyCacheDir } from "../src/app/envoy/find.ts";
import { wheels } from "../src/app/envoy/wheel.ts";
import { decodeServeOptions } from "../src/app/load-options.ts";
import { version } from "../src/app/version.ts";
import { decode } from "../src/base/decode.ts";
import { parseDocuments } from "../src/base/yaml-document.ts";
import { isGroup } from "../src/cli/command.ts";
import { parseNode } from "../src/cli/node-file.ts";
import { plainStyle } from "../src/cli/style.ts";
import { readMeshSettings } from "../src/config/mesh-settings.ts";
import { routeSuite } from "../src/explain/route-test.ts";
import { defaultMeshSettings } from "../src/model/mesh-settings.ts";
import { parseCatalog } from "../src/registry/read-catalog.ts";
import { findings, rulesOf } from "./config/support.ts";
import { cliPage } from "./docs/cli-page.ts";
import { plan, write, writeExampleFolder } from "./docs/example-folder.ts";
import { metricRows, metricsPage } from "./docs/metrics-page.ts";
import { anchorsOf, type Block, blocksOf, codeOf, type Page, pageAt, pages, root, stepsOf } from "./docs/pages.ts";
import { restPage } from "./docs/rest-page.ts";
import { envoyBinary } from "./support/envoy.ts";
import { keepRunning, printedBy, shellEnv } from "./support/shell.ts";
import { waitFor } from "./support/wait-for.ts";

describe("pages that are made from the code are fresh (npm run docs)", () => {
  test("the commands", async () => {
    await expect(cliPage(commands)).toMatchFileSnapshot(join(root, "docs/cli.md"));
  });

  test("the routes, behind what is written by hand", async () => {
    await expect(restPage(pageAt("docs/rest.md").text)).toMatchFileSnapshot(join(root, "docs/rest.md"));
  });

  test("the metrics, all of them", async () => {
    await expect(metricsPage()).toMatchFileSnapshot(join(root, "docs/metrics.md"));
    const inSource = globSync("src/**/*.ts", { cwd: root })
      // The scripts for shells have functions of such names.
      .filter((file) => !/^src\/(gen|cli\/completion)\//.test(file))
      .flatMap((file) => readFileSync(join(root, file), "utf8").match(/\bfairway_\w+/g) ?? []);
    expect([...new Set(inSource)].sort()).toEqual(metricRows().map(({ name }) => name));
  });
});

describe.each(pages)("$path", (page) => {
  test("its links lead somewhere", () => {
    const links = [...page.text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
    expect(links.filter((link) => !/^https?:/.test(link)).flatMap((link) => brokenLink(page, link))).toEqual([]);
  });

  test("the files that it names are there", () => {
    const named = codeOf(page).flatMap((code) => code.match(/(?<![\w./-])(?:src|test|docs|proto)\/[\w./-]+/g) ?? []);
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  test("the commands, flags and metrics that it names are there", () => {
    expect(codeOf(page).flatMap(unknownInCommands)).toEqual([]);
    const known = new Set(metricRows().map(({ name }) => name));
    const named = codeOf(page).flatMap((code) => code.match(/\bfairway_[a-z_]+/g) ?? []);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });
});

function brokenLink(page: Page, link: string): readonly string[] {
  const [path = "", anchor] = link.split("#");
  const target = path === "" ? page.path : join(dirname(page.path), path);
  if (!existsSync(join(root, target))) return [link];
  return anchor === undefined || anchorsOf(pageAt(target)).has(anchor) ? [] : [link];
}

/** What a line calls that no command is, and flags that its command does not have. */
function unknownInCommands(code: string): readonly string[] {
  return [...code.matchAll(/(?<![\w./-])fairway (\w[\w-]*)([^|;&>#\n]*)/g)].flatMap(([, name, rest = ""]) => {
    const row = commands.find((one) => one.name === name);
    if (row === undefined) return name === "help" ? [] : [`fairway ${name}`];
    const [word = ""] = rest.trim().split(/\s/);
    const command = isGroup(row) ? row.commands.find((one) => one.name === word) : row;
    if (command === undefined) return word === "" ? [] : [`fairway ${name} ${word}`];
    const known = new Set([
      "-h",
      "--help",
      ...command.flags.flatMap(({ flags }) => flags.match(/--?[a-z][\w-]*/g) ?? []),
    ]);
    const used = [...rest.matchAll(/(?<=\s)--?[a-z][\w-]*/g)].map(([flag]) => flag);
    return used.filter((flag) => !known.has(flag)).map((flag) => `fairway ${name} ${flag}`);
  });
}

describe("the checks above find", () => {
  test.each([
    ["fairway chek rules/", ["fairway chek"]],
    ["npx fairway check rules/ --catlog x | head -5", ["fairway check --catlog"]],
    ["until fairway proxies -n shop > /dev/null; do sleep 1; done", []],
    ["fairway check rules/ -o json | jq -r .x", []],
    ["fairway proxy-config web-v1 routes --nam x", ["fairway proxy-config --nam"]],
    ["fairway-dev/rules", []],
  ])("%s", (code, unknown) => {
    expect(unknownInCommands(code)).toEqual(unknown);
  });

  test("links to nowhere", () => {
    const page = pageAt("README.md");
    expect(brokenLink(page, "docs/nowhere.md")).toEqual(["docs/nowhere.md"]);
    expect(brokenLink(page, "docs/errors.md#nothing")).toEqual(["docs/errors.md#nothing"]);
    expect(brokenLink(page, "docs/errors.md#ruleunknown-kind")).toEqual([]);
  });
});

/* Examples in YAML. Those of docs/errors.md are there for their findings and have a test of their own. */

const examples = pages
  .filter(({ path }) => path !== "docs/errors.md")
  .flatMap((page) => blocksOf(page).map((block) => ({ ...block, page: page.path })))
  .filter(({ language }) => language === "yaml")
  .map((example) => ({ ...example, about: example.info || (/^kind: .*/m.exec(example.text)?.[0] ?? "") }));

describe("YAML", () => {
  test.each(examples)("$page: $about", (example) => {
    expect(problemsIn(example)).toEqual([]);
  });

  test("an excerpt is part of its file", async ({ onTestFinished }) => {
    const dir = await exampleFolder({ onTestFinished });
    const excerpts = examples.filter(({ info }) => info.startsWith("excerpt of "));
    expect(excerpts.length).toBeGreaterThan(0);
    for (const { info, text } of excerpts) {
      expect(readFileSync(join(dir, info.replace("excerpt of ", "")), "utf8")).toContain(text);
    }
  });
});

function problemsIn({ info, text }: Block): readonly string[] {
  if (info.startsWith("excerpt of ")) return [];
  // What is Kubernetes' own is tried on an API server, in test/kubernetes.
  if (/^apiVersion: \w+\.authorization\.k8s\.io\//.test(text)) {
    return parseDocuments(text).flatMap(({ problems }) => problems.map(({ message }) => message));
  }
  if (/^(?:#.*\n)*apiVersion:/.test(text)) return findings(rulesOf(text));
  if (text.startsWith("services:")) {
    const read = parseCatalog([{ kind: "text", file: "catalog.yaml", text }], { registry: "file", domain: "mesh" });
    return read.ok ? [] : read.problems.map(({ message }) => message);
  }
  if (/^id: \w+~/.test(text)) return parseNode(text, info).addresses.length > 0 ? [] : ["It has no address."];
  if (/^(?:#.*\n)*proxy:/.test(text)) {
    return parseDocuments(text).flatMap(({ value }) =>
      decode(routeSuite, value).problems.map(({ message }) => message),
    );
  }
  if (info === "mesh.yaml") {
    const read = readMeshSettings(info, text);
    expect(read).toMatchObject({ ok: true, settings: defaultMeshSettings });
    return read.findings.map(({ message }) => message);
  }
  if (info !== "fairway.yaml") return ["Nobody knows what this is."];
  decodeServeOptions({ flags: {}, env: {}, file: { path: info, text } });
  return [];
}

describe("docs/rules.md", () => {
  const sections = pageAt("docs/rules.md").text.split(/^## /m);

  test.each([
    ["VirtualService", "virtual-service"],
    ["DestinationRule", "destination-rule"],
    ["Gateway", "gateway"],
    ["ServiceEntry", "service-entry"],
    ["Sidecar", "sidecar"],
  ])("%s: its example has every field that is carried out, and the list every one that is not", (kind, file) => {
    const section = sections.find((text) => text.startsWith(`${kind}\n`)) ?? "";
    const source = readFileSync(join(root, `src/config/kinds/${file}.ts`), "utf8");

    const fields = [...source.matchAll(/(\w+): (?:required|optional|withDefault)\(/g)].map(([, name = ""]) => name);
    const example = /```yaml\n([\s\S]*?)```/.exec(section)?.[1] ?? "";
    expect(fields.length).toBeGreaterThan(2);
    expect(fields.filter((name) => !new RegExp(`\\b${name}:`).test(example))).toEqual([]);

    const refused = [...source.matchAll(/unsupported: \[([^\]]*)\]/g)].flatMap(([, names = ""]) => namesIn(names, '"'));
    const listed = namesIn(/Not carried out yet: ([\s\S]*?)\.\n\n/.exec(section)?.[1] ?? "", "`");
    expect(listed.toSorted()).toEqual([...new Set(refused)].sort());
  });
});

const namesIn = (text: string, quote: string): readonly string[] =>
  [...text.matchAll(new RegExp(`${quote}([^${quote}]+)${quote}`, "g"))].map(([, name = ""]) => name);

test("docs/canary.md shows all of the hundred requests (test/app/dev.test.ts does what the page says)", () => {
  const shares = [...pageAt("docs/canary.md").text.matchAll(/^ +(\d+) ratings v1\n +(\d+) ratings v2$/gm)];
  expect(shares.map(([, first, second]) => Number(first) + Number(second))).toEqual([100, 100]);
});

describe("README.md", () => {
  test("has exactly two commands that do all the set-up", () => {
    const shell = blocksOf(pageAt("README.md")).filter(({ language }) => language === "sh");
    expect(shell.map(({ text }) => text.trim())).toEqual(["npm ci && npm start", "npm ci && npm test"]);
  });
});

test("docs/dev.svg shows what the introduction says (node docs/pictures/dev.mjs)", () => {
  const host = "127.0.0.1";
  const { xds, api, metrics } = plan.controlPlane;
  const text = introduction(
    {
      version: version.version,
      envoy: "Envoy 1.40.0 (wheel)",
      plan,
      appPorts: [40_001, 40_002, 40_003, 40_004, 40_005],
      listens: { xds: { host, port: xds }, api: { host, port: api }, metrics: { host, port: metrics } },
      url: "http://127.0.0.1:8080/",
      arrival: { kind: "arrived", answer: "web v1 -> [reviews v1, ratings v1]", afterMs: 700 },
      edit: "fairway-dev/rules/reviews.yaml:13",
      apply: "fairway-dev/ratings.yaml",
      tokenFile: "fairway-dev/data/token",
      logs: ["fairway-dev/control-plane.log", "fairway-dev/envoy/*/envoy.log"],
    },
    plainStyle,
  );
  const svg = readFileSync(join(root, "docs/dev.svg"), "utf8");
  const shown = [...svg.matchAll(/<text [^>]*>([^<]*)</g)].map(([, words = ""]) =>
    words.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code))),
  );
  // Ports and times differ from one start to the next.
  const pieces = (lines: string): readonly string[] =>
    lines.split(/\n| {2,}/).map((piece) => piece.replace(/\d/g, "#"));
  const drawn = new Set(shown.flatMap(pieces));
  expect(pieces(text).filter((piece) => piece !== "" && ![...drawn].some((one) => one.includes(piece.trim())))).toEqual(
    [],
  );
});

/* What a page shows at a terminal. `console`: commands that need no server, with what they print. */

async function exampleFolder({ onTestFinished }: Pick<TestContext, "onTestFinished">): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), "fairway-docs-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  await writeExampleFolder(join(dir, "fairway-dev"));
  for (const { info, text } of examples)
    if (info.includes("/") && !info.includes(" ")) await write(join(dir, info), text);
  return dir;
}

/** How long tests took is another matter each time. */
const withoutTimes = (text: string): string => text.replaceAll(/\(\d+ ms\)/g, "(some ms)");

describe.each(["README.md", "docs/start.md", "docs/explain.md", "docs/route-tests.md"])("%s at a terminal", (path) => {
  test("prints what it shows", async (context) => {
    const dir = await exampleFolder(context);
    const env = shellEnv(dir);
    const steps = stepsOf(pageAt(path));
    expect(steps.length).toBeGreaterThan(1);
    for (const { command, shown } of steps) {
      const printed = withoutTimes(await printedBy(command, dir, env));
      expect(`$ ${command}\n${printed}`).toBe(`$ ${command}\n${withoutTimes(shown)}`);
    }
  });
});

test("docs/start.md: a gateway in front of a service of your own", { timeout: 60_000 }, async (context) => {
  const envoy = await envoyBinary(context);
  const service = createServer((_, response) => response.end("mine\n"));
  await new Promise<void>((resolve) => service.listen(0, "127.0.0.1", resolve));
  context.onTestFinished(() => {
    service.closeAllConnections();
    service.close();
  });

  // The page's ports may be taken here.
  const address = "127.0.0.1";
  const [gateway, xds, api] = await freePorts([{ address }, { address }, { address }]);
  const dir = await exampleFolder(context);
  const here = (text: string): string =>
    text.replaceAll("9000", String((service.address() as AddressInfo).port)).replaceAll("8080", String(gateway));
  for (const { info, text } of examples) if (info.startsWith("mine/")) await write(join(dir, info), here(text));
  const env = shellEnv(dir, envoy.path);

  const [, serve = "", begin = "", look = ""] = blocksOf(pageAt("docs/start.md"))
    .filter(({ language, info }) => language === "sh" && info !== "")
    .sort((a, b) => Number(a.info) - Number(b.info))
    .map(({ text }) => text.trim());
  const [bootstrap = "", runEnvoy = ""] = begin.split("\n");
  const [curl = "", proxies = ""] = look.split("\n");

  const start = (line: string) => keepRunning({ line, cwd: dir, env, context });
  await start(`${serve} --xds ${address}:${xds} --api ${address}:${api} --metrics ${address}:0`);
  const withPorts = bootstrap.replace(" > ", ` --xds ${address}:${xds} --admin ${address}:0 > `);
  expect(await printedBy(withPorts, dir, env)).toBe("");
  await start(runEnvoy);
  const url = here(curl.replace("curl ", ""));
  expect(url).toBe(`http://127.0.0.1:${gateway}/`);
  await waitFor(async () => (await (await fetch(url)).text()) === "mine\n", { what: "an answer", withinMs: 20_000 });
  const shown = blocksOf(pageAt("docs/start.md")).find(({ text }) => text.startsWith("PROXY"))?.text ?? "";
  const withoutAge = (text: string): string => text.replace(/ +\d+s$/m, "");
  const printed = await printedBy(`${proxies} --server ${address}:${api}`, dir, env);
  expect(withoutAge(printed)).toBe(withoutAge(shown));
});

test("docs/start.md names the Envoy that is fetched, and where it is kept", () => {
  const path = join(envoyCacheDir({ HOME: "~" }), wheels[0]?.version ?? "", "envoy");
  expect(pageAt("docs/start.md").text).toContain(`\`${path}\``);
});
