import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { TestContext } from "vitest";
import { discovery, json, status, text } from "./fake-kube-answers.ts";

export interface FakeObject {
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly uid?: string };
  readonly [field: string]: unknown;
}

/** What was asked. `stream`: a watch that is to begin with a list; `page`: a list that goes on. */
export interface FakeRequest {
  readonly kind: "list" | "page" | "watch" | "stream" | "other";
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingMessage["headers"];
}

export type Answer = (response: ServerResponse, request: FakeRequest) => void;

/** An open watch. */
export interface FakeWatch {
  readonly request: FakeRequest;
  /** As it is, without an end of line. */
  readonly write: (text: string) => void;
  readonly event: (type: string, object: unknown) => void;
  readonly end: () => void;
  readonly reset: () => void;
}

/** What a reflector needs of an API server, in this process, with faults on command. */
export interface FakeKubeApi {
  readonly server: string;
  readonly requests: readonly FakeRequest[];
  /** Empties `requests`. */
  readonly forget: () => void;
  /** The open watches, oldest first. */
  readonly watches: () => readonly FakeWatch[];
  /** Adds or changes an object of `/api/v1/things`, or of another collection, and tells the watches. Returns its version. */
  readonly put: (object: FakeObject, collection?: string) => string;
  readonly remove: (key: string, collection?: string) => void;
  /** Tells the watches the newest version. */
  readonly bookmark: () => void;
  /** Forgets what was before: watches from an older version are answered with 410. */
  readonly compact: () => void;
  /** Continue tokens that were given are refused. */
  readonly expirePages: () => void;
  /** The next request of this kind is answered like this. */
  readonly next: (kind: FakeRequest["kind"], answer: Answer) => void;
  /** All of them, until another answer is set; undefined: as it should be. */
  readonly always: (kind: FakeRequest["kind"], answer: Answer | undefined) => void;
  /** Forgets a kind, and knows it again. Watches of it end. */
  readonly undefine: (collection: string) => void;
  readonly define: (collection: string) => void;
  /** A streamed list ends with its bookmark; without, it never does. */
  readonly endsStreams: (yes: boolean) => void;
  /** Connections that are open. */
  readonly connections: () => number;
}

const things = "/api/v1/things";

interface Stored {
  readonly key: string;
  readonly object: object;
}

interface Past {
  readonly version: number;
  readonly collection: string;
  readonly type: string;
  readonly object: object;
}

export async function startFakeKubeApi(context: Pick<TestContext, "onTestFinished">): Promise<FakeKubeApi> {
  let version = 1_000;
  let oldest = version;
  let pagesFrom = version;
  let endsStreams = true;
  let uids = 0;
  const collections = new Map<string, Map<string, Stored>>([[things, new Map()]]);
  const history: Past[] = [];
  const requests: FakeRequest[] = [];
  const watches = new Set<FakeWatch & { readonly collection: string; readonly namespace: string | undefined }>();
  const onceAnswers: { readonly kind: FakeRequest["kind"]; readonly answer: Answer }[] = [];
  const always = new Map<FakeRequest["kind"], Answer>();
  const sockets = new Set<Socket>();

  const collectionOf = (name: string): Map<string, Stored> => {
    const found = collections.get(name);
    if (found === undefined) throw new Error(`there is no collection ${name}`);
    return found;
  };

  const record = (collection: string, type: string, object: object): void => {
    history.push({ version, collection, type, object });
    for (const watch of watches)
      if (watch.collection === collection && sees(watch.namespace, object)) watch.event(type, object);
  };

  const bookmark = (listed: boolean): object => ({
    kind: "Thing",
    metadata: {
      resourceVersion: String(version),
      ...(listed && { annotations: { "k8s.io/initial-events-end": "true" } }),
    },
  });

  const watchOn = (
    request: FakeRequest,
    collection: string,
    namespace: string | undefined,
    response: ServerResponse,
  ) => {
    const from = request.query["resourceVersion"] ?? "";
    if (request.kind === "watch" && Number(from) < oldest) return status(410, "Expired")(response, request);
    response.writeHead(200, { "Content-Type": "application/json" });
    response.flushHeaders();
    const write = (text: string): void => void (response.writable && response.write(text));
    const leaves = (): void => void watches.delete(watch);
    const watch = {
      ...{ request, collection, namespace, write },
      event: (type: string, object: unknown) => write(`${JSON.stringify({ type, object })}\n`),
      end: () => {
        leaves();
        response.end();
      },
      reset: () => {
        leaves();
        response.destroy();
      },
    };
    if (request.kind === "stream") {
      for (const { object } of collectionOf(collection).values())
        if (sees(namespace, object)) watch.event("ADDED", object);
      if (endsStreams) watch.event("BOOKMARK", bookmark(true));
    } else {
      for (const past of history)
        if (past.version > Number(from) && past.collection === collection && sees(namespace, past.object))
          watch.event(past.type, past.object);
    }
    watches.add(watch);
    response.once("close", leaves);
  };

  const list = (
    { query }: FakeRequest,
    collection: string,
    namespace: string | undefined,
    response: ServerResponse,
  ) => {
    const [at = String(version), start = "0"] = query["continue"]?.split("/") ?? [];
    if (query["continue"] !== undefined && Number(at) < pagesFrom) return status(410, "Expired")(response);
    const all = [...collectionOf(collection).values()]
      .map(({ object }) => object)
      .filter((one) => sees(namespace, one));
    const limit = query["resourceVersion"] === "0" ? 0 : Number(query["limit"] ?? 0);
    const items = limit === 0 ? all : all.slice(Number(start), Number(start) + limit);
    const end = Number(start) + items.length;
    json(200, {
      kind: "ThingList",
      metadata: { resourceVersion: at, ...(end < all.length && { continue: `${at}/${end}` }) },
      items,
    })(response);
  };

  const serve = (asked: IncomingMessage, response: ServerResponse): void => {
    const url = new URL(asked.url ?? "/", "http://localhost");
    const query = Object.fromEntries(url.searchParams);
    const [, base = "", namespace, plural = ""] = /^(.*?)(?:\/namespaces\/([^/]+))?\/([^/]+)$/.exec(url.pathname) ?? [];
    const collection = `${base}/${plural}`;
    const isKnown = collections.has(collection);
    const kind =
      !isKnown && !/\/v\d\w*\/\w+$/.test(url.pathname)
        ? "other"
        : query["watch"] === "1"
          ? query["sendInitialEvents"] === "true"
            ? "stream"
            : "watch"
          : query["continue"] === undefined
            ? "list"
            : "page";
    const request: FakeRequest = { kind, path: url.pathname, query, headers: asked.headers };
    requests.push(request);
    const index = onceAnswers.findIndex((one) => one.kind === kind);
    const [faulty] = index === -1 ? [] : onceAnswers.splice(index, 1);
    const answer = faulty?.answer ?? always.get(kind);
    if (answer !== undefined) answer(response, request);
    else if (kind === "other") discovery([...collections.keys()], url.pathname)(response);
    else if (!isKnown) text(404, "404 page not found\n")(response, request);
    else if (kind === "list" || kind === "page") list(request, collection, namespace, response);
    else watchOn(request, collection, namespace, response);
  };

  const server = createServer(serve);
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  context.onTestFinished(async () => {
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  });

  return {
    server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    forget: () => {
      requests.length = 0;
    },
    watches: () => [...watches],
    put(given, collection = things) {
      const key = keyOf(given);
      const objects = collectionOf(collection);
      const old = objects.get(key)?.object as FakeObject | undefined;
      version += 1;
      const uid = given.metadata.uid ?? old?.metadata.uid ?? `uid-${++uids}`;
      const object = { ...given, metadata: { ...given.metadata, uid, resourceVersion: String(version) } };
      objects.set(key, { key, object });
      record(collection, old === undefined ? "ADDED" : "MODIFIED", object);
      return String(version);
    },
    remove(key, collection = things) {
      const object = collectionOf(collection).get(key)?.object as FakeObject;
      version += 1;
      collectionOf(collection).delete(key);
      record(collection, "DELETED", { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } });
    },
    bookmark() {
      version += 1;
      for (const watch of watches) watch.event("BOOKMARK", bookmark(false));
    },
    compact() {
      version += 1;
      oldest = version;
      history.length = 0;
    },
    expirePages() {
      version += 1;
      pagesFrom = version;
    },
    next: (kind, answer) => onceAnswers.push({ kind, answer }),
    always: (kind, answer) => void (answer === undefined ? always.delete(kind) : always.set(kind, answer)),
    undefine(collection) {
      collections.delete(collection);
      for (const watch of watches) if (watch.collection === collection) watch.end();
    },
    define: (collection) => void collections.set(collection, new Map()),
    endsStreams: (yes) => {
      endsStreams = yes;
    },
    connections: () => sockets.size,
  };
}

const keyOf = ({ metadata: { name, namespace } }: FakeObject): string =>
  namespace === undefined ? name : `${namespace}/${name}`;

const sees = (namespace: string | undefined, object: object): boolean =>
  namespace === undefined || (object as FakeObject).metadata.namespace === namespace;
