import { type ErrorCode, MeshError } from "../base/errors.ts";

const clientFaults: ReadonlySet<ErrorCode> = new Set(["input/invalid", "node/invalid"]);

/** What to tell a client whose request is at fault; undefined when the fault is ours. */
export function clientFaultOf(cause: unknown): string | undefined {
  if (!(cause instanceof MeshError && clientFaults.has(cause.code))) return undefined;
  return cause.hint === undefined ? cause.message : `${cause.message}. ${cause.hint}`;
}
