import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { access, mkdir, rename } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface GoProgram {
  readonly name: string;
  /** The folder of its sources, with a `go.mod`. */
  readonly sources: string;
  /** The folder below `fairway` in the user's cache folder. */
  readonly cache: string;
}

/** The program cannot be had: no Go, or no module proxy the first time. */
export class NotBuilt extends Error {
  constructor(name: string, cause: unknown) {
    const [line = ""] = (cause instanceof Error ? cause.message : String(cause)).trim().split("\n").slice(-1);
    super(`${name} cannot be had: ${line}`, { cause });
  }
}

/**
 * The path of the program, built once for its sources. Needs Go on the PATH or in /usr/local/go/bin, and its module proxy the
 * first time. Throws `NotBuilt` when it cannot be built.
 */
export async function buildGoProgram({ name, sources, cache }: GoProgram, env: NodeJS.ProcessEnv): Promise<string> {
  const hash = createHash("sha256");
  for (const file of globSync("{*.go,go.mod,go.sum}", { cwd: sources }).sort())
    hash.update(readFileSync(join(sources, file)));
  const folder = join(env["XDG_CACHE_HOME"] ?? join(env["HOME"] ?? homedir(), ".cache"), "fairway", cache);
  const program = join(folder, `${name}-${hash.digest("hex").slice(0, 16)}`);
  const isThere = await access(program).then(
    () => true,
    () => false,
  );
  if (isThere) return program;
  await mkdir(folder, { recursive: true });
  const half = `${program}.${process.pid}`;
  const path = [env["PATH"], "/usr/local/go/bin"].filter((one) => one !== undefined).join(delimiter);
  await run("go", ["build", "-o", half, "."], { cwd: sources, env: { ...env, PATH: path } }).catch((error: unknown) => {
    throw new NotBuilt(name, error);
  });
  // Two that build at the same time end with the same file.
  await rename(half, program);
  return program;
}
