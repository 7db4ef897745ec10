import { type ApiRequest, failure, problems, type Result, success } from "./route.ts";

const maxReason = 1_024;
const maxIdempotencyKey = 255;
const controlCharacter = /\p{Cc}/u;

/** Why a change is made, in the author's words: the header `X-Change-Reason`. */
export function changeReason({ header }: Pick<ApiRequest, "header">): Result<string | undefined> {
  const given = header("x-change-reason");
  if (given === undefined || given.trim() === "") return success(undefined);
  // Headers come as bytes; those of people are UTF-8.
  const bytes = Buffer.from(given, "latin1");
  const utf8 = bytes.toString();
  const reason = utf8.includes("\ufffd") ? given : utf8;
  if (reason.length > maxReason) return badHeader("X-Change-Reason", `It must have at most ${maxReason} characters.`);
  if (controlCharacter.test(reason)) return badHeader("X-Change-Reason", "It must be text on one line, without tabs.");
  return success(reason);
}

/** The header `Idempotency-Key`: the same change sent twice is made once. */
export function idempotencyKey({ header }: Pick<ApiRequest, "header">): Result<string | undefined> {
  const given = header("idempotency-key");
  if (given === undefined) return success(undefined);
  if (given.length <= maxIdempotencyKey && /^[\x21-\x7e]+$/.test(given)) return success(given);
  return badHeader("Idempotency-Key", `It must be one word of at most ${maxIdempotencyKey} ASCII characters.`);
}

export const badHeader = (parameter: string, message: string): Result<never> => ({
  ok: false,
  answer: problems("api/invalid-query", [{ parameter, message }]),
});

/** The answer where a header must be there and is not. */
export const missingPrecondition = (how: string): Result<never> =>
  failure("api/precondition-required", "This server takes no change that does not say which version it changes.", {
    hint: how,
  });
