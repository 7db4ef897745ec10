import { type Decoder, decode, fail, failed, list, object, optional, required, text } from "../base/decode.ts";
import { MeshError } from "../base/errors.ts";
import { formatHostPort, parseHostPort } from "../base/host-port.ts";
import { type CliIo, type Flag, type FlagValues, flagValue } from "./command.ts";

export const defaultServer = "http://127.0.0.1:15080";

/** `--server` of every command that asks one. */
export const serverFlag: Flag = {
  flags: "--server <url>",
  summary: `where the server is (default: $FAIRWAY_SERVER, else ${defaultServer})`,
};

/** A running control plane, as its clients see it. */
export interface Server {
  readonly url: URL;
  readonly signal: AbortSignal;
}

const limits = {
  /** For one answer, from the first to the last byte. */
  answerMs: 10_000,
  answerBytes: 64 * 1024 * 1024,
  itemsPerPage: 500,
  pages: 1_000,
} as const;

/** Which server is meant: the flag, else the environment, else this machine. Throws `usage/invalid`. */
export function serverOf(flags: FlagValues, { env, signal }: Pick<CliIo, "env" | "signal">): Server {
  const given = flagValue(flags, "server") ?? (env["FAIRWAY_SERVER"] || defaultServer);
  const address = parseHostPort(given);
  const whole = address === undefined ? given : `http://${formatHostPort(address)}`;
  const url = URL.parse(whole.endsWith("/") ? whole : `${whole}/`);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new MeshError("usage/invalid", `${JSON.stringify(given)} is no address of a server`, {
      hint: `For example ${defaultServer}.`,
    });
  }
  return { url, signal };
}

/** An item of a list as it came, and as far as the command reads it. */
export interface Listed<T> {
  readonly raw: unknown;
  readonly item: T;
}

/** Any text; what is shown of it is made visible there. */
export const anyText: Decoder<string> = (value, site) =>
  typeof value === "string" ? value : fail(site, "invalid-type", "Expected a text.");

/** All items of a list of the API, page by page. */
export async function listAll<T>(
  server: Server,
  path: string,
  query: Readonly<Record<string, string | undefined>>,
  item: Decoder<T>,
): Promise<readonly Listed<T>[]> {
  const page = object(
    {
      items: required(list(withRaw(item), { max: limits.itemsPerPage })),
      continue: optional(text({ maxLength: 16_384 })),
    },
    { open: true },
  );
  const all: Listed<T>[] = [];
  let after: string | undefined;
  for (let pages = 0; pages < limits.pages; pages++) {
    const answer = await get(server, path, { ...query, limit: String(limits.itemsPerPage), continue: after });
    const decoded = decode(page, answer);
    if (!decoded.ok) throw notFairway(server, decoded.problems[0]?.message ?? "");
    all.push(...decoded.value.items);
    after = decoded.value.continue;
    if (after === undefined) break;
  }
  return all;
}

const withRaw =
  <T>(decoder: Decoder<T>): Decoder<Listed<T>> =>
  (raw, site) => {
    const item = decoder(raw, site);
    return item === failed ? failed : { raw, item };
  };

async function get(
  server: Server,
  path: string,
  query: Readonly<Record<string, string | undefined>>,
): Promise<unknown> {
  const url = new URL(path, server.url);
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value);
  const { status, body } = await answerOf(server, url);
  const json = parseJson(body);
  if (status === 200 && json !== undefined) return json;
  const { detail, hint } = decodedProblem(json);
  if (detail === undefined) throw notFairway(server, `It answered with status ${status}.`);
  throw new MeshError(
    status >= 500 ? "server/unreachable" : "usage/invalid",
    detail,
    hint === undefined ? {} : { hint },
  );
}

async function answerOf(server: Server, url: URL): Promise<{ readonly status: number; readonly body: string }> {
  const signal = AbortSignal.any([server.signal, AbortSignal.timeout(limits.answerMs)]);
  try {
    const response = await fetch(url, { signal, redirect: "error", headers: { accept: "application/json" } });
    return { status: response.status, body: await boundedText(response) };
  } catch (cause) {
    throw unreachable(server, cause);
  }
}

async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > limits.answerBytes) throw new Error(`the answer is larger than ${limits.answerBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

const problem = object({ detail: required(anyText), hint: optional(anyText) }, { open: true });

function decodedProblem(json: unknown): { readonly detail?: string; readonly hint?: string } {
  const decoded = decode(problem, json);
  return decoded.ok ? decoded.value : {};
}

function unreachable({ url }: Server, cause: unknown): MeshError {
  return new MeshError("server/unreachable", `cannot reach the server at ${url.origin}: ${reasonOf(cause)}`, {
    hint: "Start one with `fairway serve` or `fairway dev`, or name another one with --server.",
    cause,
  });
}

const reasons: ReadonlyMap<string, string> = new Map([
  ["ECONNREFUSED", "nothing listens there"],
  ["ECONNRESET", "the connection was cut"],
  ["UND_ERR_SOCKET", "the connection was cut"],
  ["ENOTFOUND", "no such host"],
  ["EHOSTUNREACH", "no way to that host"],
  ["ETIMEDOUT", "no answer"],
  ["UND_ERR_CONNECT_TIMEOUT", "no answer"],
]);

/** What fetch hides inside its "fetch failed". */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  if (cause.name === "TimeoutError") return `no answer within ${limits.answerMs / 1_000} s`;
  if (cause.name === "AbortError") return "interrupted";
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : undefined;
  const known = code === undefined ? undefined : reasons.get(code);
  if (known !== undefined) return known;
  return cause.cause === undefined ? cause.message : reasonOf(cause.cause);
}

function notFairway({ url }: Server, found: string): MeshError {
  return new MeshError(
    "server/unreachable",
    `what listens at ${url.origin} does not answer as Fairway's API. ${found}`,
    {
      hint: "Is the address that of the API (port 15080), and are client and server of about the same version?",
    },
  );
}
