import { MeshError } from "../base/errors.ts";

/** Why a server cannot be bound, and what to do. */
export function cannotListen(host: string, port: number, cause: unknown): MeshError {
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
