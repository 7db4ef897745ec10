import { lstat, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { MeshError } from "../base/errors.ts";
import { tokenFileOf } from "../base/token-file.ts";
import { type CliIo, type Flag, type FlagValues, flagValue, isSet } from "./command.ts";
import { configFolderOf, contextsFileOf } from "./config-folder.ts";
import { type Context, contextNamed, expectPrivate, noContexts, readContexts } from "./contexts-file.ts";
import { patiently } from "./progress.ts";
import { isLoopback, portOf, serverUrl } from "./server-url.ts";

export const defaultServer = "http://127.0.0.1:15080";

/** Of every command that asks a server. */
export const serverFlags: readonly Flag[] = [
  {
    flags: "--server <url>",
    summary: `where the server is (default: $FAIRWAY_SERVER, else the context's, else ${defaultServer})`,
  },
  {
    flags: "--token <token>",
    summary: "who you are (default: $FAIRWAY_TOKEN, else the context's, else that of a server on this machine)",
  },
  { flags: "--context <name>", summary: "the server, token and namespace to use (`fairway context list`)" },
];

export const namespaceFlag: Flag = {
  flags: "-n, --namespace <name>",
  summary: "the namespace (default: $FAIRWAY_NAMESPACE, else the context's, else default)",
};
export const allNamespacesFlag: Flag = { flags: "-A, --all-namespaces", summary: "all namespaces" };

/** A running control plane, as its clients see it. */
export interface Server {
  readonly url: URL;
  readonly token?: string;
  /** The one that is meant where nothing else is said; undefined: no particular one. */
  readonly namespace?: string;
  readonly signal: AbortSignal;
  /** Waits for an answer, and says so when it takes long. */
  readonly patiently: <T>(work: Promise<T>) => Promise<T>;
}

/** Which server is meant, by whom: flags, else the environment, else the context, else this machine. Throws `usage/invalid`. */
export async function serverOf(flags: FlagValues, io: CliIo): Promise<Server> {
  const { env, signal } = io;
  const file = contextsFileOf(env);
  const chosen = await chosenContext(flagValue(flags, "context"), file);
  const given = flagValue(flags, "server") ?? (env["FAIRWAY_SERVER"] || chosen?.server || defaultServer);
  const url = serverUrl(given);
  if (url === undefined) {
    throw new MeshError("usage/invalid", `${JSON.stringify(given)} is no address of a server`, {
      hint: `For example ${defaultServer}.`,
    });
  }
  // A context speaks of its own server only: its token is nobody else's to see.
  const context = chosen !== undefined && serverUrl(chosen.server)?.origin === url.origin ? chosen : undefined;
  const namespace = flagValue(flags, "namespace") ?? (env["FAIRWAY_NAMESPACE"] || context?.namespace || undefined);
  const token =
    flagValue(flags, "token") ??
    (env["FAIRWAY_TOKEN"] || (await contextToken(context, file)) || (await localToken(url, env)) || undefined);
  if (token !== undefined && url.protocol === "http:" && !isLoopback(url)) {
    io.err(`fairway: the token goes to ${url.origin} for all to read on the way; use https://\n`);
  }
  return {
    url,
    ...(token !== undefined && { token: checkedToken(token) }),
    ...(namespace !== undefined && { namespace }),
    signal,
    patiently: (work) => patiently(io, `waiting for ${url.origin}`, work),
  };
}

/** The namespace that a list is of; undefined: all. */
export const listedNamespace = ({ namespace }: Server, flags: FlagValues): string | undefined =>
  isSet(flags, "allNamespaces") ? undefined : namespace;

async function chosenContext(name: string | undefined, file: string | undefined): Promise<Context | undefined> {
  const contexts = file === undefined ? noContexts : await readContexts(file);
  const wanted = name ?? contexts.current;
  return wanted === undefined ? undefined : contextNamed(contexts, wanted, file ?? "$FAIRWAY_CONTEXTS");
}

async function contextToken(context: Context | undefined, file = ""): Promise<string | undefined> {
  if (context?.tokenFile === undefined) return context?.token;
  const named = context.tokenFile.replace(/^~(?=\/)/, homedir());
  const path = isAbsolute(named) ? named : join(dirname(file), named);
  const token = await tokenIn(path);
  if (token !== undefined) return token;
  throw new MeshError("usage/invalid", `the context ${context.name} names a token file that is not there: ${path}`);
}

/** What a server on this machine left for its own user. */
async function localToken(url: URL, env: CliIo["env"]): Promise<string | undefined> {
  const folder = configFolderOf(env);
  if (folder === undefined || !isLoopback(url)) return undefined;
  return tokenIn(tokenFileOf(folder, url.hostname.replace(/^\[|\]$/g, ""), portOf(url)));
}

async function tokenIn(path: string): Promise<string | undefined> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return undefined;
  await expectPrivate(path);
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new MeshError("usage/invalid", `cannot read the token in ${path}`, { cause });
  });
  return text.trim() || undefined;
}

function checkedToken(token: string): string {
  if (/^[\x21-\x7e]{1,512}$/.test(token)) return token;
  throw new MeshError("usage/invalid", "what was given as the token cannot be one", {
    hint: "A token is one word of at most 512 letters, digits and signs.",
  });
}
