import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What a route answers: JSON by default. */
export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly text?: string;
}

/** Answers, or takes the response over (event streams, cut connections). */
export type Handler = (request: SeenRequest, response: ServerResponse) => Reply | undefined;

export interface FakeApi {
  /** `127.0.0.1:port` */
  readonly address: string;
  /** In the order in which they came. */
  readonly seen: readonly SeenRequest[];
  /** `--server ADDRESS` for a command line. */
  readonly flag: string;
}

/** A server on loopback with these routes (`GET /api/v1/proxies`); it ends with the test. */
export async function startApi(routes: Readonly<Record<string, Handler>>): Promise<FakeApi> {
  const seen: SeenRequest[] = [];
  const server = createServer(async (message, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(chunk as Buffer);
    const url = new URL(message.url ?? "/", "http://x");
    const request: SeenRequest = {
      method: message.method ?? "",
      path: decodeURIComponent(url.pathname),
      query: Object.fromEntries(url.searchParams),
      headers: message.headers,
      body: Buffer.concat(chunks).toString(),
    };
    seen.push(request);
    const handler = routes[`${request.method} ${request.path}`];
    const reply = handler === undefined ? notFound(request) : handler(request, response);
    if (reply === undefined) return;
    const { status = 200, headers = {}, json, text } = reply;
    response.writeHead(status, { connection: "close", ...headers }).end(text ?? JSON.stringify(json));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(() => resolve()));
  });
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { address, seen, flag: `--server ${address}` };
}

export const problem = (status: number, detail: string, more: object = {}): Reply => ({
  status,
  json: { type: "urn:fairway:error:x", title: "x", status, detail, instance: "/", requestId: "r", code: "x", ...more },
});

const notFound = ({ path }: SeenRequest): Reply =>
  problem(404, `There is nothing at ${path}.`, { hint: "Look elsewhere." });

/** A page with everything. */
export const page = (items: readonly unknown[], more: object = {}): Reply => ({
  json: { items, total: items.length, ...more },
});
