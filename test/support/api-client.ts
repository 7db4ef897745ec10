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
  readonly json: (path: string) => Promise<unknown>;
  /** `body`: text as it is, or a value as JSON. */
  readonly put: (path: string, body: unknown, type?: string) => Promise<ApiAnswer>;
  readonly post: (path: string, body?: unknown, type?: string) => Promise<ApiAnswer>;
}

export interface ApiClientOptions {
  readonly url: string;
  /** Read at each request: the server makes it when it starts. */
  readonly tokenFile?: string;
}

export function createApiClient({ url, tokenFile }: ApiClientOptions): ApiClient {
  const authorization = (): Record<string, string> =>
    tokenFile === undefined || !existsSync(tokenFile)
      ? {}
      : { authorization: `Bearer ${readFileSync(tokenFile, "utf8").trim()}` };

  const send: ApiClient["send"] = async (method, path, init = {}) => {
    const headers = new Headers(init.headers);
    for (const [name, value] of Object.entries(authorization())) if (!headers.has(name)) headers.set(name, value);
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
    json: async (path) => {
      const { status, text } = await send("GET", path);
      if (status < 200 || status > 299) throw new Error(`GET ${path}: ${status} ${text}`);
      return JSON.parse(text);
    },
    put: withBody("PUT"),
    post: withBody("POST"),
  };
}
