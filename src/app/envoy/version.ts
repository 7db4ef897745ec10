import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** A first start from a cold disk may be slow; 50 ms is normal. */
const versionTimeoutMs = 20_000;

/**
 * Runs `envoy --version` and returns its version, for example `1.40.0`.
 * Rejects with a reason for people when the file does not run, or prints something else.
 */
export async function envoyVersion(path: string, signal?: AbortSignal): Promise<string> {
  const { stdout } = await promisify(execFile)(path, ["--version"], {
    timeout: versionTimeoutMs,
    ...(signal && { signal }),
  }).catch((cause) => {
    signal?.throwIfAborted();
    throw new Error(`${path} --version does not run: ${reasonOf(cause)}`, { cause });
  });
  const version = parseEnvoyVersion(stdout);
  if (version === undefined) throw new Error(`${path} --version does not print an Envoy version`);
  return version;
}

/** `envoy  version: <commit>/1.40.0/Clean/RELEASE/BoringSSL`; distributions put words of their own after the number. */
export function parseEnvoyVersion(text: string): string | undefined {
  return /\bversion: [0-9a-f]+\/(\d+\.\d+\.\d+[\w.-]*)\//.exec(text)?.[1];
}

/** The release line of a version: `1.40` of `1.40.0`. */
export const releaseLine = (version: string): string => version.split(".").slice(0, 2).join(".");

function reasonOf(cause: { readonly code?: unknown; readonly killed?: boolean; readonly stderr?: string }): string {
  const said = cause.stderr?.trim().split("\n").at(-1)?.slice(0, 300);
  if (said) return said;
  return cause.killed ? `no answer within ${versionTimeoutMs / 1000} s` : `it fails with ${String(cause.code)}`;
}
