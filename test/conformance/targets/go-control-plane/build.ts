import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { access, mkdir, rename } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const sources = import.meta.dirname;
const run = promisify(execFile);

/** The program cannot be had: no Go, or no module proxy the first time. */
export class NotBuilt extends Error {
  constructor(cause: unknown) {
    const [line = ""] = (cause instanceof Error ? cause.message : String(cause)).trim().split("\n").slice(-1);
    super(`go-control-plane cannot be had: ${line}`, { cause });
  }
}

/**
 * The path of the program, built once for its sources: into `fairway/conformance` in the user's cache folder. Needs Go on the PATH or
 * in /usr/local/go/bin, and its module proxy the first time. Throws `NotBuilt` when it cannot be built.
 */
export async function buildProgram(env: NodeJS.ProcessEnv): Promise<string> {
  const hash = createHash("sha256");
  for (const file of globSync("{*.go,go.mod,go.sum}", { cwd: sources }).sort())
    hash.update(readFileSync(join(sources, file)));
  const folder = join(env["XDG_CACHE_HOME"] ?? join(env["HOME"] ?? homedir(), ".cache"), "fairway", "conformance");
  const program = join(folder, `go-control-plane-${hash.digest("hex").slice(0, 16)}`);
  const isThere = await access(program).then(
    () => true,
    () => false,
  );
  if (isThere) return program;
  await mkdir(folder, { recursive: true });
  const half = `${program}.${process.pid}`;
  const path = [env["PATH"], "/usr/local/go/bin"].filter((one) => one !== undefined).join(delimiter);
  await run("go", ["build", "-o", half, "."], { cwd: sources, env: { ...env, PATH: path } }).catch((error: unknown) => {
    throw new NotBuilt(error);
  });
  // Two that build at the same time end with the same file.
  await rename(half, program);
  return program;
}
