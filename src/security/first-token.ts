import { dirname, join } from "node:path";
import { MeshError } from "../base/errors.ts";
import type { HostPort } from "../base/host-port.ts";
import type { Log } from "../base/log.ts";
import { makePrivateFolder, readPrivateFile, writePrivateFile } from "../base/private-file.ts";
import { tokenFileOf } from "../base/token-file.ts";
import type { Tokens } from "./tokens.ts";

export interface FirstTokenOptions {
  readonly tokens: Pick<Tokens, "create" | "isEmpty" | "verify">;
  /** Holds the database; the token is kept beside it. Absent, for tokens that end with the server: it is published only. */
  readonly dataFolder?: string;
  /** The configuration folder of the user who runs the server; absent: the token is not published. */
  readonly configFolder?: string;
  /** Where the API listens, with its real port; `loopback`: no other machine can reach it. */
  readonly api: HostPort & { readonly loopback: boolean };
  readonly log: Log;
}

/** Where this machine's user finds a token. */
export interface FirstToken {
  /** In the data folder. */
  readonly file?: string;
  /** Where the command line finds it by itself; absent when it could not be written. */
  readonly published?: string;
}

const firstTokenName = "first";
const maxFileBytes = 1_024;

/**
 * Lets the user who starts a server use it at once: where there was never a token, and the API is on loopback, an admin token
 * is made and kept in the data folder; while it is kept there and valid, it is published under the address of the API.
 */
export async function provideFirstToken(options: FirstTokenOptions): Promise<FirstToken | undefined> {
  const { tokens, dataFolder, api, log } = options;
  const file = dataFolder === undefined ? undefined : join(dataFolder, "token");
  let made: string | undefined;
  if (await tokens.isEmpty()) {
    if (!api.loopback) {
      const command = `fairway token create --data ${dataFolder ?? "DIR"}`;
      log.warn({ command }, "there is no token yet, so nobody can use the API; make one with this command");
      return undefined;
    }
    made = await makeFirst(options, file);
  }
  if (!api.loopback) return undefined;
  const text = file === undefined ? made : await keptToken(options, file);
  if (text === undefined) return undefined;
  const published = await publish(options, text);
  return { ...(file !== undefined && { file }), ...(published !== undefined && { published }) };
}

async function makeFirst({ tokens, log }: FirstTokenOptions, file: string | undefined): Promise<string | undefined> {
  // Kept before it counts: a token that counts and that nobody has would keep a next one from being made.
  const keep = async (text: string): Promise<void> => {
    if (file !== undefined) await writePrivateFile(file, `${text}\n`).catch((cause) => cannotKeep(file, cause));
  };
  const creation = await tokens.create({ name: firstTokenName, role: "admin" }, "fairway", keep);
  log.info({ token: firstTokenName, role: "admin", ...(file !== undefined && { file }) }, "made the first token");
  return creation.kind === "created" ? creation.text : undefined;
}

function cannotKeep(file: string, cause: unknown): never {
  throw new MeshError("store/failed", `cannot write the first token to ${file}: ${reasonOf(cause)}`, {
    hint: "Make the data folder writable, or name another one with --data.",
    cause,
  });
}

async function keptToken({ tokens, log }: FirstTokenOptions, file: string): Promise<string | undefined> {
  try {
    const text = (await readPrivateFile(file, maxFileBytes))?.trim();
    if (text === undefined) return undefined;
    const verdict = await tokens.verify(text);
    if (verdict.kind === "valid") return text;
    log.warn({ file, reason: verdict.reason }, "the token in the data folder is not valid; remove the file");
  } catch (cause) {
    log.warn({ file, reason: reasonOf(cause) }, "cannot use the token in the data folder");
  }
  return undefined;
}

async function publish({ configFolder, api, log }: FirstTokenOptions, text: string): Promise<string | undefined> {
  if (configFolder === undefined) return undefined;
  const file = tokenFileOf(configFolder, api.host, api.port);
  try {
    await makePrivateFolder(dirname(file));
    await writePrivateFile(file, `${text}\n`);
    return file;
  } catch (cause) {
    log.warn({ file, reason: reasonOf(cause) }, "cannot publish the token for the command line");
    return undefined;
  }
}

const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
