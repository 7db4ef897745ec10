import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, type TestContext, test } from "vitest";
import { followCanaryPage } from "../docs/canary-page.ts";
import { type Dev, startDev, temporaryFolder, waitUntilGone } from "../support/dev.ts";
import { envoyBinary } from "../support/envoy.ts";
import { fakeCommands } from "../support/fake-commands.ts";
import { isOpen } from "../support/process.ts";
import { realPart } from "../support/real-part.ts";
import { printedBy, shellEnv } from "../support/shell.ts";
import { waitFor } from "../support/wait-for.ts";

/** With a real Envoy, and a user who has nothing yet; what runs is found in `/proc`. */
async function realEnv(context: TestContext): Promise<NodeJS.ProcessEnv> {
  const { path } = await envoyBinary(context);
  await realPart(context, "/proc", async () => {
    if (!existsSync("/proc/self/status")) throw new Error("this system has none");
  });
  return { ...shellEnv(temporaryFolder(context)), ENVOY_BIN: path, FAIRWAY_ENVOY: "process" };
}

const introduced = /Stop {3}Ctrl-C\n\n/;
const urlOf = async (dev: Dev): Promise<string> => (await dev.says(/curl (http:\S+)/))[1] ?? "";

/** How many of 50 requests came from v2 of a service; all must be answered. */
async function countV2(url: string, service = "reviews"): Promise<number> {
  const texts = await Promise.all(
    Array.from({ length: 50 }, async () => {
      const answer = await fetch(url);
      return `${answer.status} ${await answer.text()}`;
    }),
  );
  expect(texts.filter((text) => !/^200 web v1 -> \[reviews v[12], ratings v[12]\]\n$/.test(text))).toEqual([]);
  return texts.filter((text) => text.includes(`${service} v2`)).length;
}

/** The file and line that it says to edit. */
async function placeToEdit(dev: Dev): Promise<{ readonly file: string; readonly line: number }> {
  const [, file = "", line] = await dev.says(/Edit {3}(\S+):(\d+) {2}/);
  return { file, line: Number(line) };
}

/** Changes the value in this line of a file, as an editor does. */
function editLine(file: string, line: number, value: string): void {
  const lines = readFileSync(file, "utf8").split("\n");
  const index = line - 1;
  expect(lines[index]).toMatch(/^ +weight: -?\d+$/);
  lines[index] = (lines[index] ?? "").replace(/\S+$/, value);
  writeFileSync(file, lines.join("\n"));
}

test("a newcomer moves the canary, makes mistakes, and stops", { timeout: 90_000 }, async (context) => {
  const dev = await startDev({ context, env: await realEnv(context) });
  const url = await urlOf(dev);
  await dev.says(introduced);
  expect(await (await fetch(url)).text()).toMatch(/^web v1 -> \[reviews v[12], ratings v1\]\n$/);
  const pids = dev.processes().map(({ pid }) => pid);
  expect(dev.processes().filter(({ command }) => command.includes("--config-path"))).toHaveLength(6);
  expect(dev.processes().filter(({ command }) => command.includes("example-main"))).toHaveLength(5);
  const addresses = dev.addresses();
  expect(addresses).toHaveLength(14);
  expect(await Promise.all(addresses.map(isOpen))).not.toContain(false);

  const { file, line } = await placeToEdit(dev);
  const text = readFileSync(file, "utf8");
  writeFileSync(
    file,
    text.replace(/weight: (90|10)$/gm, (_, weight) => `weight: ${weight === "90" ? 0 : 100}`),
  );
  expect(readFileSync(file, "utf8").split("\n")[line - 1]).toBe("          weight: 0");
  await dev.says(/accepted {2}web-v1 took routes \d+\n/);
  expect(dev.printed()).toContain(`rules     VirtualService shop/reviews changed
                    ${file}:${line}:19  weight 90 → 0
                    ${file}:${line + 2}:19  weight 10 → 100
`);
  expect(await countV2(url)).toBe(50);

  editLine(file, line, "-1");
  await dev.says(/rule\/invalid-value(\n.*){4}/);
  expect(dev.printed()).toContain(`  finding   ${file}:${line}:19  error  rule/invalid-value
                    Expected a whole number from 0 to 2147483647, found -1.
                    Use 0 or more.
                    Its last valid version stays in force.
`);
  expect(await countV2(url)).toBe(50);

  writeFileSync(file, readFileSync(file, "utf8").replace("weight: -1", 'weight: "0'));
  await dev.says(/text\/invalid-yaml(\n.*){4}/);
  expect(dev.printed()).toContain(`  finding   ${file}:${line}:19  error  text/invalid-yaml
                    The YAML is broken: a " is not closed.
                    Close the text with "
                    Its last valid version stays in force.
`);
  expect(await countV2(url)).toBe(50);

  writeFileSync(file, readFileSync(file, "utf8").replace('weight: "0', "weight: 0"));
  await dev.says(/fixed {5}\S+reviews\.yaml {2}no findings any more\n/);

  writeFileSync(file, readFileSync(file, "utf8").replace("subset: v1", "subset: v3"));
  await dev.says(/finding {3}\S+:12:49 {2}warning {2}rule\/unknown-subset\n/);

  dev.signal("SIGINT");
  expect(await dev.exited).toEqual({ code: 0, signal: null });
  await waitUntilGone(pids, addresses);
  expect(dev.printed()).toMatch(/\n\nStopping …\n$/);
  expect(existsSync(join(dev.dir, "dev.pid"))).toBe(false);
});

test("a newcomer moves the canary of the store, by the printed commands", { timeout: 90_000 }, async (context) => {
  const env = await realEnv(context);
  const dev = await startDev({ context, env });
  const url = await urlOf(dev);
  await dev.says(introduced);
  expect(await countV2(url, "ratings")).toBe(0);
  const [, apply = "", file = ""] = await dev.says(/^ {2}Apply {2}(npx fairway apply -f (\S+)(?: --server \S+)?) {2}/m);
  const [, curl = ""] = await dev.says(/^ {2}Curl {3}([\s\S]*?)\n {2}Logs /m);

  const text = readFileSync(file, "utf8");
  expect(text.match(/weight: \d+/g)).toEqual(["weight: 100", "weight: 0"]);
  writeFileSync(
    file,
    text.replace(/weight: (100|0)$/gm, (_, weight) => `weight: ${weight === "100" ? 0 : 100}`),
  );
  expect(await printedBy(apply, dev.dir, env)).toBe(
    "virtualservice/shop/ratings configured\n\n1 rule: 1 configured; revision 3\n",
  );
  await dev.says(/accepted {2}web-v1 took routes \d+\n/);
  await waitFor(async () => (await countV2(url, "ratings")) === 50);
  const place = (line: string) => `${file}:${lineOf(file, line)}:19`;
  expect(dev.printed()).toContain(`rules     VirtualService shop/ratings changed
                    ${place("weight: 0")}  weight 100 → 0
                    ${place("weight: 100")}  weight 0 → 100
`);

  const answer: unknown = JSON.parse(await printedBy(curl, dev.dir, env));
  expect(answer).toMatchObject({
    metadata: { name: "ratings", generation: 3 },
    spec: { http: [{ route: [{ weight: 50 }, { weight: 50 }] }] },
    status: { verdict: "valid" },
  });
  await dev.says(/weight 0 → 50[\s\S]*accepted {2}web-v1 took routes \d+\n/);
  await waitFor(async () => (await countV2(url, "ratings")) < 50);
  expect(await countV2(url, "ratings")).toBeGreaterThan(0);
  expect(readFileSync(file, "utf8")).toContain("weight: 100");
});

/** The first line of a file that holds a text. */
const lineOf = (file: string, text: string): number =>
  readFileSync(file, "utf8")
    .split("\n")
    .findIndex((line) => line.includes(text)) + 1;

// Here, because two meshes that start at once would choose the same ports.
test("docs/canary.md shows what happens", { timeout: 90_000 }, followCanaryPage);

test("a second start keeps the rules and follows the ports that are free", { timeout: 90_000 }, async (context) => {
  const env = await realEnv(context);
  const dir = temporaryFolder(context);
  const first = await startDev({ context, env, dir });
  const port = Number(new URL(await urlOf(first)).port);
  await first.says(introduced);
  const edited = readFileSync(join(dir, "rules/reviews.yaml"), "utf8").replace("weight: 90", "weight: 0");
  writeFileSync(join(dir, "rules/reviews.yaml"), edited);

  const rival = await startDev({ context, env, dir });
  expect(await rival.exited).toEqual({ code: 2, signal: null });
  expect(rival.printed()).toMatch(
    new RegExp(`^fairway: process ${first.pid} runs \`fairway dev\` in ${dir} already\n`),
  );

  first.signal("SIGTERM");
  expect(await first.exited).toEqual({ code: 0, signal: null });

  const squatter = createServer().listen(port, "127.0.0.1");
  context.onTestFinished(() => {
    squatter.close();
  });
  const second = await startDev({ context, env, dir });
  const url = await urlOf(second);
  await second.says(introduced);
  expect(Number(new URL(url).port)).not.toBe(port);
  expect(readFileSync(join(dir, "rules/reviews.yaml"), "utf8")).toBe(edited);
  expect(readFileSync(join(dir, "mesh/rules/gateway.yaml"), "utf8")).toContain(`number: ${new URL(url).port}\n`);
  expect(await countV2(url)).toBe(50);
});

test("rules that are broken before the start are told, and may be mended", { timeout: 90_000 }, async (context) => {
  const env = await realEnv(context);
  const dir = temporaryFolder(context);
  mkdirSync(join(dir, "rules"));
  writeFileSync(join(dir, "rules/web.yaml"), "kind: VirtualService\nspec: [\n");
  const dev = await startDev({ context, env, dir });
  const url = await urlOf(dev);
  await dev.says(introduced);
  expect(dev.printed()).toContain(`no request reaches the services through ${url}: 404\n`);
  await dev.says(/Ctrl-C\n\n\S+ {2}finding {3}\S+web\.yaml:2:7 {2}error {2}text\/invalid-yaml\n/);

  writeFileSync(
    join(dir, "rules/web.yaml"),
    "{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: web, namespace: shop}, spec: " +
      '{hosts: ["*"], gateways: [gateway], http: [{route: [{destination: {host: web}}]}]}}\n',
  );
  await dev.says(/accepted {2}gateway took routes \S+\n/);
  await waitFor(async () => (await fetch(url)).ok);

  const pids = dev.processes().map(({ pid }) => pid);
  const [victim] = dev.processes().filter(({ command }) => command.includes("envoy/reviews-v2/bootstrap.json"));
  process.kill(victim?.pid ?? 0, "SIGKILL");
  expect(await dev.exited).toEqual({ code: 1, signal: null });
  expect(dev.printed()).toMatch(/ {2}stopped {3}Envoy reviews-v2 ended by SIGKILL\n\nStopping …\n$/);
  await waitUntilGone(pids, dev.addresses());
});

describe("a stop during the start leaves nothing", () => {
  test.for([
    ["as the first services start", "example-main", "SIGINT"],
    ["as the first Envoys start", "--config-path", "SIGTERM"],
  ] as const)("%s", async ([, started, signal], context) => {
    const dev = await startDev({ context, env: await realEnv(context) });
    const seen = new Set<number>();
    await waitFor(
      () => {
        const processes = dev.processes();
        for (const { pid } of processes) seen.add(pid);
        return processes.some(({ command }) => command.includes(started));
      },
      { withinMs: 20_000, what: started },
    );
    dev.signal(signal);
    expect(await dev.exited).toEqual({ code: 0, signal: null });
    expect(dev.printed()).toMatch(/^Starting the example mesh with Envoy \S+ …\n\nStopping …\n$/);
    for (const { pid } of dev.processes()) seen.add(pid);
    await waitUntilGone([...seen], []);
  });

  test("while Envoy is downloaded", async (context) => {
    const { bin, dir, add } = fakeCommands(context);
    add("python3", "exec sleep 60");
    const cache = join(dir, "cache");
    const dev = await startDev({ context, env: { PATH: bin, HOME: dir, XDG_CACHE_HOME: cache } });
    await dev.says(/downloading Envoy/);
    const pids = dev.processes().map(({ pid }) => pid);
    dev.signal("SIGINT");
    expect(await dev.exited).toEqual({ code: 0, signal: null });
    expect(dev.printed()).toMatch(/^downloading Envoy \S+: 0 MB\n\nStopping …\n$/);
    await waitUntilGone(pids, []);
  });
});

test("without any Envoy, the three ways to get one are named", async (context) => {
  const { bin, dir } = fakeCommands(context);
  const dev = await startDev({ context, env: { PATH: bin, HOME: dir } });
  expect(await dev.exited).toEqual({ code: 2, signal: null });
  expect(dev.printed()).toMatch(
    /fairway: no Envoy found: .*\n {2}Three ways to get one: \(1\) .* \(2\) .* \(3\) .*\n$/,
  );
});

test("a directory that cannot be written is an error before anything starts", async (context) => {
  const { bin, dir } = fakeCommands(context);
  writeFileSync(join(dir, "file"), "");
  const dev = await startDev({ context, env: { PATH: bin, HOME: dir }, dir: join(dir, "file") });
  expect(await dev.exited).toEqual({ code: 2, signal: null });
  expect(dev.printed()).toBe(
    `fairway: cannot write to the directory ${join(dir, "file")}: it is a file\n  Name another one with --data.\n`,
  );
});
