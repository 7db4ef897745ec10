import type { HTTPFault } from "../envoy/filter-messages.ts";
import { millisecondsOf, shareOf } from "../envoy/route-messages.ts";
import { headerCondition } from "./header-condition.ts";
import type { Facts } from "./request.ts";
import type { Semantics } from "./semantics.ts";

/** Trouble that is made on purpose. Shares are of the requests, above 0 and up to 1. */
export interface Fault {
  readonly delay?: { readonly ms: number; readonly share: number };
  readonly abort?: { readonly status?: number; readonly grpcStatus?: number; readonly share: number };
}

interface Sent {
  readonly cluster: { readonly name: string };
  readonly facts: Facts;
  readonly semantics: Semantics;
}

/** Undefined: this request has none. What its own headers may ask for (`x-envoy-fault-*`) is not looked at. */
export function faultOf(fault: HTTPFault | undefined, sent: Sent): Fault | undefined {
  if (fault === undefined || !isMeant(fault, sent)) return undefined;
  const delay = delayOf(fault);
  const abort = abortOf(fault);
  return delay || abort ? { ...(delay && { delay }), ...(abort && { abort }) } : undefined;
}

function isMeant({ upstreamCluster, headers }: HTTPFault, { cluster, facts, semantics }: Sent): boolean {
  if (upstreamCluster !== "" && upstreamCluster !== cluster.name) return false;
  const manner = { ...semantics, ignoresParameters: false };
  return headers.every((one, index) => headerCondition(one, `/headers/${index}`, manner).holds(facts));
}

function delayOf({ delay }: HTTPFault): Fault["delay"] {
  if (delay?.faultDelaySecifier.case !== "fixedDelay") return undefined;
  const ms = millisecondsOf(delay.faultDelaySecifier.value);
  const share = delay.percentage === undefined ? 0 : shareOf(delay.percentage);
  return ms > 0 && share > 0 ? { ms, share } : undefined;
}

function abortOf({ abort }: HTTPFault): Fault["abort"] {
  const share = abort?.percentage === undefined ? 0 : shareOf(abort.percentage);
  if (share === 0) return undefined;
  switch (abort?.errorType.case) {
    case "httpStatus":
      return { status: abort.errorType.value, share };
    case "grpcStatus":
      return { grpcStatus: abort.errorType.value, share };
    default:
      return undefined;
  }
}
