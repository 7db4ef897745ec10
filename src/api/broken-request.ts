import { randomUUID } from "node:crypto";
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { Clock } from "../base/clock.ts";
import { type ProblemCode, problemCodes, problemContentType, problemView } from "./problem.ts";

/** For a client to read the answer and hang up. */
const patienceMs = 1_000;

/** Bytes that are no HTTP, headers that are too long, requests that are too slow: there is nothing yet to answer to. */
export function answerBrokenRequest(error: Error & { readonly code?: string }, socket: Socket, clock: Clock): void {
  if (error.code === "ECONNRESET" || !socket.writable) return;
  // Whoever goes on sending would keep the connection for ever.
  const cancel = clock.after(patienceMs, () => void socket.destroy());
  socket.once("close", cancel);
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
