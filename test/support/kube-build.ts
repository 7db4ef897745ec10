import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { envoyCacheDir } from "../../src/app/envoy/find.ts";

/** The Go module that pins the servers: their versions, and those of everything in them. */
const tools = join(import.meta.dirname, "../kubernetes/tools");

/** The servers, by the names of their files, and what each is built from. */
export const serverPackages = {
  etcd: "go.etcd.io/etcd/server/v3",
  "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
  "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
} as const;

const targets: readonly string[] = Object.values(serverPackages);

/** Go names a file after the last word of its package, and takes `v3` for a version. */
const etcdAsBuilt = "server";

const reportEveryMs = 5_000;

export interface BuildOptions {
  readonly env: NodeJS.ProcessEnv;
  /** Hears a line at the start and every few seconds: the first time it takes minutes. */
  readonly onProgress: (line: string) => void;
}

/**
 * The folder of the servers, in the user's cache folder: built once for what the Go module says. Needs Go on the PATH or in
 * /usr/local/go/bin, and its module proxy the first time.
 */
export async function buildKubeServers({ env, onProgress }: BuildOptions): Promise<string> {
  const hash = createHash("sha256");
  for (const file of ["go.mod", "go.sum"]) hash.update(readFileSync(join(tools, file)));
  const folder = join(dirname(envoyCacheDir(env)), "kubernetes", hash.digest("hex").slice(0, 16));
  if (existsSync(folder)) return folder;
  const half = `${folder}.${process.pid}`;
  await mkdir(half, { recursive: true });
  try {
    await build(half, goEnvironment(env), onProgress);
    await rename(join(half, etcdAsBuilt), join(half, "etcd"));
    // A rename is whole or not at all; when another process was first, its folder is as good as ours.
    await rename(half, folder).catch((cause: unknown) => {
      if (!existsSync(folder)) throw cause;
    });
  } finally {
    await rm(half, { recursive: true, force: true });
  }
  return folder;
}

async function build(folder: string, env: NodeJS.ProcessEnv, onProgress: BuildOptions["onProgress"]): Promise<void> {
  const names = Object.keys(serverPackages).join(", ");
  onProgress(`building ${names} ${kubernetesVersion()}, once for this machine; on two cores it takes 6 minutes`);
  const begun = performance.now();
  const seconds = (): number => Math.round((performance.now() - begun) / 1_000);
  let modules = 0;
  let packages = 0;
  let total = 0;
  const hear = (line: string): void => {
    if (line.startsWith("go: ")) modules++;
    else packages++;
  };
  const report = setInterval(() => {
    onProgress(`${total === 0 ? `${modules} modules fetched` : `${packages} of ${total} packages`}, ${seconds()} s`);
  }, reportEveryMs);
  try {
    total = (await go(["list", "-deps", ...targets], env, hear)).length;
    await go(["build", "-v", "-trimpath", "-ldflags", linkerFlags(), "-o", `${folder}/`, ...targets], env, hear);
  } finally {
    clearInterval(report);
  }
  onProgress(`built in ${seconds()} s`);
}

function goEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const PATH = [env["PATH"], "/usr/local/go/bin"].filter((one) => one !== undefined).join(delimiter);
  return { ...env, PATH, CGO_ENABLED: "0", GOWORK: "off", GOTOOLCHAIN: "local", GOFLAGS: "-mod=readonly" };
}

/** For example `v1.36.3`. */
function kubernetesVersion(): string {
  return /\bk8s\.io\/kubernetes (v\S+)/.exec(readFileSync(join(tools, "go.mod"), "utf8"))?.[1] ?? "";
}

/** Without the stamps `/version` says a template. */
function linkerFlags(): string {
  const version = kubernetesVersion();
  const [major = "", minor = ""] = version.slice(1).split(".");
  const stamps = { gitVersion: version, gitMajor: major, gitMinor: minor };
  return [
    "-s -w",
    ...["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"].flatMap((path) =>
      Object.entries(stamps).map(([name, value]) => `-X ${path}.${name}=${value}`),
    ),
  ].join(" ");
}

/** Runs Go among the tools; returns the lines of its standard output. */
function go(args: readonly string[], env: NodeJS.ProcessEnv, onLine = (_: string) => {}): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const child = spawn("go", args, { cwd: tools, env, stdio: ["ignore", "pipe", "pipe"] });
    let out = "";
    let lastLine = "";
    let rest = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) onLine(line);
      lastLine = lines.at(-1) ?? lastLine;
    });
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(out.trim().split("\n"));
      else reject(new Error(`go ${args[0]} ended with status ${code}: ${rest || lastLine}`));
    });
  });
}
