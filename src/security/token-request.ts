import { choice, type Decoder, mapped, parsed } from "../base/decode.ts";
import { object, optional, required } from "../base/decode-object.ts";
import { parseDurationMs } from "../base/duration.ts";
import { labelGrammar } from "../model/grammars.ts";
import { type Role, roles } from "./roles.ts";

export interface TokenRequest {
  readonly name: string;
  readonly role: Role;
  /** Absent: it never expires. */
  readonly expiresInMs?: number;
}

const lifetimeMs = { min: 1_000, max: 10 * 365 * 24 * 3_600_000 } as const;

function parseLifetimeMs(text: string): number | undefined {
  const ms = parseDurationMs(text);
  return ms !== undefined && ms >= lifetimeMs.min && ms <= lifetimeMs.max ? ms : undefined;
}

const written = object({
  name: required(
    parsed((name) => name, "a name of at most 63 lower-case letters, digits and dashes", {
      maxLength: 63,
      pattern: labelGrammar,
      hint: "For example ci or anna-laptop.",
    }),
  ),
  role: required(choice<Role>(Object.fromEntries(roles.map((role) => [role, role])))),
  expiresIn: optional(
    parsed(parseLifetimeMs, "a duration from 1s to 87600h", { maxLength: 32, hint: "For example 12h or 720h." }),
  ),
});

/** `{ name, role, expiresIn? }` with a duration (`720h`) as operators write it. */
export const tokenRequest: Decoder<TokenRequest> = mapped(written, ({ name, role, expiresIn }) => ({
  name,
  role,
  ...(expiresIn !== undefined && { expiresInMs: expiresIn }),
}));
