import type { SocketAddress } from "../../src/explain/connection.ts";
import type { Question } from "../../src/explain/question.ts";
import { proxyHeader } from "./asked-listeners.ts";
import { clientHello } from "./client-hello.ts";
import { http2Request } from "./http2-request.ts";

/* What a client does: a connection, and the first that it says on it. */

export interface HttpSpeech {
  readonly kind: "http";
  /** CONNECT by HTTP/1 alone. */
  readonly method: "GET" | "CONNECT";
  readonly version: "1.0" | "1.1" | "2";
  /** As HTTP/1 is spoken to who is known to be a proxy: with whole URLs. */
  readonly isToProxy: boolean;
  readonly authority: string;
  /** Of a GET. */
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

export type Speech =
  | HttpSpeech
  | { readonly kind: "tls"; readonly serverName?: string; readonly applicationProtocols: readonly string[] }
  /** Nothing that a filter knows. */
  | { readonly kind: "bytes" };

export interface Call {
  /** Captured on its way out of the workload, or into it; or made to an address of the proxy. */
  readonly way: "outbound" | "inbound" | "dialled";
  readonly source: SocketAddress;
  readonly destination: SocketAddress;
  readonly speech: Speech;
}

/** What a filter finds out of plain HTTP. */
const foundProtocols = { "1.0": "http/1.0", "1.1": "http/1.1", "2": "h2c" } as const;

export function questionOf({ way, source, destination, speech }: Call): Question {
  const common = { isInbound: way === "inbound", source, destination };
  switch (speech.kind) {
    case "http": {
      const { method, version, authority, path, headers } = speech;
      const request = { method, scheme: "http", authority, headers, ...(method === "GET" && { path }) } as const;
      return { ...common, request, isTls: false, applicationProtocols: [foundProtocols[version]] };
    }
    case "tls":
      return { ...common, ...speech, isTls: true };
    case "bytes":
      return { ...common, isTls: false, applicationProtocols: [] };
  }
}

/** All that the client sends, after the header of the PROXY protocol that says whose connection it is, and where to. */
export const bytesOf = (call: Call): Buffer => Buffer.concat([proxyHeader(call), spoken(call.speech)]);

function spoken(speech: Speech): Buffer {
  if (speech.kind === "bytes") return Buffer.from("\r\nno HTTP\r\n");
  if (speech.kind === "tls") return clientHello(speech.serverName, speech.applicationProtocols);
  const { method, version, isToProxy, authority, path, headers } = speech;
  if (version === "2") return http2Request({ authority, path, headers });
  const url = isToProxy ? `http://${authority}${path}` : path;
  const target = method === "CONNECT" ? authority : url;
  const lines = [`${method} ${target} HTTP/${version}`, `host: ${authority}`, ...headers.map((one) => one.join(": "))];
  return Buffer.from([...lines, "connection: close", "", ""].join("\r\n"));
}
