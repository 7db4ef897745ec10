import type { RateVerdict } from "../base/rate-limit.ts";
import { hostOf, isLoopback } from "./loopback.ts";
import type { AccessDecision, AccessPort, Action, Caller } from "./ports.ts";
import type { Problem } from "./problem.ts";

/** Who asks, from where, to do what. */
export interface Asked {
  readonly authorization: string | undefined;
  readonly peer: string;
  readonly action: Action;
}

export interface Admitted {
  readonly caller: Caller;
}

export type Admission =
  | { readonly ok: true; readonly value: Admitted }
  | { readonly ok: false; readonly problem: Problem };

/** Lets a request in, or says why not; before anything of its body is read. `take`: one request of this caller. */
export async function admit(
  asked: Asked,
  access: AccessPort,
  take: (caller: string) => RateVerdict,
): Promise<Admission> {
  const decision = await access.authenticate(asked);
  if (decision.kind !== "caller") return { ok: false, problem: strangerProblem(decision) };
  const { caller } = decision;
  const rate = take(caller.tokenId ?? asked.peer);
  if (!rate.ok) return { ok: false, problem: limited(Math.ceil(rate.retryAfterMs / 1_000)) };
  const denied = access.denialOf(caller, asked.action);
  return denied === undefined ? { ok: true, value: { caller } } : { ok: false, problem: forbidden(denied) };
}

/** May somebody who was let in stay? undefined: yes. */
export async function recheckOf(asked: Asked, access: AccessPort): Promise<Problem | undefined> {
  const decision = await access.authenticate(asked);
  if (decision.kind !== "caller") return strangerProblem(decision);
  const denied = access.denialOf(decision.caller, asked.action);
  return denied === undefined ? undefined : forbidden(denied);
}

export const isForeignHost = (host: string | undefined): boolean => !isLoopback(hostOf(host ?? "") ?? "");

/** Was the request made by a browser for a page that is not this server's own? Programs send no Origin. */
export function isForeignOrigin(origin: string | undefined, host: string | undefined): boolean {
  return origin !== undefined && URL.parse(origin)?.host !== host;
}

const hint = "Send one as Authorization: Bearer TOKEN; `fairway token create` makes one.";

function strangerProblem(decision: Exclude<AccessDecision, { readonly kind: "caller" }>): Problem {
  if (decision.kind === "limited") return limited(decision.retryAfterS);
  const isMissing = decision.kind === "missing";
  return {
    code: "api/unauthenticated",
    detail: isMissing ? "This needs a token." : decision.reason,
    hint: (isMissing ? undefined : decision.hint) ?? hint,
    headers: { "www-authenticate": isMissing ? "Bearer" : 'Bearer error="invalid_token"' },
  };
}

/** `detail`: what the caller may, and what this needs. */
export const forbidden = (detail: string): Problem => ({
  code: "api/forbidden",
  detail,
  hint: "Use a token of a role that may; whoever has an admin's makes one with `fairway token create`.",
});

const limited = (retryAfterS: number): Problem => ({
  code: "api/limited",
  detail: `Try again in ${retryAfterS} s.`,
  headers: { "retry-after": String(retryAfterS) },
});
