import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from "fastify";
import type { Clock } from "../base/clock.ts";
import { MeshError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { createRateLimit, type RateLimit } from "../base/rate-limit.ts";
import { type Admitted, admit, isForeignHost, isForeignOrigin, recheckOf } from "./admission.ts";
import { answerBrokenRequest } from "./broken-request.ts";
import { lastAnswer } from "./last-answer.ts";
import { type ApiLimits, defaultApiLimits } from "./limits.ts";
import { cannotListen } from "./listen-failure.ts";
import { isLoopback } from "./loopback.ts";
import { eventStream } from "./media-types.ts";
import { nothingHere } from "./nothing-here.ts";
import { openRoutes } from "./open-routes.ts";
import { openApiRoute } from "./openapi-route.ts";
import type { ApiPorts, Caller } from "./ports.ts";
import {
  type Problem,
  problemCodeOf,
  problemCodes,
  problemContentType,
  problemOfError,
  problemView,
} from "./problem.ts";
import { bodyOf, bodyRefusal, hasBody, notUtf8 } from "./request-body.ts";
import { type Answer, actionOf, type Route } from "./route.ts";
import { routerPath } from "./route-path.ts";
import { routesWith } from "./routes.ts";
import { ruleObject } from "./rule-object.ts";
import { traceIdOf } from "./trace-context.ts";
import type { VersionView } from "./types/server.ts";
import { createWatches, type Watches, type WatchRequest } from "./watch.ts";
import { sinkOf } from "./watch-sink.ts";

export interface ApiServerOptions {
  readonly ports: ApiPorts;
  readonly log: Log;
  readonly clock: Clock;
  readonly version: VersionView;
  /** `everything`: the whole table. `health`: health, metrics and version, and nothing of the ports else. Default `everything`. */
  readonly serve?: "everything" | "health";
  /** Refuse writes that do not say which version they change. Default false. */
  readonly requireIfMatch?: boolean;
  readonly limits?: Partial<ApiLimits>;
}

export interface ApiServer {
  /** Binds and serves; returns the port (the given one, or the system's choice for 0). Throws `usage/invalid`. */
  readonly listen: (host: string, port: number) => Promise<number>;
  /** Ends watches, and lets running requests end for at most five seconds. */
  readonly close: () => Promise<void>;
}

const fixed = {
  headerBytes: 16 * 1_024,
  /** Without any byte in either direction. */
  idleMs: 30_000,
  keepAliveMs: 15_000,
  /** From the first byte of the body to the answer: longer than a request may take to arrive. */
  handlerMs: 10_000,
  requestsPerConnection: 1_000,
  /** A proxy's id. */
  parameterChars: 4_096,
  drainMs: 5_000,
  /** Callers whose rate is remembered, and instances whose heartbeats' rate is. */
  callers: 10_000,
  instances: 100_000,
} as const;

export function createApiServer(options: ApiServerOptions): ApiServer {
  const binding: Binding = { loopback: true };
  const { app, watches } = createParts(options, binding);
  let running = 0;
  let closing = false;
  const endConnections = () => app.server.closeAllConnections();
  // Connections that never sent a request do not count as idle for Node, so all are ended once nothing runs.
  const endIfIdle = () => {
    if (closing && running === 0) endConnections();
  };
  app.addHook("onRequest", async (_request, reply) => {
    running++;
    reply.raw.once("close", () => {
      running--;
      endIfIdle();
    });
  });
  return {
    listen: async (host, port) => {
      binding.loopback = isLoopback(host);
      try {
        await app.listen({ host, port });
      } catch (error) {
        throw cannotListen(host, port, error);
      }
      return (app.server.address() as AddressInfo).port;
    },
    close: async () => {
      closing = true;
      const cancel = options.clock.after(fixed.drainMs, endConnections);
      watches?.close();
      const closed = app.close();
      endIfIdle();
      await closed;
      cancel();
    },
  };
}

/** The application without a socket, for `inject`; as if it were bound to loopback. */
export const createApp = (options: ApiServerOptions): FastifyInstance => createParts(options, { loopback: true }).app;

/** Where the server is bound. */
interface Binding {
  loopback: boolean;
}

/** What answering needs. */
interface Parts {
  readonly options: ApiServerOptions;
  readonly limits: ApiLimits;
  readonly binding: Readonly<Binding>;
  readonly rates: RateLimit;
  readonly heartbeatRates: RateLimit;
  readonly watches: Watches | undefined;
}

function createParts(options: ApiServerOptions, binding: Readonly<Binding>) {
  const { log, clock, ports } = options;
  const limits: ApiLimits = { ...defaultApiLimits, ...options.limits };
  const app = fastify({
    logger: false,
    bodyLimit: limits.ruleBytes,
    connectionTimeout: fixed.idleMs,
    keepAliveTimeout: fixed.keepAliveMs,
    requestTimeout: limits.requestMs,
    handlerTimeout: limits.requestMs + fixed.handlerMs,
    maxRequestsPerSocket: fixed.requestsPerConnection,
    forceCloseConnections: "idle",
    http: {
      maxHeaderSize: fixed.headerBytes,
      headersTimeout: limits.headersMs,
      connectionsCheckingInterval: Math.min(1_000, limits.requestMs),
    },
    routerOptions: { maxParamLength: fixed.parameterChars },
    genReqId: requestId,
    frameworkErrors: (error, request, reply) => void sendError(log, error, request, reply),
    clientErrorHandler: (error, socket) => answerBrokenRequest(error, socket, clock),
  });
  app.server.maxConnections = limits.connections;

  const served = servedRoutes(options);
  const parts: Parts = {
    options,
    limits,
    binding,
    rates: createRateLimit({
      clock,
      perSecond: limits.requestsPerSecond,
      burst: limits.requestBurst,
      maxKeys: fixed.callers,
    }),
    heartbeatRates: createRateLimit({
      clock,
      perSecond: limits.heartbeatsPerSecond,
      burst: limits.heartbeatBurst,
      maxKeys: fixed.instances,
    }),
    watches: servesAll(options)
      ? createWatches({ store: ports.store, objectOf: (document) => ruleObject(document, ports), clock, limits })
      : undefined,
  };
  app.addHook("onRequest", async (request, reply) => {
    reply.headers({ "x-request-id": request.id, "x-content-type-options": "nosniff", "cache-control": "no-store" });
    // Before anything looks at the body.
    return request.is404
      ? sendProblem(request, reply, nothingHere(request.method, pathOf(request), served))
      : undefined;
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, bytes, done) => done(null, bytes));
  for (const route of served) addRoute(app, route, parts);
  app.setNotFoundHandler((request, reply) =>
    sendProblem(request, reply, nothingHere(request.method, pathOf(request), served)),
  );
  app.setErrorHandler((error: FastifyError, request, reply) => sendError(log, error, request, reply));
  return { app, watches: parts.watches };
}

const servesAll = ({ serve = "everything" }: ApiServerOptions): boolean => serve === "everything";

function servedRoutes(options: ApiServerOptions): readonly Route[] {
  if (!servesAll(options)) return openRoutes;
  const routes = routesWith({
    registrations: options.ports.registrations.formats,
    explain: options.ports.explain.formats,
  });
  return [...routes, openApiRoute(routes, options.version)];
}

const nobody: Caller = { name: "anonymous", role: "viewer" };

function addRoute(app: FastifyInstance, route: Route, parts: Parts): void {
  const { limits, options } = parts;
  const admitted = new WeakMap<FastifyRequest, Admitted>();
  app.route({
    method: route.method,
    url: routerPath(route.path),
    bodyLimit: route.largeBody === true ? limits.changeSetBytes : limits.ruleBytes,
    // Before the body is read.
    onRequest: async (request, reply) => {
      const refused = await refusalOf(request, route, parts, admitted);
      if (refused !== undefined) return sendProblem(request, reply, refused);
      return undefined;
    },
    handler: async (request, reply) => {
      const body = bodyOf(request);
      if (body === "not utf-8") return sendProblem(request, reply, notUtf8);
      const { caller = nobody } = admitted.get(request) ?? {};
      const { params, query } = request as { params: Record<string, string>; query: Record<string, unknown> };
      const answer = await route.handler({
        ports: options.ports,
        clock: options.clock,
        version: options.version,
        requireIfMatch: options.requireIfMatch ?? false,
        method: request.method,
        params,
        query,
        header: (name) => headerOf(request, name),
        caller,
        requestId: request.id,
        log: logOf(options.log, request),
        body,
      });
      return sendAnswer(answer, request, reply, { parts, route, caller });
    },
  });
}

async function refusalOf(
  request: FastifyRequest,
  route: Route,
  { options, binding, rates, heartbeatRates }: Parts,
  admitted: WeakMap<FastifyRequest, Admitted>,
): Promise<Problem | undefined> {
  if (route.access !== "open") {
    // A page of another site can make a browser call loopback under that site's name (DNS rebinding).
    const { authorization, host, origin } = request.headers;
    if (binding.loopback && isForeignHost(host)) return foreignHost;
    // Where no token is asked for, such a page could change something.
    if (!isReading(request.method) && isForeignOrigin(origin, host)) return foreignOrigin;
    const params = request.params as Readonly<Record<string, string>>;
    const asked = { authorization, peer: request.ip, action: actionOf(route, params) };
    const admission = await admit(asked, options.ports.access, (caller) => {
      const instance = route.heartbeatOf?.(params, options.ports);
      return instance === undefined ? rates.take(caller) : heartbeatRates.take(`${caller} ${instance}`);
    });
    if (!admission.ok) return admission.problem;
    admitted.set(request, admission.value);
  }
  return bodyRefusal(request, route);
}

function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(", ") : value;
}

function logOf(log: Log, request: FastifyRequest): Log {
  const traceId = traceIdOf(headerOf(request, "traceparent"));
  return log.child({ requestId: request.id, ...(traceId !== undefined && { traceId }) });
}

interface Answering {
  readonly parts: Parts;
  readonly route: Route;
  readonly caller: Caller;
}

function sendAnswer(answer: Answer, request: FastifyRequest, reply: FastifyReply, answering: Answering): FastifyReply {
  if (answer.kind === "watch") return startWatch(answer.watch, request, reply, answering);
  if (answer.kind === "problem") {
    const { route, caller, parts } = answering;
    if (route.method !== "GET") {
      const { code } = answer.problem;
      logOf(parts.options.log, request).info({ by: caller.name, path: pathOf(request), code }, "request refused");
    }
    return sendProblem(request, reply, answer.problem);
  }
  reply.headers(answer.headers ?? {});
  if (answer.kind === "empty") return reply.code(answer.status).send();
  if (answer.kind === "json") return reply.code(answer.status).send(answer.body);
  return reply
    .code(answer.status ?? 200)
    .type(answer.contentType)
    .send(answer.text);
}

function startWatch(
  wanted: WatchRequest,
  request: FastifyRequest,
  reply: FastifyReply,
  { parts: { watches, options }, route, caller }: Answering,
): FastifyReply {
  if (watches === undefined) throw new Error("nothing can be watched here");
  const { authorization } = request.headers;
  const action = actionOf(route, request.params as Readonly<Record<string, string>>);
  const asked = { authorization, peer: request.ip, action };
  const watcher = {
    owner: caller.tokenId ?? request.ip,
    path: pathOf(request),
    requestId: request.id,
    recheck: () => recheckOf(asked, options.ports.access),
  };
  const refused = watches.refusalOf(watcher, wanted);
  if (refused !== undefined) return sendProblem(request, reply, refused);
  const headers = { ...reply.getHeaders(), "content-type": eventStream, "x-accel-buffering": "no", vary: "accept" };
  reply.hijack();
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) reply.raw.setHeader(name, value);
  reply.raw.flushHeaders();
  watches.open(watcher, wanted, sinkOf(reply.raw));
  return reply;
}

function sendProblem(request: FastifyRequest, reply: FastifyReply, problem: Problem): FastifyReply {
  const view = problemView(problem, pathOf(request), request.id);
  const bytes = Buffer.from(JSON.stringify(view));
  reply
    .code(view.status)
    .headers({ ...problem.headers })
    .type(problemContentType);
  if (request.body !== undefined || !hasBody(request)) return reply.send(bytes);
  return reply
    .headers({ connection: "close", "content-length": bytes.length })
    .send(Readable.from(lastAnswer(bytes, request.raw)));
}

/** What the HTTP layer refused is the client's; everything else is ours: told to the log, and to the client by its id only. */
function sendError(log: Log, error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (request.raw.destroyed && !request.raw.complete) return reply; // Nobody is there any more.
  const known = error instanceof MeshError ? problemOfError(error) : problemOfStatus(error, request);
  const lines = logOf(log, request);
  if (known === undefined) {
    lines.error({ path: pathOf(request), err: error }, "request failed");
    const detail = `The server could not answer; its log says why under request id ${request.id}.`;
    return sendProblem(request, reply, { code: "api/failed", detail });
  }
  if (problemCodes[known.code].status >= 500) lines.warn({ path: pathOf(request), err: error }, "request not answered");
  return sendProblem(request, reply, known);
}

function problemOfStatus({ statusCode = 500, message }: FastifyError, request: FastifyRequest): Problem | undefined {
  const code = problemCodeOf(statusCode);
  if (code === undefined || code === "api/failed") return undefined;
  if (code === "api/too-large") return tooLarge(request.routeOptions.bodyLimit);
  const headers = statusCode === 503 ? { headers: { "retry-after": "1" } } : {};
  return { code, detail: `${message}.`, ...headers };
}

const tooLarge = (bytes: number): Problem => ({
  code: "api/too-large",
  detail: `A body has at most ${bytes} bytes here.`,
  hint: "Split it: make several smaller rules of one, and several requests of many.",
});

const isReading = (method: string): boolean => method === "GET" || method === "HEAD";

const foreignOrigin: Problem = {
  code: "api/foreign-origin",
  detail: "The Origin header names another site.",
  hint: "Call the API from a program, or from a page of this server.",
};

const foreignHost: Problem = {
  code: "api/foreign-host",
  detail: "The Host header does not name this machine.",
  hint: "Use localhost or a loopback address.",
};

const pathOf = (request: FastifyRequest): string => request.url.split("?", 1)[0] ?? "";

/** The caller's own id where it is a plain word, else a new one. */
function requestId(request: IncomingMessage): string {
  const given = request.headers["x-request-id"];
  return typeof given === "string" && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID();
}
