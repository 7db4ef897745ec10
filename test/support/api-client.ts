import { existsSync, readFileSync } from "node:fs";

export interface ApiAnswer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

/** A client of the HTTP API that knows nothing of it but how to send a token. */
export interface ApiClient {
  readonly send: (method: string, path: string, init?: RequestInit) => Promise<ApiAnswer>;
  readonly get: (path: string, headers?: Record<string, string>) => Promise<ApiAnswer>;
  /** The body of an answer that must be a 2xx. */
  readonly json: <T = unknown>(path: string) => Promise<T>;
  /** `body`: text as it is, or a value as JSON. */
  readonly put: (path: string, body: unknown, type?: string) => Promise<ApiAnswer>;
  readonly post: (path: string, body?: unknown, type?: string) => Promise<ApiAnswer>;
  readonly remove: (path: string) => Promise<ApiAnswer>;
}

export interface ApiClientOptions {
  readonly url: string;
  readonly token?: string;
  /** In place of `token`; read at each request: the server makes it when it starts. */
  readonly tokenFile?: string;
}

export function createApiClient({ url, token, tokenFile }: ApiClientOptions): ApiClient {
  const tokenNow = (): string | undefined =>
    token ?? (tokenFile === undefined || !existsSync(tokenFile) ? undefined : readFileSync(tokenFile, "utf8").trim());

  const send: ApiClient["send"] = async (method, path, init = {}) => {
    const headers = new Headers(init.headers);
    const text = tokenNow();
    if (text !== undefined && !headers.has("authorization")) headers.set("authorization", `Bearer ${text}`);
    const response = await fetch(new URL(path, url), { ...init, method, headers, signal: AbortSignal.timeout(20_000) });
    return { status: response.status, text: await response.text(), headers: response.headers };
  };
  const withBody =
    (method: string) =>
    (path: string, body?: unknown, type = "application/json"): Promise<ApiAnswer> =>
      send(method, path, {
        ...(body !== undefined && {
          headers: { "content-type": type },
          body: typeof body === "string" ? body : JSON.stringify(body),
        }),
      });
  return {
    send,
    get: (path, headers = {}) => send("GET", path, { headers }),
    json: async <T>(path: string) => {
      const { status, text } = await send("GET", path);
      if (status < 200 || status > 299) throw new Error(`GET ${path}: ${status} ${text}`);
      return JSON.parse(text) as T;
    },
    put: withBody("PUT"),
    post: withBody("POST"),
    remove: (path) => send("DELETE", path),
  };
}
