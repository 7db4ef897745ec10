import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { Clock } from "../base/clock.ts";
import type { KubeAccess, KubeLogin } from "./access.ts";
import { failureOf, KubeFailure } from "./failure.ts";
import type { KubeObject } from "./reflector.ts";

export interface KubeClientOptions {
  readonly access: KubeAccess;
  readonly clock: Clock;
  /** `fairway/1.2.3`. */
  readonly userAgent: string;
  readonly limits?: Partial<KubeLimits>;
}

export interface KubeLimits {
  /** Until an answer has begun; of a watch, too. */
  readonly answerMs: number;
  /** Until it has ended, where it is not a stream. */
  readonly completeMs: number;
  /** Bytes of one answer that is not a stream. */
  readonly maxBodyBytes: number;
  /** Bytes of an error's text that are read. */
  readonly maxErrorBytes: number;
  /** Open at a time; each watch has one of its own. */
  readonly maxConnections: number;
  /** Unused ones that are kept. */
  readonly maxIdleConnections: number;
  /** A connection on which nothing goes by is probed after so long. */
  readonly keepAliveMs: number;
}

const mebibyte = 1024 * 1024;

export const defaultKubeLimits: KubeLimits = {
  answerMs: 30_000,
  completeMs: 120_000,
  maxBodyBytes: 128 * mebibyte,
  maxErrorBytes: 64 * 1024,
  maxConnections: 64,
  maxIdleConnections: 4,
  keepAliveMs: 30_000,
};

export type Query = Readonly<Record<string, string>>;

export interface KubeRequest {
  /** Default `GET`. */
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** `/api/v1/namespaces/shop/pods`. */
  readonly path: string;
  readonly query?: Query;
  /** Plain JSON. */
  readonly body?: unknown;
  /** Default `application/json`; what a `PATCH` means is said here. */
  readonly contentType?: string;
  readonly signal?: AbortSignal;
}

/** Every failure is a KubeFailure, but that of an aborted `signal`. */
export interface KubeClient {
  /** The whole answer. */
  readonly send: (request: KubeRequest) => Promise<KubeObject>;
  /** An answer without an end: resolves when it has begun. Whoever stops reading closes its connection. */
  readonly stream: (request: KubeRequest) => Promise<AsyncIterable<Buffer>>;
  /** Calls `listener` when the server answers again after it had not, until the returned function is called. */
  readonly onReturn: (listener: () => void) => () => void;
  /** Closes every connection. */
  readonly close: () => void;
}

export function createKubeClient({ access, clock, userAgent, limits: given }: KubeClientOptions): KubeClient {
  const limits = { ...defaultKubeLimits, ...given };
  const pool = {
    keepAlive: true,
    maxSockets: limits.maxConnections,
    maxFreeSockets: limits.maxIdleConnections,
    scheduling: "lifo",
  } as const;
  const agents = { "http:": new HttpAgent(pool), "https:": new HttpsAgent(pool) };

  const returnListeners = new Set<() => void>();
  let isAway = false;

  const cameBack = (): void => {
    isAway = false;
    for (const listener of [...returnListeners]) listener();
  };

  /** One attempt with one login: what the server says, whatever it is. */
  const attempt = (login: KubeLogin, asked: KubeRequest, signal: AbortSignal): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const url = urlOf(login, asked);
      const body = asked.body === undefined ? undefined : Buffer.from(JSON.stringify(asked.body));
      const isPlain = url.protocol === "http:";
      const request = (isPlain ? httpRequest : httpsRequest)(url, {
        method: asked.method ?? "GET",
        agent: login.agent ?? agents[isPlain ? "http:" : "https:"],
        signal,
        headers: {
          Accept: "application/json",
          "User-Agent": userAgent,
          ...(body && { "Content-Type": asked.contentType ?? "application/json", "Content-Length": body.length }),
          ...login.headers,
        },
        ...(isPlain ? {} : login.tls),
      });
      request.setSocketKeepAlive(true, limits.keepAliveMs);
      request.once("response", resolve).once("error", reject).end(body);
    });

  const open = async (asked: KubeRequest, signal: AbortSignal): Promise<IncomingMessage> => {
    for (let renewed = false; ; renewed = true) {
      const login = await access.login();
      const what = describe(asked, login);
      const answer = await attempt(login, asked, signal).catch((cause: unknown) => {
        isAway ||= asked.signal?.aborted !== true;
        throw signal.aborted ? signal.reason : unreachable(what, cause);
      });
      if (isAway) cameBack();
      const { statusCode: status = 0 } = answer;
      if (status >= 200 && status < 300) return answer;
      const text = (await bodyOf(answer, limits.maxErrorBytes, what, signal)).toString("utf8");
      if (status === 401) access.refused();
      if (status === 401 && !renewed) continue;
      throw failureOf(what, { status, body: parsed(text) ?? text, retryAfter: answer.headers["retry-after"] });
    }
  };

  /** Runs `work` with a signal that follows that of the request, and the time that it may take. */
  const bounded = async <T>(asked: KubeRequest, limitMs: number, work: (signal: AbortSignal) => Promise<T>) => {
    const late = new AbortController();
    const cancel = clock.after(limitMs, () =>
      late.abort(new KubeFailure("unreachable", `${asked.path} gave no answer within ${limitMs / 1_000} s`)),
    );
    try {
      return await work(asked.signal === undefined ? late.signal : AbortSignal.any([asked.signal, late.signal]));
    } finally {
      cancel();
    }
  };

  return {
    send: (asked) =>
      bounded(asked, limits.completeMs, async (signal) => {
        const answer = await open(asked, signal);
        const text = (await bodyOf(answer, limits.maxBodyBytes, asked.path, signal)).toString("utf8");
        const object = parsed(text);
        if (typeof object === "object" && object !== null) return object as KubeObject;
        throw new KubeFailure("broken", `${asked.path} was answered with what is no JSON object`);
      }),
    stream: (asked) => bounded(asked, limits.answerMs, (signal) => open(asked, signal)),
    onReturn: (listener) => {
      returnListeners.add(listener);
      return () => returnListeners.delete(listener);
    },
    close: () => {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}

function urlOf({ server }: KubeLogin, { path, query = {} }: KubeRequest): URL {
  const url = new URL(`${server.replace(/\/$/, "")}${path}`);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url;
}

const describe = ({ method = "GET", path }: KubeRequest, { server, user }: KubeLogin): string =>
  `${method} ${path} at ${server} as ${user}`;

async function bodyOf(answer: IncomingMessage, maxBytes: number, what: string, signal: AbortSignal): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw new KubeFailure("too-large", `${what} was answered with more than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    throw cause instanceof KubeFailure ? cause : new KubeFailure("cut", `the answer to ${what} broke off`, { cause });
  }
  return Buffer.concat(chunks);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unreachable(what: string, cause: unknown): KubeFailure {
  const reason =
    cause instanceof Error ? cause.message || String((cause as NodeJS.ErrnoException).code) : String(cause);
  return new KubeFailure("unreachable", `${what} got no answer: ${reason}`, { cause });
}
