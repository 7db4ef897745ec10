import { Agent, createServer, type IncomingHttpHeaders, type IncomingMessage, request, type Server } from "node:http";
import { arrived, type FailedHop, formatHop, type Hop, parseHop } from "./hop.ts";

/** Another service that this one asks for every request. */
export interface UpstreamCall {
  /** Goes out as the Host header: what routing rules know the service by. */
  readonly service: string;
  /** Where the request goes: the sidecar's listener. */
  readonly url: string;
}

export interface ExampleOptions {
  readonly name: string;
  readonly version: string;
  readonly calls: readonly UpstreamCall[];
}

export const healthPath = "/healthz";

/** Request headers that travel along the whole way, so that rules can match them behind the first service too. */
const travelling = ["x-request-id", "traceparent", "tracestate", "end-user"] as const;

const callTimeoutMs = 5_000;
const maxAnswerBytes = 64 * 1024;

/**
 * A small service to watch traffic with: answers every request with the way that it took, as one line of text, or as
 * JSON when asked for it; 502 when a service behind it failed.
 */
export function createExampleService({ name, version, calls }: ExampleOptions): Server {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  const server = createServer(async (incoming, response) => {
    incoming.resume();
    if (incoming.url === healthPath) {
      response.end("ok\n");
      return;
    }
    const results = await Promise.all(calls.map((call) => ask(call, incoming.headers, agent)));
    const hop: Hop = { service: name, version, calls: results };
    const asJson = incoming.headers.accept?.includes("application/json") ?? false;
    response.statusCode = arrived(hop) ? 200 : 502;
    response.setHeader("content-type", asJson ? "application/json" : "text/plain; charset=utf-8");
    response.end(`${asJson ? JSON.stringify(hop) : formatHop(hop)}\n`);
  });
  server.on("close", () => agent.destroy());
  return server;
}

async function ask(call: UpstreamCall, from: IncomingHttpHeaders, agent: Agent): Promise<Hop | FailedHop> {
  try {
    const { status, text } = await get(call, from, agent);
    return parseHop(text) ?? { service: call.service, failed: `${status} ${text.trim().slice(0, 200)}`.trim() };
  } catch (cause) {
    return { service: call.service, failed: cause instanceof Error ? cause.message : String(cause) };
  }
}

/** Not `fetch`: it does not let its caller choose the Host header. */
async function get(
  { service, url }: UpstreamCall,
  from: IncomingHttpHeaders,
  agent: Agent,
): Promise<{ readonly status: number; readonly text: string }> {
  const passed = Object.fromEntries(travelling.flatMap((name) => (from[name] ? [[name, from[name]]] : [])));
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = { ...passed, host: service, accept: "application/json" };
    request(url, { agent, headers, signal: AbortSignal.timeout(callTimeoutMs) }, resolve)
      .on("error", reject)
      .end();
  });
  let text = "";
  answer.setEncoding("utf8");
  for await (const part of answer) {
    text += part;
    if (text.length > maxAnswerBytes) throw new Error("the answer is too long");
  }
  return { status: answer.statusCode ?? 0, text };
}
