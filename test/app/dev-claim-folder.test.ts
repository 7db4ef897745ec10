import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, type TestContext, test } from "vitest";
import { claimFolder } from "../../src/app/dev/claim-folder.ts";

function temporaryFolder({ onTestFinished }: Pick<TestContext, "onTestFinished">): string {
  const dir = mkdtempSync(join(tmpdir(), "fairway-claim-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  return dir;
}

const failure = (dir: string): Promise<object> =>
  claimFolder(dir).then(
    () => ({}),
    ({ code, message, hint }) => ({ code, message, hint }),
  );

test("makes the folder, marks it, and takes the mark back", async (context) => {
  const dir = join(temporaryFolder(context), "a", "b");
  const release = await claimFolder(dir);
  expect(readFileSync(join(dir, "dev.pid"), "utf8")).toBe(`${process.pid}\n`);
  await release();
  expect(existsSync(join(dir, "dev.pid"))).toBe(false);
});

test("a folder has one owner at a time; one that was killed does not count", async (context) => {
  const dir = temporaryFolder(context);
  const other = spawn("sleep", ["60"]);
  context.onTestFinished(() => {
    other.kill("SIGKILL");
  });
  await once(other, "spawn");
  writeFileSync(join(dir, "dev.pid"), `${other.pid}\n`);
  expect(await failure(dir)).toEqual({
    code: "usage/invalid",
    message: `process ${other.pid} runs \`fairway dev\` in ${dir} already`,
    hint: `End it, or name another directory with --data. If it is none, remove ${dir}/dev.pid.`,
  });
  other.kill("SIGKILL");
  await once(other, "exit");
  const release = await claimFolder(dir);
  await release();
});

test.each(["", "nonsense", "-1", "0", "1.5"])("a mark %j says nothing", async (text) => {
  const dir = mkdtempSync(join(tmpdir(), "fairway-claim-"));
  writeFileSync(join(dir, "dev.pid"), text);
  await (await claimFolder(dir))();
  rmSync(dir, { recursive: true });
});

test("a folder that cannot be is an error that says why", async (context) => {
  const file = join(temporaryFolder(context), "file");
  writeFileSync(file, "");
  const hint = "Name another one with --data.";
  expect(await failure(file)).toEqual({
    code: "usage/invalid",
    message: `cannot write to the directory ${file}: it is a file`,
    hint,
  });
  expect(await failure(join(file, "below"))).toEqual({
    code: "usage/invalid",
    message: `cannot write to the directory ${file}/below: a part of the path is a file`,
    hint,
  });
});
