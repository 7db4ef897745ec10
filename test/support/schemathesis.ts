import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { TestContext } from "vitest";
import { envoyCacheDir } from "../../src/app/envoy/find.ts";
import { realPart } from "./real-part.ts";

const version = "4.32.5";

const run = promisify(execFile);

export interface SchemathesisRun {
  readonly exitCode: number;
  /** What it printed. */
  readonly printed: string;
}

/** Runs schemathesis with these arguments. It is a Python package, kept in the user's cache; without it the test is skipped (in CI: fails). */
export async function schemathesis(
  context: Pick<TestContext, "skip">,
  args: readonly string[],
  { timeoutMs }: { readonly timeoutMs: number },
): Promise<SchemathesisRun> {
  const packages = await realPart(context, `schemathesis ${version}`, installed);
  const env = { ...process.env, PYTHONPATH: packages, NO_COLOR: "1", PYTHONDONTWRITEBYTECODE: "1" };
  // What it remembers it keeps where it runs.
  const cwd = await mkdtemp(join(tmpdir(), "fairway-schemathesis-run-"));
  const options = { cwd, env, timeout: timeoutMs, maxBuffer: 64 * 1024 * 1024 };
  try {
    const { stdout, stderr } = await run("python3", ["-m", "schemathesis.cli", ...args], options);
    return { exitCode: 0, printed: stdout + stderr };
  } catch (cause) {
    const { code, stdout = "", stderr = "" } = cause as { code?: unknown; stdout?: string; stderr?: string };
    if (typeof code !== "number") throw cause;
    return { exitCode: code, printed: stdout + stderr };
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
}

async function installed(): Promise<string> {
  const folder = join(dirname(envoyCacheDir(process.env)), "schemathesis", version);
  if (existsSync(folder)) return folder;
  await mkdir(dirname(folder), { recursive: true });
  const fresh = await mkdtemp(`${folder}-`);
  try {
    const args = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", fresh];
    await run("python3", [...args, `schemathesis==${version}`], { timeout: 300_000 });
    // Another run may have been faster.
    await rename(fresh, folder).catch((error: NodeJS.ErrnoException) => {
      if (!existsSync(folder)) throw error;
    });
    return folder;
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}
