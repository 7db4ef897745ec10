import type { DatabaseSync } from "node:sqlite";
import type { Token } from "./token.ts";

/** Ends tokens as the same ones ended, or will end, elsewhere: what a restored backup must not undo. None lives longer for it. */
export function endTokensAs(db: DatabaseSync, elsewhere: readonly Token[]): void {
  const end = db.prepare(`
    UPDATE tokens SET
      revoked_at = coalesce(revoked_at, :revokedAtMs),
      revoked_by = coalesce(revoked_by, :revokedBy),
      expires_at = coalesce(min(expires_at, :expiresAtMs), expires_at, :expiresAtMs)
    WHERE id = :id
  `);
  for (const { id, revokedAtMs = null, revokedBy = null, expiresAtMs = null } of elsewhere) {
    end.run({ id, revokedAtMs, revokedBy, expiresAtMs });
  }
}
