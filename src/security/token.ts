import type { Role } from "./roles.ts";

/** What is known of a token; never its secret. Times are milliseconds since the epoch. */
export interface Token {
  readonly id: string;
  /** Names one live token at a time. */
  readonly name: string;
  readonly role: Role;
  readonly createdAtMs: number;
  readonly createdBy: string;
  readonly expiresAtMs: number | undefined;
  readonly revokedAtMs: number | undefined;
  readonly revokedBy: string | undefined;
  /** To the hour. */
  readonly lastUsedAtMs: number | undefined;
}

export type TokenState = "live" | "expired" | "revoked";

export function tokenState({ expiresAtMs, revokedAtMs }: Token, nowMs: number): TokenState {
  if (revokedAtMs !== undefined) return "revoked";
  return expiresAtMs !== undefined && expiresAtMs <= nowMs ? "expired" : "live";
}
