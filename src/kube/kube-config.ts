import { readFile } from "node:fs/promises";
import type { RequestOptions } from "node:https";
import { dirname, resolve } from "node:path";
import type { KubeConfig } from "@kubernetes/client-node/dist/config.js";
import { parse } from "yaml";
import type { Clock } from "../base/clock.ts";
import { MeshError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { KubeAccess, KubeLogin } from "./access.ts";

export type KubeConfigSource =
  /** `context` absent: the file's current one. */
  | { readonly kind: "file"; readonly file: string; readonly context?: string }
  /** A pod's service account; `root` is in front of the usual paths. */
  | { readonly kind: "in-cluster"; readonly root?: string };

export interface KubeConfigOptions {
  readonly source: KubeConfigSource;
  readonly clock: Clock;
  readonly log: Log;
}

/** Files and credential plugins are asked again when what they said is older. */
const freshMs = 60_000;
/** A credential plugin that takes longer has failed; it may ask a person who is not there. */
const loginTimeoutMs = 30_000;

/** Logs in as kubeconfig files and service accounts say. What cannot be read any more leaves the last login in use. */
export function createKubeConfigAccess({ source, clock, log }: KubeConfigOptions): KubeAccess {
  let config: { readonly text: string; readonly read: KubeConfig } | undefined;
  let last: { readonly login: KubeLogin; readonly atMs: number } | undefined;
  let refreshing: Promise<KubeLogin> | undefined;
  let stale = false;

  const refresh = async (): Promise<KubeLogin> => {
    try {
      const text = source.kind === "file" ? await readFile(source.file, "utf8") : "";
      // An unchanged one keeps what its credential plugin gave until that expires.
      if (config === undefined || config.text !== text || stale) config = { text, read: await load(source, text) };
      const login = await within(loginTimeoutMs, clock, loginOf(config.read, source));
      stale = false;
      last = { login, atMs: clock.monotonic() };
      return login;
    } catch (cause) {
      if (last === undefined) throw accessError(source, cause);
      log.warn(
        { err: cause, from: nameOf(source) },
        "cannot read the Kubernetes login anew, the last one stays in use",
      );
      last = { ...last, atMs: clock.monotonic() };
      return last.login;
    }
  };

  return {
    login: async () => {
      if (last !== undefined && !stale && clock.monotonic() - last.atMs < freshMs) return last.login;
      refreshing ??= refresh().finally(() => {
        refreshing = undefined;
      });
      return refreshing;
    },
    refused: () => {
      stale = true;
    },
  };
}

/** The base URL of the API server, without a login; undefined where nothing says it. */
export async function serverIn(source: KubeConfigSource): Promise<string | undefined> {
  try {
    const text = source.kind === "file" ? await readFile(source.file, "utf8") : "";
    return (await load(source, text)).getCurrentCluster()?.server;
  } catch {
    return undefined;
  }
}

async function load(source: KubeConfigSource, text: string): Promise<KubeConfig> {
  // The package as a whole costs seconds and megabytes that only those pay who have a cluster.
  const { KubeConfig } = await import("@kubernetes/client-node/dist/config.js");
  const config = new KubeConfig();
  if (source.kind === "in-cluster") {
    config.loadFromCluster(source.root);
    if (config.getCurrentCluster()?.server.includes("undefined") !== false) {
      throw new Error("KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set");
    }
    return config;
  }
  const folder = dirname(resolve(source.file));
  config.loadFromString(text);
  config.makePathsAbsolute(folder);
  readTokenFiles(config, text, folder);
  if (source.context !== undefined) config.setCurrentContext(source.context);
  return config;
}

/** `tokenFile`, which the package overlooks. */
function readTokenFiles(config: KubeConfig, text: string, folder: string): void {
  const { users = [] } = parse(text) as {
    readonly users?: readonly { readonly name?: string; readonly user?: { readonly tokenFile?: unknown } }[];
  };
  for (const { name, user } of users) {
    const found = config.users.find((one) => one.name === name);
    if (found === undefined || typeof user?.tokenFile !== "string") continue;
    Object.assign(found, {
      token: undefined,
      authProvider: { name: "tokenFile", config: { tokenFile: resolve(folder, user.tokenFile) } },
    });
  }
}

async function loginOf(config: KubeConfig, source: KubeConfigSource): Promise<KubeLogin> {
  const cluster = config.getCurrentCluster();
  if (cluster === null) {
    const names = config.getContexts().map(({ name }) => name);
    throw new Error(
      `the context ${JSON.stringify(config.getCurrentContext() ?? "")} leads to no cluster; it has ${names.join(", ") || "none"}`,
    );
  }
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  const { ca, cert, key, rejectUnauthorized, servername, auth, headers = {}, agent } = options;
  const texts = Object.entries(headers).map(([name, value]) => [name, String(value).trim()]);
  return {
    server: cluster.server,
    user: source.kind === "in-cluster" ? "the pod's service account" : (config.getCurrentUser()?.name ?? "nobody"),
    headers: {
      ...(auth && { Authorization: `Basic ${Buffer.from(auth).toString("base64")}` }),
      ...Object.fromEntries(texts),
    },
    tls: {
      ...(ca !== undefined && { ca }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
      ...(rejectUnauthorized !== undefined && { rejectUnauthorized }),
      ...(servername !== undefined && { servername }),
    },
    ...(cluster.proxyUrl && typeof agent === "object" && { agent }),
  };
}

function within<T>(limitMs: number, clock: Clock, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(limitMs, () =>
      reject(new Error(`the credential command gave no answer within ${limitMs / 1_000} s`)),
    );
    work.then(resolve, reject).finally(cancel);
  });
}

const nameOf = (source: KubeConfigSource): string =>
  source.kind === "file" ? source.file : "the pod's service account";

function accessError(source: KubeConfigSource, cause: unknown): MeshError {
  const reason = cause instanceof Error ? cause.message.trim() : String(cause);
  return new MeshError("kubernetes/access", `cannot log in to Kubernetes with ${nameOf(source)}: ${reason}`, {
    hint:
      source.kind === "file"
        ? "Try `kubectl get services` with the same file and context."
        : "Run in a pod with a service account, or name a kubeconfig file.",
    cause,
  });
}
