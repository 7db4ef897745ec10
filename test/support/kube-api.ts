import { type RequestOptions, request } from "node:https";
import { text } from "node:stream/consumers";

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

/** What a path lists, and the version of the whole: where a watch goes on. */
export interface KubeList {
  readonly version: string;
  readonly items: readonly KubeObject[];
}

/** A client for tests, as one user: it hides nothing and tries nothing again. All but `send` reject when the answer is not a 2xx. */
export interface KubeApi {
  readonly send: (method: string, path: string, body?: unknown, type?: string) => Promise<KubeAnswer>;
  readonly get: <T = KubeObject>(path: string) => Promise<T>;
  readonly list: (path: string) => Promise<KubeList>;
  readonly create: (object: KubeObject) => Promise<KubeObject>;
  /** Writes the whole object again. */
  readonly replace: (object: KubeObject) => Promise<void>;
  /** Makes it or changes it, as `kubectl apply --server-side` does. */
  readonly apply: (object: KubeObject) => Promise<void>;
  /** A merge patch (RFC 7386); `subresource`: for example `status`. */
  readonly patch: (which: KubeReference, patch: object, subresource?: string) => Promise<void>;
  /** `graceSeconds` 0: at once, without waiting for who would have to confirm; `uid`: only this one of the name. */
  readonly remove: (
    which: KubeReference,
    options?: { readonly graceSeconds?: number; readonly uid?: string },
  ) => Promise<void>;
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
      const said = body === undefined ? "" : JSON.stringify(body);
      // Node by itself does not say that a DELETE has a body.
      sent.setHeader("content-length", Buffer.byteLength(said));
      sent.on("error", reject);
      sent.on("response", (response) => {
        text(response).then((heard) => resolve({ status: response.statusCode ?? 0, body: parse(heard) }), reject);
      });
      sent.end(said);
    });

  const must = async (...[method, path, ...rest]: Parameters<KubeApi["send"]>): Promise<unknown> => {
    const { status, body } = await send(method, path, ...rest);
    if (status < 200 || status > 299) throw new Error(`${method} ${path}: ${status} ${messageOf(body)}`);
    return body;
  };

  return {
    send,
    get: (path) => must("GET", path) as Promise<never>,
    list: async (path) => listOf((await must("GET", path)) as ListOnWire),
    create: (object) => must("POST", collectionOf(object), object) as Promise<KubeObject>,
    replace: async (object) => {
      await must("PUT", pathOf(object), object);
    },
    apply: async (object) => {
      const path = `${pathOf(object)}?fieldManager=test&force=true`;
      await must("PATCH", path, object, "application/apply-patch+yaml");
    },
    patch: async (which, patch, subresource) => {
      const path = [pathOf(which), ...(subresource === undefined ? [] : [subresource])].join("/");
      await must("PATCH", path, patch, "application/merge-patch+json");
    },
    remove: async (which, { graceSeconds, uid } = {}) => {
      await must("DELETE", pathOf(which), {
        ...{ apiVersion: "v1", kind: "DeleteOptions" },
        ...(graceSeconds !== undefined && { gracePeriodSeconds: graceSeconds }),
        ...(uid !== undefined && { preconditions: { uid } }),
      });
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

interface ListOnWire extends Pick<KubeObject, "apiVersion" | "kind"> {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly Omit<KubeObject, "apiVersion" | "kind">[];
}

/** What is listed does not say its kind: the list says it, once. */
const listOf = ({ apiVersion, kind, metadata, items }: ListOnWire): KubeList => ({
  version: metadata.resourceVersion,
  items: items.map((item) => ({ ...item, apiVersion, kind: kind.replace(/List$/, "") }) as KubeObject),
});

const parse = (heard: string): unknown => {
  try {
    return JSON.parse(heard);
  } catch {
    return heard;
  }
};

const messageOf = (body: unknown): string =>
  typeof body === "object" && body !== null && "message" in body ? String(body.message) : JSON.stringify(body);
