import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import type { TestContext } from "vitest";
import { startChild } from "../../src/app/child.ts";

const main = join(import.meta.dirname, "../../src/app/main.ts");

/** An environment in which `npx fairway` is this tree, `envoy` the given one, and nothing of this user's is found. */
export function shellEnv(dir: string, envoy = "false"): NodeJS.ProcessEnv {
  const bin = join(dir, "bin");
  const curl = join(dir, "curl");
  for (const folder of [bin, curl]) mkdirSync(folder, { recursive: true });
  const scripts = {
    npx: `shift; exec '${process.execPath}' '${main}' "$@"`,
    envoy: `exec '${envoy}' --use-dynamic-base-id "$@"`,
  };
  for (const [name, body] of Object.entries(scripts)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  }
  // Without a terminal curl tells of its progress.
  writeFileSync(join(curl, ".curlrc"), "silent\nshow-error\n");
  const given = Object.entries(process.env).filter(([name]) => !name.startsWith("FAIRWAY_"));
  return {
    ...Object.fromEntries(given),
    PATH: `${bin}${delimiter}${process.env["PATH"]}`,
    XDG_CONFIG_HOME: join(dir, "config"),
    CURL_HOME: curl,
  };
}

/** Standard output and standard error of a command line, as a terminal shows them; whatever its exit status is. */
export async function printedBy(line: string, cwd: string, env: NodeJS.ProcessEnv): Promise<string> {
  const run = promisify(execFile)("bash", ["-c", `{ ${line}\n} 2>&1`], { cwd, env });
  return (await run.catch((failed: { readonly stdout: string }) => failed)).stdout;
}

export interface KeepRunning {
  readonly line: string;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly context: Pick<TestContext, "onTestFinished">;
}

/** Runs one command until the test ends; all that it printed so far. */
export async function keepRunning({ line, cwd, env, context }: KeepRunning): Promise<() => string> {
  let printed = "";
  const child = await startChild({
    command: "bash",
    args: ["-c", `cd '${cwd}' && exec ${line}`],
    env,
    onLine: (text) => {
      printed += `${text}\n`;
    },
  });
  context.onTestFinished(async () => {
    await child.stop({ graceMs: 2_000 });
  });
  return () => printed;
}
