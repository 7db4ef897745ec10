import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { TestContext } from "vitest";
import { executableOnPath } from "../../src/app/envoy/executable.ts";
import { envoyCacheDir } from "../../src/app/envoy/find.ts";
import { realPart } from "./real-part.ts";

/** What a Python with gRPC is run with. */
export interface PythonGrpc {
  readonly python: string;
  /** For PYTHONPATH. */
  readonly path: string;
}

const wanted = ["grpcio==1.84.0", "typing-extensions==4.15.0"];
const installTimeoutMs = 5 * 60_000;

let installed: Promise<PythonGrpc> | undefined;

/** Python's grpcio: from the user's cache, else installed into it by pip, beside the Envoys. Without it the test is skipped (in CI: fails). */
export function pythonGrpc(context: Pick<TestContext, "skip">): Promise<PythonGrpc> {
  installed ??= install();
  const found = installed;
  return realPart(context, `Python with ${wanted[0]}`, () => found);
}

async function install(): Promise<PythonGrpc> {
  const python = executableOnPath("python3", process.env["PATH"]);
  if (python === undefined) throw new Error("python3 is not on the PATH");
  const run = promisify(execFile);
  const { stdout } = await run(python, ["-c", "import sys; print(sys.implementation.cache_tag)"]);
  const path = join(dirname(envoyCacheDir(process.env)), "grpcio", `${wanted.join("-")}-${stdout.trim()}`);
  if (existsSync(path)) return { python, path };
  const work = `${path}.${process.pid}-${randomUUID()}`;
  await mkdir(dirname(path), { recursive: true });
  try {
    await run(
      python,
      [
        ...["-m", "pip", "install", "--no-deps", "--only-binary=:all:", "--target", work, ...wanted],
        ...["--no-cache-dir", "--no-input", "--disable-pip-version-check", "--quiet"],
      ],
      { timeout: installTimeoutMs, env: { ...process.env, PIP_REQUIRE_VIRTUALENV: "0" } },
    );
    // A rename is whole or not at all; when another process was first, its folder is as good as ours.
    await rename(work, path).catch((cause: unknown) => {
      if (!existsSync(path)) throw cause;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return { python, path };
}
