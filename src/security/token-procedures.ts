import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import type { LayoutStep, Procedures } from "../base/database.ts";
import type { Role } from "./roles.ts";
import { type Token, tokenState } from "./token.ts";

/** A token as the database has it. */
export interface StoredToken extends Token {
  /** SHA-256 of the secret. */
  readonly hash: Uint8Array;
}

export const tokenLayout: LayoutStep = {
  name: "tokens",
  sql: `
    CREATE TABLE tokens (
      id TEXT PRIMARY KEY,
      name TEXT NOT NULL,
      role TEXT NOT NULL,
      hash BLOB NOT NULL CHECK (length(hash) = 32),
      created_at INTEGER NOT NULL,
      created_by TEXT NOT NULL,
      expires_at INTEGER,
      revoked_at INTEGER,
      revoked_by TEXT,
      last_used_at INTEGER
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX tokens_by_name ON tokens (name);
  `,
};

/** All tokens are kept in memory, so their number is bounded. */
export const maxLiveTokens = 1_000;
/** Ended tokens are remembered, so that their last users can be told why they are refused: this many, for this long. */
const keepEnded = { count: 1_000, ms: 90 * 24 * 3_600_000 } as const;

export type TokenInsertion = "created" | "name-taken" | "too-many";

const columns = "id, name, role, hash, created_at, created_by, expires_at, revoked_at, revoked_by, last_used_at";
/** Bound to the present. */
const live = "revoked_at IS NULL AND (expires_at IS NULL OR expires_at > :nowMs)";
const endedAt = "min(coalesce(revoked_at, expires_at), coalesce(expires_at, revoked_at))";

export const tokenProcedures = {
  /** Nothing is written where the name is taken by a live token, or there are too many of them. */
  createToken: (db: DatabaseSync, token: Omit<StoredToken, "revokedAtMs" | "revokedBy" | "lastUsedAtMs">) => {
    const nowMs = token.createdAtMs;
    const alive = tokensWhere(db, live, { nowMs });
    if (alive.some(({ name }) => name === token.name)) return "name-taken" satisfies TokenInsertion;
    if (alive.length >= maxLiveTokens) return "too-many" satisfies TokenInsertion;
    forgetEnded(db, nowMs);
    db.prepare(
      `INSERT INTO tokens (id, name, role, hash, created_at, created_by, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ).run(token.id, token.name, token.role, token.hash, nowMs, token.createdBy, token.expiresAtMs ?? null);
    return "created" satisfies TokenInsertion;
  },

  /** All of them, ended ones too, oldest first. */
  listTokens: (db: DatabaseSync, _: null): readonly StoredToken[] => tokensWhere(db, "TRUE"),

  /** By its id, or by its name while it lives. Gives the token as it is now; one that was revoked before stays as it was. */
  revokeToken: (
    db: DatabaseSync,
    { idOrName, nowMs, by }: { readonly idOrName: string; readonly nowMs: number; readonly by: string },
  ): StoredToken | undefined => {
    const [found] = tokensWhere(db, `id = :idOrName OR (name = :idOrName AND ${live})`, { idOrName, nowMs });
    if (found === undefined || tokenState(found, nowMs) === "revoked") return found;
    db.prepare("UPDATE tokens SET revoked_at = ?, revoked_by = ? WHERE id = ?").run(nowMs, by, found.id);
    return { ...found, revokedAtMs: nowMs, revokedBy: by };
  },

  noteTokenUse: (db: DatabaseSync, { id, nowMs }: { readonly id: string; readonly nowMs: number }): void => {
    db.prepare("UPDATE tokens SET last_used_at = max(coalesce(last_used_at, 0), ?) WHERE id = ?").run(nowMs, id);
  },
} satisfies Procedures;

function forgetEnded(db: DatabaseSync, nowMs: number): void {
  const ended = `SELECT id FROM tokens WHERE NOT (${live}) ORDER BY ${endedAt} DESC`;
  db.prepare(`DELETE FROM tokens WHERE id IN (${ended} LIMIT -1 OFFSET ${keepEnded.count})`).run({ nowMs });
  db.prepare(`DELETE FROM tokens WHERE ${endedAt} < ?`).run(nowMs - keepEnded.ms);
}

const tokensWhere = (
  db: DatabaseSync,
  condition: string,
  values: Readonly<Record<string, string | number>> = {},
): readonly StoredToken[] =>
  db.prepare(`SELECT ${columns} FROM tokens WHERE ${condition} ORDER BY created_at, id`).all(values).map(tokenOf);

const tokenOf = (row: Record<string, SQLOutputValue>): StoredToken => ({
  id: String(row["id"]),
  name: String(row["name"]),
  role: row["role"] as Role,
  hash: row["hash"] as Uint8Array,
  createdAtMs: Number(row["created_at"]),
  createdBy: String(row["created_by"]),
  expiresAtMs: row["expires_at"] === null ? undefined : Number(row["expires_at"]),
  revokedAtMs: row["revoked_at"] === null ? undefined : Number(row["revoked_at"]),
  revokedBy: row["revoked_by"] === null ? undefined : String(row["revoked_by"]),
  lastUsedAtMs: row["last_used_at"] === null ? undefined : Number(row["last_used_at"]),
});
