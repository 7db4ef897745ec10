import { randomUUID } from "node:crypto";
import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from "fastify";
import type { Clock } from "../base/clock.ts";
import { MeshError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { hostOf, isLoopback } from "./loopback.ts";
import type { ApiPorts } from "./ports.ts";
import {
  type Problem,
  type ProblemCode,
  problemCodeOf,
  problemCodes,
  problemContentType,
  problemView,
} from "./problem.ts";
import { type Route, routes } from "./routes.ts";
import type { VersionView } from "./types.ts";

export interface ApiServerOptions {
  readonly ports: ApiPorts;
  readonly log: Log;
  readonly clock: Clock;
  readonly version: VersionView;
  /**
   * `everything`: the whole table; binds loopback addresses only, because nobody is asked who they are yet.
   * `health`: health, metrics and version; may bind anywhere. Default `everything`.
   */
  readonly serve?: "everything" | "health";
}

export interface ApiServer {
  /** Binds and serves; returns the port (the given one, or the system's choice for 0). Throws `usage/invalid`. */
  readonly listen: (host: string, port: number) => Promise<number>;
  /** Lets running requests end for at most five seconds. */
  readonly close: () => Promise<void>;
}

const limits = {
  /** Nothing that is served takes a body. */
  bodyBytes: 1_024,
  headerBytes: 16 * 1_024,
  /** For the headers, and for the whole request, to arrive. */
  headersMs: 5_000,
  requestMs: 10_000,
  /** Without any byte in either direction. */
  idleMs: 30_000,
  keepAliveMs: 15_000,
  handlerMs: 10_000,
  requestsPerConnection: 1_000,
  connections: 512,
  /** A proxy's id. */
  parameterChars: 4_096,
  drainMs: 5_000,
} as const;

export function createApiServer(options: ApiServerOptions): ApiServer {
  const app = createApp(options);
  let running = 0;
  let closing = false;
  const endConnections = () => app.server.closeAllConnections();
  // Connections that never sent a request do not count as idle for Node, so all are ended once nothing runs.
  const endIfIdle = () => {
    if (closing && running === 0) endConnections();
  };
  app.addHook("onRequest", async () => {
    running++;
  });
  app.addHook("onResponse", async () => {
    running--;
    endIfIdle();
  });
  return {
    listen: async (host, port) => {
      if (servesReads(options) && !isLoopback(host)) throw notLoopback(host, port);
      try {
        await app.listen({ host, port });
      } catch (error) {
        throw cannotListen(host, port, error);
      }
      return (app.server.address() as AddressInfo).port;
    },
    close: async () => {
      closing = true;
      const cancel = options.clock.after(limits.drainMs, endConnections);
      const closed = app.close();
      endIfIdle();
      await closed;
      cancel();
    },
  };
}

/** The application without a socket, for `inject`. */
export function createApp(options: ApiServerOptions): FastifyInstance {
  const { log } = options;
  const app = fastify({
    logger: false,
    bodyLimit: limits.bodyBytes,
    connectionTimeout: limits.idleMs,
    keepAliveTimeout: limits.keepAliveMs,
    requestTimeout: limits.requestMs,
    handlerTimeout: limits.handlerMs,
    maxRequestsPerSocket: limits.requestsPerConnection,
    forceCloseConnections: "idle",
    http: { maxHeaderSize: limits.headerBytes, headersTimeout: limits.headersMs, connectionsCheckingInterval: 1_000 },
    routerOptions: { maxParamLength: limits.parameterChars },
    genReqId: requestId,
    frameworkErrors: (error, request, reply) => void sendError(log, error, request, reply),
    clientErrorHandler: answerBrokenRequest,
  });
  app.server.maxConnections = limits.connections;

  const served = routes.filter(({ access }) => access === "open" || servesReads(options));
  app.addHook("onRequest", async (request, reply) => {
    reply.headers({ "x-request-id": request.id, "x-content-type-options": "nosniff", "cache-control": "no-store" });
    // Before anything looks at the body.
    return request.is404 ? sendProblem(request, reply, nothingHere(request, served)) : undefined;
  });
  for (const route of served) addRoute(app, route, options);
  app.setNotFoundHandler((request, reply) => sendProblem(request, reply, nothingHere(request, served)));
  app.setErrorHandler((error: FastifyError, request, reply) => sendError(log, error, request, reply));
  return app;
}

const servesReads = ({ serve = "everything" }: Pick<ApiServerOptions, "serve">): boolean => serve === "everything";

function addRoute(app: FastifyInstance, route: Route, { ports, version }: ApiServerOptions): void {
  app.route({
    method: route.method,
    url: route.path,
    handler: async (request, reply) => {
      // A page of another site can make a browser call loopback under that site's name (DNS rebinding).
      if (route.access === "read" && !isLoopback(hostOf(request.headers.host ?? "") ?? "")) {
        return sendProblem(request, reply, foreignHost);
      }
      const { params, query } = request as { params: Record<string, string>; query: Record<string, unknown> };
      const answer = await route.handler({ ports, version, params, query });
      if (answer.kind === "problem") return sendProblem(request, reply, answer.problem);
      if (answer.kind === "text") return reply.type(answer.contentType).send(answer.text);
      return reply.code(answer.status).send(answer.body);
    },
  });
}

function sendProblem(request: FastifyRequest, reply: FastifyReply, problem: Problem): FastifyReply {
  const view = problemView(problem, pathOf(request), request.id);
  return reply
    .code(view.status)
    .headers(problem.headers ?? {})
    .type(problemContentType)
    .send(Buffer.from(JSON.stringify(view)));
}

/** What the HTTP layer refused is the client's; everything else is ours: told to the log, and to the client by its id only. */
function sendError(log: Log, error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const code = problemCodeOf(error.statusCode ?? 500);
  if (code !== undefined && code !== "api/failed") {
    return sendProblem(request, reply, { code, detail: `${error.message}.` });
  }
  log.error({ requestId: request.id, path: pathOf(request), err: error }, "request failed");
  const detail = `The server could not answer; its log says why under request id ${request.id}.`;
  return sendProblem(request, reply, { code: "api/failed", detail });
}

const allowed = { allow: "GET, HEAD" };

const foreignHost: Problem = {
  code: "api/foreign-host",
  detail: "The Host header does not name this machine.",
  hint: "Use localhost or a loopback address.",
};

function nothingHere(request: FastifyRequest, served: readonly Route[]): Problem {
  const path = pathOf(request);
  if (!served.some((route) => matchesPath(route.path, path))) {
    return { code: "api/not-found", detail: "Nothing is served under this path.", headers: { connection: "close" } };
  }
  const detail = `${request.method} is not possible here.`;
  return { code: "api/method-not-allowed", detail, headers: { ...allowed, connection: "close" } };
}

function matchesPath(pattern: string, path: string): boolean {
  const steps = pattern.split("/");
  const given = path.split("/");
  return steps.length === given.length && steps.every((step, i) => step.startsWith(":") || step === given[i]);
}

const pathOf = (request: FastifyRequest): string => request.url.split("?", 1)[0] ?? "";

/** The caller's own id where it is a plain word, else a new one. */
function requestId(request: IncomingMessage): string {
  const given = request.headers["x-request-id"];
  return typeof given === "string" && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID();
}

/** Bytes that are no HTTP, headers that are too long or too slow: there is no request yet to answer to. */
function answerBrokenRequest(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) return;
  const code = brokenRequests.get(error.code) ?? "api/invalid-request";
  const { status, title } = problemCodes[code];
  const body = JSON.stringify(problemView({ code, detail: `${title}.` }, "", randomUUID()));
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\ncontent-type: ${problemContentType}`;
  socket.end(`${head}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`);
}

const brokenRequests: ReadonlyMap<string | undefined, ProblemCode> = new Map([
  ["HPE_HEADER_OVERFLOW", "api/headers-too-large"],
  ["ERR_HTTP_REQUEST_TIMEOUT", "api/request-timeout"],
]);

function notLoopback(host: string, port: number): MeshError {
  return new MeshError("usage/invalid", `the API cannot be bound to ${host}:${port}, which other machines can reach`, {
    hint: "It has no tokens yet, so it serves loopback only: use 127.0.0.1, [::1] or localhost. Health and metrics have a listener of their own, which may bind anywhere.",
  });
}

function cannotListen(host: string, port: number, cause: unknown): MeshError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
  const reason = listenFailures.get(code) ?? code;
  return new MeshError("usage/invalid", `cannot listen on ${host}:${port}: ${reason}`, {
    hint: "Choose another address or port, or end what uses this one.",
    cause,
  });
}

const listenFailures: ReadonlyMap<string, string> = new Map([
  ["EADDRINUSE", "something else listens there already"],
  ["EADDRNOTAVAIL", "this machine has no such address"],
  ["EACCES", "not permitted"],
  ["ENOTFOUND", "no such host"],
]);
