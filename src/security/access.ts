import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import { createRateLimit } from "../base/rate-limit.ts";
import { createFailureLog } from "./failure-log.ts";
import { peerKey } from "./peer-key.ts";
import { type Caller, denialOf, type Role } from "./roles.ts";
import type { InvalidToken, Tokens } from "./tokens.ts";

export type AccessDecision =
  | { readonly kind: "caller"; readonly caller: Caller }
  /** No credentials were given. */
  | { readonly kind: "missing" }
  /** `reason` and `hint` are whole sentences, without anything that the client sent. */
  | { readonly kind: "invalid"; readonly reason: string; readonly hint: string }
  /** Wrong credentials again, after too many of them from this address. */
  | { readonly kind: "limited"; readonly retryAfterS: number };

export interface Access {
  /**
   * Who is asking? Looks at nothing but the request's `Authorization` and where it came from. Rejects with a `store/…` error
   * where only the database could tell, and cannot.
   */
  readonly authenticate: (request: AccessRequest) => Promise<AccessDecision>;
  readonly denialOf: typeof denialOf;
}

export interface AccessRequest {
  readonly authorization: string | undefined;
  /** The address at the other end of the connection. */
  readonly peer: string;
}

export interface AccessOptions {
  readonly tokens: Pick<Tokens, "authenticate">;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** What those may who give no token; absent: nothing. */
  readonly anonymous?: Role;
  /** How many failed attempts an address has: at once, and after that in the long run. Default 10, and 10 a minute. */
  readonly failures?: { readonly burst: number; readonly perSecond: number };
}

const defaultFailures = { burst: 10, perSecond: 10 / 60 } as const;
const maxPeers = 10_000;
/** Of the whole header. */
const maxAuthorizationChars = 512;

const makeOne = "Make one with `fairway token create`.";

/** What is wrong with credentials, for the one who sent them. */
const explanations: Readonly<Record<InvalidToken | "scheme", { readonly reason: string; readonly hint: string }>> = {
  scheme: {
    reason: "The Authorization header is not of the form Bearer TOKEN.",
    hint: "Send it as Authorization: Bearer fw_…",
  },
  malformed: { reason: "This is no token of Fairway.", hint: "A token starts with fw_ and has 63 characters." },
  mistyped: { reason: "The token was copied with a mistake: its checksum is wrong.", hint: "Copy it again." },
  unknown: { reason: "The token is not known here.", hint: `It may be that of another server. ${makeOne}` },
  expired: { reason: "The token has expired.", hint: makeOne },
  revoked: { reason: "The token was revoked.", hint: makeOne },
};

/** What the answers to "who is asking?" are counted as. */
export const createAuthenticationCounter = (metrics: Metrics) =>
  metrics.counter("fairway_api_authentications_total", "Requests to the API whose caller was looked for, by outcome.", [
    "outcome",
  ]);

export function createAccess(options: AccessOptions): Access {
  const { tokens, clock, log, metrics, anonymous, failures = defaultFailures } = options;
  const failureLimit = createRateLimit({ ...failures, clock, maxKeys: maxPeers });
  const logFailure = createFailureLog({ clock, log });
  const counter = createAuthenticationCounter(metrics);

  const withoutToken = (): AccessDecision => {
    counter.inc({ outcome: anonymous === undefined ? "missing" : "anonymous" });
    return anonymous === undefined
      ? { kind: "missing" }
      : { kind: "caller", caller: { name: "anonymous", role: anonymous } };
  };

  const refuse = (address: string, why: keyof typeof explanations, token: string | undefined): AccessDecision => {
    const peer = peerKey(address);
    logFailure({ peer, reason: why, ...(token !== undefined && { token }) });
    const taken = failureLimit.take(peer);
    counter.inc({ outcome: taken.ok ? why : "limited" });
    return taken.ok
      ? { kind: "invalid", ...explanations[why] }
      : { kind: "limited", retryAfterS: Math.max(1, Math.ceil(taken.retryAfterMs / 1_000)) };
  };

  return {
    denialOf,

    async authenticate({ authorization, peer }) {
      if (authorization === undefined) return withoutToken();
      const text = bearerToken(authorization);
      if (text === undefined) return refuse(peer, "scheme", undefined);
      // Looked at even where the address has no attempt left: nobody is locked out by what others behind it try.
      const verdict = await tokens.authenticate(text);
      if (verdict.kind === "invalid") return refuse(peer, verdict.reason, verdict.token?.name);
      counter.inc({ outcome: "accepted" });
      const { id, name, role } = verdict.token;
      return { kind: "caller", caller: { name, role, tokenId: id } };
    },
  };
}

/** The token of `Bearer TOKEN` (RFC 6750 section 2.1; schemes ignore case). */
function bearerToken(authorization: string): string | undefined {
  if (authorization.length > maxAuthorizationChars) return undefined;
  return /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(authorization)?.[1];
}
