import type { FastifyRequest } from "fastify";
import { mediaTypeOf } from "./media-types.ts";
import type { Problem } from "./problem.ts";
import type { Body, Route } from "./route.ts";

/** Bodies of types that the route does not take are not read. */
export function bodyRefusal(request: FastifyRequest, { method, doc }: Route): Problem | undefined {
  if (doc.body === undefined || !hasBody(request)) return undefined;
  const given = request.headers["content-type"];
  const taken = Object.keys(doc.body.types);
  const type = given === undefined ? undefined : mediaTypeOf(given);
  if (type !== undefined && taken.includes(type)) return undefined;
  const list = taken.join(", ");
  const header = { PATCH: "accept-patch", POST: "accept-post" }[method as string] ?? "accept";
  return {
    code: "api/unsupported-media-type",
    detail:
      given === undefined ? "The request does not say what its body is." : "A body of this type is not taken here.",
    hint: `Send Content-Type: ${taken.join(" or ")}, in UTF-8.`,
    headers: { [header]: list },
  };
}

export const hasBody = ({ headers }: FastifyRequest): boolean =>
  headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;

/** undefined: there is none. */
export function bodyOf(request: FastifyRequest): Body | undefined | "not utf-8" {
  const bytes = request.body;
  if (!(bytes instanceof Uint8Array) || bytes.length === 0) return undefined;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return { type: mediaTypeOf(request.headers["content-type"] ?? "") ?? "", text };
  } catch {
    return "not utf-8";
  }
}

export const notUtf8: Problem = { code: "api/invalid-syntax", detail: "The body is not UTF-8." };
