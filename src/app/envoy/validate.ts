import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { JsonObject } from "@bufbuild/protobuf";
import { type EnvoyLogLine, isWarning, parseEnvoyLogLine } from "./log-line.ts";

/** What Envoy says of a configuration that it only reads. */
export interface Validation {
  readonly valid: boolean;
  /** Warnings (deprecated fields among them) and, when it is not valid, the reason. */
  readonly problems: readonly EnvoyLogLine[];
}

const validateTimeoutMs = 20_000;

/** Lets Envoy check a whole bootstrap, static listeners and clusters included, without opening a port (`--mode validate`, about 50 ms). */
export async function validateBootstrap(binary: string, bootstrap: JsonObject): Promise<Validation> {
  const dir = await mkdtemp(join(tmpdir(), "fairway-validate-"));
  try {
    const file = join(dir, "bootstrap.json");
    await writeFile(file, JSON.stringify(bootstrap));
    const args = ["--mode", "validate", "--config-path", file, "--log-format-escaped", "--log-level", "warning"];
    const { valid, stderr } = await promisify(execFile)(binary, args, {
      timeout: validateTimeoutMs,
      maxBuffer: 16 * 1024 * 1024,
    }).then(
      ({ stderr }) => ({ valid: true, stderr }),
      (cause: { readonly code?: unknown; readonly stderr?: string }) => {
        // A status is an answer; no status (not started, killed) is none.
        if (typeof cause.code !== "number") throw cause;
        return { valid: false, stderr: cause.stderr ?? "" };
      },
    );
    const lines = stderr.split("\n").filter((line) => line !== "");
    return { valid, problems: lines.map(parseEnvoyLogLine).filter(isWarning) };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
