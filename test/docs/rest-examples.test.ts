import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual, promisify } from "node:util";
import { describe, expect, type TestContext, test } from "vitest";
import { startControlPlane } from "../../src/app/control-plane.ts";
import { catalogFile, ruleFolders } from "../../src/app/dev/mesh-files.ts";
import { createLog } from "../../src/base/log.ts";
import { defaultMeshSettings } from "../../src/model/mesh-settings.ts";
import { type CurlAnswer, curlLinesOf, runCurlLines } from "./curl-lines.ts";
import { write, writeExampleFolder } from "./example-folder.ts";
import { type Block, blocksOf, pageAt, root } from "./pages.ts";

const run = promisify(execFile);

async function temporaryFolder({ onTestFinished }: Pick<TestContext, "onTestFinished">): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "fairway-docs-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** A control plane as `fairway dev` has it, with nobody connected; and the folder that it runs in. */
async function exampleServer(context: Pick<TestContext, "onTestFinished">) {
  const cwd = await temporaryFolder(context);
  const dir = join(cwd, "fairway-dev");
  await writeExampleFolder(dir);
  const anywhere = { host: "127.0.0.1", port: 0 };
  const plane = await startControlPlane({
    rules: ruleFolders.map((folder) => join(dir, folder)),
    catalog: [join(dir, catalogFile)],
    mesh: defaultMeshSettings,
    ...{ xds: anywhere, api: anywhere, metrics: anywhere },
    store: { kind: "sqlite", folder: join(dir, "data") },
    log: createLog({ level: "silent", format: "json", write: () => {} }),
  });
  context.onTestFinished(() => plane.stop());
  const here = (line: string): string => line.replaceAll("127.0.0.1:15080", `127.0.0.1:${plane.listens.api.port}`);
  return { cwd, here };
}

describe.each(["docs/rest.md", "docs/operate.md"])("%s", (path) => {
  test("its curl lines are answered as it says", async (context) => {
    const { cwd, here } = await exampleServer(context);
    const blocks = blocksOf(pageAt(path));
    for (const { language, info, text } of blocks) {
      if (language === "yaml" && info.endsWith(".yaml")) await write(join(cwd, info), text);
    }
    const shell = blocks.filter((block) => block.language === "sh" && isSetUp(block));
    expect(shell.length).toBeGreaterThan(2);

    const answers = await runCurlLines(shell, { cwd, here });

    expect(answers.map(({ text, status }) => `${withoutStatus(text)} # ${status}`)).toEqual(
      answers.map(({ text }) => text),
    );
    expect(
      shownAnswers(
        blocks,
        answers.map((answer) => ({ ...answer, body: answer.body.replaceAll(`${cwd}/`, "") })),
      ),
    ).toEqual([]);
  });
});

test("docs/operate.md: its commands print what it shows", async (context) => {
  const cwd = await temporaryFolder(context);
  const fairway = `npx() { shift; '${process.execPath}' '${join(root, "src/app/main.ts")}' "$@"; }`;
  const env = { ...process.env, HOME: cwd, XDG_CONFIG_HOME: join(cwd, ".config"), NO_COLOR: "1" };
  const shown = blocksOf(pageAt("docs/operate.md"))
    .filter(({ language }) => language === "console")
    .flatMap(({ text }) => text.split(/^(?=\$ )/m));
  expect(shown.length).toBeGreaterThan(5);
  const script = shown.map((step) => step.slice(2, step.indexOf("\n"))).map((line) => `echo '$ ${line}'; ${line}`);

  const { stdout } = await run("bash", ["-c", [fairway, ...script].join("\n")], { cwd, env });

  const printed = stdout.replaceAll(cwd, "~");
  const withoutTimes = (text: string): string => text.replace(/\d{8}T\d{6}Z/g, "…");
  expect(withoutTimes(printed)).toBe(withoutTimes(shown.join("")));
});

/** Other blocks show commands that have tests of their own. */
const isSetUp = (block: Block): boolean => curlLinesOf(block).length > 0;

const withoutStatus = (text: string): string => text.replace(/ # \d{3}$/, "");

/** Bodies that the page shows as JSON behind the last request, and that are other ones. */
function shownAnswers(blocks: readonly Block[], answers: readonly CurlAnswer[]): readonly object[] {
  let done = 0;
  return blocks.flatMap((block) => {
    if (block.language === "sh") done += curlLinesOf(block).length;
    if (block.language !== "json") return [];
    const got = masked(answers[done - 1]?.body ?? "");
    return isDeepStrictEqual(got, masked(block.text)) ? [] : [{ shown: block.text, got }];
  });
}

const changing = new Set([
  "requestId",
  "uid",
  "revision",
  "createdAt",
  "updatedAt",
  "registeredAt",
  "expiresAt",
  "since",
  "until",
]);

const masked = (json: string): unknown =>
  JSON.parse(json, (name, value) => (changing.has(name) ? "…" : (value as unknown)));
