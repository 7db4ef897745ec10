import { timingSafeEqual } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import type { Call } from "../base/database.ts";
import type { Log } from "../base/log.ts";
import { shareRuns } from "./share-runs.ts";
import { type Token, tokenState } from "./token.ts";
import type { StoredToken, TokenInsertion, tokenProcedures } from "./token-procedures.ts";
import type { TokenRequest } from "./token-request.ts";
import { formatTokenText, newTokenText, parseTokenText, secretHash } from "./token-text.ts";

export type TokenCreation =
  /** `text` is all of the token, and is known nowhere else from now on. */
  | { readonly kind: "created"; readonly token: Token; readonly text: string }
  | { readonly kind: Exclude<TokenInsertion, "created"> };

export type TokenVerdict =
  | { readonly kind: "valid"; readonly token: Token }
  /** `token`: whose it is, where the secret was right. */
  | { readonly kind: "invalid"; readonly reason: InvalidToken; readonly token?: Token };

/** `unknown`: no such id, or not its secret. */
export type InvalidToken = "malformed" | "mistyped" | "unknown" | "expired" | "revoked";

/** The tokens of one database, which other processes may change too. Everything rejects with a `store/…` error of the database. */
export interface Tokens {
  /** `keep` gets the text before the token exists; there will be none if it rejects. */
  readonly create: (
    request: TokenRequest,
    by: string,
    keep?: (text: string) => Promise<void>,
  ) => Promise<TokenCreation>;
  /** All tokens, ended ones too, oldest first. */
  readonly list: () => Promise<readonly Token[]>;
  /** Counts at once. `idOrName`: the name of a live token, or the id of any. undefined: there is none. */
  readonly revoke: (idOrName: string, by: string) => Promise<Token | undefined>;
  /** Whose token is this? One that is known needs no database, except for a look every few seconds. */
  readonly verify: (text: string) => Promise<TokenVerdict>;
  /** The same, and notes the use of a valid token. */
  readonly authenticate: (text: string) => Promise<TokenVerdict>;
  /** Was there never a token? */
  readonly isEmpty: () => Promise<boolean>;
}

export interface TokensOptions {
  readonly call: Call<typeof tokenProcedures>;
  readonly clock: Clock;
  readonly log: Log;
}

/** What another process did counts after this time. From half of it on, tokens are read again while what is known still serves. */
const maxAgeMs = 10_000;
/** Unknown ids make the database be read this often at most. */
const readGapMs = 250;
const noteUseMs = 3_600_000;

/** Compared with when an id is unknown, so that this takes as long as a wrong secret. No secret has this hash. */
const nobody = new Uint8Array(32);

export function createTokens({ call, clock, log }: TokensOptions): Tokens {
  let known: ReadonlyMap<string, StoredToken> = new Map();
  let triedAtMs = Number.NEGATIVE_INFINITY;

  const learn = (token: StoredToken): void => {
    known = new Map(known).set(token.id, token);
  };
  const readAgain = shareRuns(
    async () => {
      triedAtMs = clock.now();
      const tokens = await call("listTokens", null).catch((err: unknown) => {
        log.warn({ err }, "cannot read the tokens; those known so far count");
        throw err;
      });
      known = new Map(tokens.map((token) => [token.id, merged(token, known.get(token.id))]));
    },
    { clock, gapMs: readGapMs },
  );
  const refresh = (): Promise<void> => readAgain().catch(() => {});

  const verify = async (text: string): Promise<TokenVerdict> => {
    const parsed = parseTokenText(text);
    if (parsed.kind !== "token") return { kind: "invalid", reason: parsed.kind };
    // Old, or of a time that the clock was set back from.
    const ageMs = Math.abs(clock.now() - triedAtMs);
    if (!known.has(parsed.id)) await readAgain();
    else if (ageMs > maxAgeMs) await refresh();
    else if (ageMs > maxAgeMs / 2) void refresh();

    const found = known.get(parsed.id);
    const matches = timingSafeEqual(secretHash(parsed.secret), found?.hash ?? nobody);
    if (found === undefined || !matches) return { kind: "invalid", reason: "unknown" };
    const state = tokenState(found, clock.now());
    const token = withoutHash(found);
    return state === "live" ? { kind: "valid", token } : { kind: "invalid", reason: state, token };
  };

  const noteUse = (id: string): void => {
    const token = known.get(id);
    const nowMs = clock.now();
    if (token === undefined || nowMs - (token.lastUsedAtMs ?? Number.NEGATIVE_INFINITY) < noteUseMs) return;
    learn({ ...token, lastUsedAtMs: nowMs });
    call("noteTokenUse", { id, nowMs }).catch((err: unknown) =>
      log.warn({ err, token: token.name }, "cannot note that a token was used"),
    );
  };

  return {
    async create({ name, role, expiresInMs }, by, keep) {
      const text = newTokenText();
      const whole = formatTokenText(text);
      await keep?.(whole);
      const createdAtMs = clock.now();
      const token = {
        id: text.id,
        name,
        role,
        createdAtMs,
        createdBy: by,
        expiresAtMs: expiresInMs === undefined ? undefined : createdAtMs + expiresInMs,
      };
      const hash = secretHash(text.secret);
      const outcome = await call("createToken", { ...token, hash });
      if (outcome !== "created") return { kind: outcome };
      const created = { ...token, revokedAtMs: undefined, revokedBy: undefined, lastUsedAtMs: undefined };
      learn({ ...created, hash });
      log.info({ token: name, id: text.id, role, by }, "token created");
      return { kind: "created", token: created, text: whole };
    },

    async list() {
      return (await call("listTokens", null)).map(withoutHash);
    },

    async revoke(idOrName, by) {
      const revoked = await call("revokeToken", { idOrName, nowMs: clock.now(), by });
      if (revoked === undefined) return undefined;
      learn(revoked);
      log.info({ token: revoked.name, id: revoked.id, by }, "token revoked");
      return withoutHash(revoked);
    },

    verify,

    async authenticate(text) {
      const verdict = await verify(text);
      if (verdict.kind === "valid") noteUse(verdict.token.id);
      return verdict;
    },

    async isEmpty() {
      return (await call("listTokens", null)).length === 0;
    },
  };
}

const withoutHash = ({ hash: _, ...token }: StoredToken): Token => token;

/** As read, but for what this process knows better: it may have revoked the token, or noted a use, while that was read. */
const merged = (read: StoredToken, before: StoredToken | undefined): StoredToken =>
  before === undefined
    ? read
    : {
        ...read,
        revokedAtMs: read.revokedAtMs ?? before.revokedAtMs,
        revokedBy: read.revokedBy ?? before.revokedBy,
        lastUsedAtMs: Math.max(read.lastUsedAtMs ?? 0, before.lastUsedAtMs ?? 0) || undefined,
      };
