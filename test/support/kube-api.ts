import { type RequestOptions, request } from "node:https";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";

export interface KubeUser {
  readonly name: string;
  readonly token: string;
}

/** Where an API server is, and what proves that it is the one. */
export interface KubeServer {
  readonly url: string;
  /** The path of a file with certificates. */
  readonly caFile: string;
  readonly ca: () => string;
}

/** An object of Kubernetes as it is on the wire. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: KubeMetadata;
  readonly [field: string]: unknown;
}

export interface KubeMetadata {
  readonly name: string;
  readonly namespace?: string;
  readonly resourceVersion?: string;
  readonly deletionTimestamp?: string;
  readonly [field: string]: unknown;
}

/** Which object; `namespace` only of what has one. */
export type KubeReference = Pick<KubeObject, "apiVersion" | "kind"> & {
  readonly metadata: Pick<KubeMetadata, "name" | "namespace">;
};

export interface KubeAnswer {
  readonly status: number;
  readonly body: unknown;
}

export interface KubeEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: KubeObject;
}

/** A client for tests, as one user: it hides nothing and tries nothing again. All but `send` reject when the answer is not a 2xx. */
export interface KubeApi {
  readonly send: (method: string, path: string, body?: unknown, type?: string) => Promise<KubeAnswer>;
  readonly get: <T extends KubeObject>(path: string) => Promise<T>;
  readonly list: (path: string) => Promise<readonly KubeObject[]>;
  readonly create: <T extends KubeObject>(object: KubeObject) => Promise<T>;
  /** Writes the whole object again. */
  readonly replace: (object: KubeObject) => Promise<void>;
  /** A merge patch (RFC 7386); `subresource`: for example `status`. */
  readonly patch: (which: KubeReference, patch: object, subresource?: string) => Promise<void>;
  /** `graceSeconds` 0: at once, without waiting for who would have to confirm. */
  readonly remove: (which: KubeReference, options?: { readonly graceSeconds?: number }) => Promise<void>;
  /** Hears each event after this version; ends with the server's end of it, and rejects with what broke it. */
  readonly watch: (
    path: string,
    since: string,
    onEvent: (event: KubeEvent) => void,
    signal: AbortSignal,
  ) => Promise<void>;
}

const timeoutMs = 20_000;

/** `/api/v1/namespaces/shop/services/reviews`, of any kind that the tests use. */
export function pathOf({ apiVersion, kind, metadata: { namespace, name } }: KubeReference): string {
  return `${collectionOf({ apiVersion, kind, metadata: namespace === undefined ? {} : { namespace } })}/${name}`;
}

function collectionOf({
  apiVersion,
  kind,
  metadata: { namespace },
}: Pick<KubeReference, "apiVersion" | "kind"> & { readonly metadata: { readonly namespace?: string } }): string {
  const base = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const singular = kind.toLowerCase();
  const plural = singular.endsWith("s") ? singular : `${singular}s`;
  return `${base}${namespace === undefined ? "" : `/namespaces/${namespace}`}/${plural}`;
}

export function createKubeApi({ url, ca }: KubeServer, { token }: KubeUser): KubeApi {
  const options = (method: string, type: string): RequestOptions => ({
    ...{ method, ca: ca(), agent: false },
    headers: { authorization: `Bearer ${token}`, accept: "application/json", "content-type": type },
  });

  const send: KubeApi["send"] = (method, path, body, type = "application/json") =>
    new Promise((resolve, reject) => {
      const sent = request(new URL(path, url), { ...options(method, type), signal: AbortSignal.timeout(timeoutMs) });
      sent.on("error", reject);
      sent.on("response", (response) => {
        text(response).then((said) => resolve({ status: response.statusCode ?? 0, body: parse(said) }), reject);
      });
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });

  const must = async (...[method, path, ...rest]: Parameters<KubeApi["send"]>): Promise<unknown> => {
    const { status, body } = await send(method, path, ...rest);
    if (status < 200 || status > 299) throw new Error(`${method} ${path}: ${status} ${messageOf(body)}`);
    return body;
  };

  return {
    send,
    get: (path) => must("GET", path) as Promise<never>,
    list: async (path) => ((await must("GET", path)) as { readonly items: readonly KubeObject[] }).items,
    create: (object) => must("POST", collectionOf(object), object) as Promise<never>,
    replace: async (object) => {
      await must("PUT", pathOf(object), object);
    },
    patch: async (which, patch, subresource) => {
      const path = [pathOf(which), ...(subresource === undefined ? [] : [subresource])].join("/");
      await must("PATCH", path, patch, "application/merge-patch+json");
    },
    remove: async (which, { graceSeconds } = {}) => {
      const query = graceSeconds === undefined ? "" : `?gracePeriodSeconds=${graceSeconds}`;
      await must("DELETE", `${pathOf(which)}${query}`);
    },
    watch: (path, since, onEvent, signal) =>
      new Promise((resolve, reject) => {
        const query = `watch=true&resourceVersion=${since}`;
        const address = new URL(`${path}${path.includes("?") ? "&" : "?"}${query}`, url);
        const sent = request(address, { ...options("GET", "application/json"), signal });
        sent.on("error", reject);
        sent.on("response", (response) => {
          let rest = "";
          response.setEncoding("utf8");
          response.on("data", (part: string) => {
            const lines = (rest + part).split("\n");
            rest = lines.pop() ?? "";
            for (const line of lines) onEvent(JSON.parse(line));
          });
          response.on("end", resolve);
          response.on("error", reject);
        });
        sent.end();
      }),
  };
}

const parse = (said: string): unknown => {
  try {
    return JSON.parse(said);
  } catch {
    return said;
  }
};

const messageOf = (body: unknown): string =>
  typeof body === "object" && body !== null && "message" in body ? String(body.message) : JSON.stringify(body);

const pauseMs = 200;

/** Keeps what a path lists, through outages, and tells of each object as it is now; undefined: it is gone. Returns its end. */
export function follow(
  api: KubeApi,
  path: string,
  onChange: (name: string, object: KubeObject | undefined) => void,
): () => Promise<void> {
  const ended = new AbortController();
  const known = new Set<string>();
  const nameOf = ({ metadata: { namespace = "", name } }: KubeObject): string => `${namespace}/${name}`;
  const tell = (object: KubeObject, isGone = false): void => {
    const name = nameOf(object);
    if (isGone) known.delete(name);
    else known.add(name);
    onChange(name, isGone ? undefined : object);
  };
  const round = async (): Promise<void> => {
    const { items, metadata } = (await api.get(path)) as unknown as {
      readonly items: readonly KubeObject[];
      readonly metadata: { readonly resourceVersion: string };
    };
    const there = new Set(items.map(nameOf));
    for (const name of known) {
      if (there.has(name)) continue;
      known.delete(name);
      onChange(name, undefined);
    }
    for (const item of items) tell(item);
    const hear = ({ type, object }: KubeEvent): void => {
      if (type === "ADDED" || type === "MODIFIED" || type === "DELETED") tell(object, type === "DELETED");
    };
    await api.watch(path, metadata.resourceVersion, hear, ended.signal);
  };
  const rounds = (async () => {
    while (!ended.signal.aborted) {
      await round().catch(() => delay(pauseMs));
    }
  })();
  return () => {
    ended.abort();
    return rounds;
  };
}
