import { choice, decode, parsed, schemaOf } from "../base/decode.ts";
import { object, optional, required } from "../base/decode-object.ts";
import { parseDurationMs } from "../base/duration.ts";
import { dnsLabel } from "../config/fields.ts";
import { jsonBody } from "./json-body.ts";
import { json } from "./media-types.ts";
import { decodeQuery } from "./query.ts";
import { list } from "./read-routes.ts";
import { ok, problem, problems, type Route } from "./route.ts";
import { newTokenView, tokenView, whoAmIView } from "./shapes/access.ts";
import type { NewTokenView, Role, TokenView, WhoAmIView } from "./types/access.ts";

const maxExpiryMs = 10 * 365 * 24 * 3_600_000;

const roles: Readonly<Record<Role, Role>> = { viewer: "viewer", editor: "editor", admin: "admin" };

function parseExpiry(text: string): number | undefined {
  const days = /^([1-9][0-9]{0,3})d$/.exec(text)?.[1];
  const ms = days === undefined ? parseDurationMs(text) : Number(days) * 24 * 3_600_000;
  return ms !== undefined && ms >= 1_000 && ms <= maxExpiryMs ? ms : undefined;
}

const tokenBody = object({
  name: required(dnsLabel),
  role: required(choice<Role>(roles)),
  expiresIn: optional(parsed(parseExpiry, "a time from 1s to 3650d, such as 12h or 30d")),
});

/** Who may use the API. */
export const tokenRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/api/v1/whoami",
    access: "read",
    doc: {
      operation: "whoAmI",
      summary: "Whose token this is, and its role.",
      parameters: [],
      answers: { 200: { summary: "The caller.", types: { [json]: schemaOf(whoAmIView) } } },
      problems: [],
    },
    handler: ({ caller, query }) => {
      const decoded = decodeQuery(query, {});
      return decoded.ok ? ok<WhoAmIView>({ name: caller.name, role: caller.role }) : decoded.answer;
    },
  },
  list<TokenView>({
    path: "/api/v1/tokens",
    access: "administer",
    operation: "listTokens",
    summary: "The tokens that count, without what is secret about them.",
    shape: tokenView,
    items: (ports) => ports.tokens.list(),
    key: (token) => token.name,
    filters: {},
  }),
  {
    method: "POST",
    path: "/api/v1/tokens",
    access: "administer",
    doc: {
      operation: "createToken",
      summary: "A new token. It is shown this once.",
      parameters: [],
      body: { required: true, types: { [json]: schemaOf(tokenBody) } },
      answers: {
        201: {
          summary: "The token.",
          types: { [json]: schemaOf(newTokenView) },
          headers: { Location: "Where it is revoked." },
        },
      },
      problems: ["api/invalid-syntax", "api/invalid", "api/conflict", "store/full", "store/read-only", "store/failed"],
    },
    handler: async (request) => {
      const query = decodeQuery(request.query, {});
      if (!query.ok) return query.answer;
      const body = jsonBody(request.body);
      if (!body.ok) return body.answer;
      const decoded = decode(tokenBody, body.value);
      if (!decoded.ok) return problems("api/invalid", decoded.problems);
      const { expiresIn, ...token } = decoded.value;
      const { ports, caller, log } = request;
      const made = await ports.tokens.create(
        { ...token, ...(expiresIn !== undefined && { expiresInMs: expiresIn }) },
        caller.name,
      );
      if ("conflict" in made) return problem("api/conflict", made.conflict);
      log.info({ by: caller.name, token: made.id, name: made.name, role: made.role }, "token created");
      const headers = { location: `/api/v1/tokens/${made.id}` };
      return { kind: "json", status: 201, body: made satisfies NewTokenView, headers };
    },
  },
  {
    method: "DELETE",
    path: "/api/v1/tokens/:id",
    access: "administer",
    doc: {
      operation: "revokeToken",
      summary: "A token that shall count no more, by its id or name.",
      parameters: [
        {
          in: "path",
          name: "id",
          required: true,
          summary: "Its id or name.",
          schema: { type: "string", minLength: 1 },
        },
      ],
      answers: { 204: { summary: "It counts no more." } },
      problems: ["api/not-found", "store/full", "store/read-only", "store/failed"],
    },
    handler: async ({ ports, params, caller, log, query }) => {
      const decoded = decodeQuery(query, {});
      if (!decoded.ok) return decoded.answer;
      const token = params["id"] ?? "";
      const revoked = await ports.tokens.revoke(token, caller.name);
      if (!revoked) return problem("api/not-found", "There is no such token.");
      log.info({ by: caller.name, token }, "token revoked");
      return { kind: "empty", status: 204, headers: {} };
    },
  },
];
