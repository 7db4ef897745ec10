import { type Decoder, decode } from "../base/decode.ts";
import { MeshError } from "../base/errors.ts";
import type { SourceTexts } from "./findings-text.ts";
import { problemDecoder, ServerRefusal } from "./refusal.ts";
import type { Server } from "./server.ts";

export interface Request {
  /** Default GET. */
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
  /** Below the server's root; its segments are encoded: see `pathOf`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  /** Default `application/json`. */
  readonly accept?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** May be sent again when the connection is cut; default: GET may. */
  readonly repeatable?: boolean;
  /** For one answer, from the first to the last byte; default 10 s. */
  readonly withinMs?: number;
  /** What the body was made of, for the lines that problems point at. */
  readonly texts?: SourceTexts;
}

export interface Answer {
  readonly headers: Headers;
  readonly body: string;
}

const limits = { answerMs: 10_000, answerBytes: 64 * 1024 * 1024 } as const;

/** `api/v1/…` with each segment encoded. */
export const pathOf = (...segments: readonly string[]): string =>
  ["api", "v1", ...segments.map(encodeURIComponent)].join("/");

/** The text of a good answer. Throws `ServerRefusal` when the server says no, `server/unreachable` when nobody answers. */
export async function ask(server: Server, request: Request): Promise<Answer> {
  const repeatable = request.repeatable ?? (request.method ?? "GET") === "GET";
  const { status, headers, body } = await server
    .patiently(
      attempt(server, request).catch((cause: unknown) => {
        if (repeatable && isCut(cause) && !server.signal.aborted) return attempt(server, request);
        throw cause;
      }),
    )
    .catch((cause: unknown) => {
      throw unreachable(server, cause, request.withinMs);
    });
  if (status >= 200 && status < 300) return { headers, body };
  throw refusalOf(server, status, body, request.texts);
}

/** A good answer as plain data, and as far as the command reads it. */
export async function askJson<T>(
  server: Server,
  request: Request,
  decoder: Decoder<T>,
): Promise<{ readonly raw: unknown; readonly value: T }> {
  const { body } = await ask(server, request);
  const raw = parseJson(body);
  if (raw === undefined) throw notFairway(server, "It answered with status 200.");
  const decoded = decode(decoder, raw);
  if (!decoded.ok) throw notFairway(server, decoded.problems[0]?.message ?? "");
  return { raw, value: decoded.value };
}

/** The answer's head and its body still to come; for streams. Throws as `ask` does. */
export async function openStream(server: Server, request: Request, signal: AbortSignal): Promise<Response> {
  const response = await send(server, request, signal).catch((cause: unknown) => {
    throw unreachable(server, cause);
  });
  if (response.ok) return response;
  const body = await boundedText(response).catch((cause: unknown) => {
    throw unreachable(server, cause);
  });
  throw refusalOf(server, response.status, body, undefined);
}

async function attempt(server: Server, request: Request) {
  const timeout = AbortSignal.timeout(request.withinMs ?? limits.answerMs);
  const response = await send(server, request, AbortSignal.any([server.signal, timeout]));
  return { status: response.status, headers: response.headers, body: await boundedText(response) };
}

function send(server: Server, request: Request, signal: AbortSignal): Promise<Response> {
  const url = new URL(request.path, server.url);
  for (const [name, value] of Object.entries(request.query ?? {})) {
    if (value !== undefined) url.searchParams.set(name, value);
  }
  return fetch(url, {
    method: request.method ?? "GET",
    signal,
    redirect: "error",
    headers: {
      accept: request.accept ?? "application/json",
      ...(server.token !== undefined && { authorization: `Bearer ${server.token}` }),
      ...(request.body !== undefined && { "content-type": "application/json" }),
      ...request.headers,
    },
    ...(request.body !== undefined && { body: JSON.stringify(request.body) }),
  });
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

export function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function refusalOf(server: Server, status: number, body: string, texts: SourceTexts | undefined): MeshError {
  const decoded = decode(problemDecoder, parseJson(body));
  // Others have problem documents, too; those of ours always have a code.
  const isOurs = decoded.ok && (status !== 404 || decoded.value.code !== undefined);
  if (!isOurs) return notFairway(server, `It answered with status ${status}.`);
  return new ServerRefusal(status, decoded.value, texts);
}

function unreachable({ url }: Server, cause: unknown, withinMs: number = limits.answerMs): MeshError {
  return new MeshError("server/unreachable", `cannot reach the server at ${url.origin}: ${reasonOf(cause, withinMs)}`, {
    hint: "Start one with `fairway serve` or `fairway dev`, or name another one with --server.",
    cause,
  });
}

const cut = "the connection was cut";

const reasons: ReadonlyMap<string, string> = new Map([
  ["ECONNREFUSED", "nothing listens there"],
  ["ECONNRESET", cut],
  ["EPIPE", cut],
  ["UND_ERR_SOCKET", cut],
  ["ENOTFOUND", "no such host"],
  ["EHOSTUNREACH", "no way to that host"],
  ["ETIMEDOUT", "no answer"],
  ["UND_ERR_CONNECT_TIMEOUT", "no answer"],
]);

const isCut = (cause: unknown): boolean => reasonOf(cause, 0) === cut;

/** What fetch hides inside its "fetch failed". */
export function reasonOf(cause: unknown, withinMs: number): string {
  if (!(cause instanceof Error)) return String(cause);
  if (cause.name === "TimeoutError") return `no answer within ${withinMs / 1_000} s`;
  if (cause.name === "AbortError") return "interrupted";
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : undefined;
  const known = code === undefined ? undefined : reasons.get(code);
  if (known !== undefined) return known;
  return cause.cause === undefined ? cause.message : reasonOf(cause.cause, withinMs);
}

export function notFairway({ url }: Server, found: string): MeshError {
  return new MeshError(
    "server/unreachable",
    `what listens at ${url.origin} does not answer as Fairway's API. ${found}`,
    { hint: "Is the address that of the API (port 15080), and are client and server of about the same version?" },
  );
}
