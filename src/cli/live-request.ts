import { request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP } from "node:net";
import { asBytes } from "../envoy/string-matcher.ts";
import type { Request } from "../explain/request.ts";

/** What a proxy answered. */
export interface LiveAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** At most `maxBodyBytes` of it. */
  readonly body: string;
}

export interface LiveTarget {
  /** Scheme, host and port are used. */
  readonly url: URL;
  /** Of TLS; none: a name is not said. */
  readonly serverName?: string;
  readonly insecure: boolean;
  /** For the whole answer. */
  readonly withinMs: number;
  readonly signal: AbortSignal;
}

export const maxBodyBytes = 1024 * 1024;

/** Sends a request as it stands to a proxy, with its own authority; follows nothing. Rejects where no answer comes. */
export function sendLive(request: Request, target: LiveTarget): Promise<LiveAnswer> {
  const { url, insecure, serverName = "", withinMs, signal } = target;
  const { method, authority, path = "/", headers } = request;
  const isTls = url.protocol === "https:";
  const ended = AbortSignal.any([signal, AbortSignal.timeout(withinMs)]);
  const options: RequestOptions & { readonly servername: string; readonly rejectUnauthorized: boolean } = {
    ...{ method, agent: false, setHost: false },
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port || (isTls ? 443 : 80),
    // Node writes a byte for a character.
    path: asBytes(path),
    headers: [["Host", authority], ...headers].flat().map(asBytes),
    ...{ servername: isIP(serverName) === 0 ? serverName : "", rejectUnauthorized: !insecure },
    signal: ended,
  };
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => reject(ended.aborted ? ended.reason : error);
    const sent = (isTls ? httpsRequest : httpRequest)(options, (message) => {
      bodyOf(message).then((body) => resolve(answerOf(message, body)), failed);
    });
    // What is not HTTP any more is not looked at.
    sent.on("upgrade", (message, socket) => {
      socket.destroy();
      resolve(answerOf(message, ""));
    });
    sent.on("error", failed);
    sent.end();
  });
}

const answerOf = ({ statusCode = 0, rawHeaders }: IncomingMessage, body: string): LiveAnswer => ({
  ...{ status: statusCode, body },
  headers: Array.from({ length: rawHeaders.length / 2 }, (_, i) => [
    (rawHeaders[2 * i] ?? "").toLowerCase(),
    Buffer.from(rawHeaders[2 * i + 1] ?? "", "latin1").toString(),
  ]),
});

async function bodyOf(message: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of message as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    bytes += chunk.byteLength;
    if (bytes >= maxBodyBytes) break;
  }
  return Buffer.concat(chunks).subarray(0, maxBodyBytes).toString();
}
