import type { TokensPort } from "../api/ports.ts";
import type { TokenView } from "../api/types/access.ts";
import type { Clock } from "../base/clock.ts";
import { timeText } from "../base/time-text.ts";
import { type Token, tokenState } from "../security/token.ts";
import type { TokenCreation, Tokens } from "../security/tokens.ts";

/** Tokens as the API speaks of them: those that count now. */
export function createTokensPort({ tokens, clock }: { readonly tokens: Tokens; readonly clock: Clock }): TokensPort {
  return {
    create: async (request, by) => {
      const creation = await tokens.create(request, by);
      if (creation.kind !== "created") return { conflict: conflicts[creation.kind] };
      return { ...tokenView(creation.token), token: creation.text };
    },
    list: async () => {
      const nowMs = clock.now();
      return (await tokens.list()).filter((token) => tokenState(token, nowMs) === "live").map(tokenView);
    },
    revoke: async (token, by) => (await tokens.revoke(token, by)) !== undefined,
  };
}

const conflicts: Readonly<Record<Exclude<TokenCreation["kind"], "created">, string>> = {
  "name-taken": "A token of this name is in use already; revoke it first, or choose another name.",
  "too-many": "There are too many tokens; revoke some first.",
};

export function tokenView({ id, name, role, createdAtMs, createdBy, expiresAtMs, lastUsedAtMs }: Token): TokenView {
  return {
    id,
    name,
    role,
    createdAt: timeText(createdAtMs),
    createdBy,
    ...(expiresAtMs !== undefined && { expiresAt: timeText(expiresAtMs) }),
    ...(lastUsedAtMs !== undefined && { lastUsedAt: timeText(lastUsedAtMs) }),
  };
}
