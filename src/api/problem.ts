import type { MeshError } from "../base/errors.ts";
import type { ProblemDetailView, ProblemView } from "./types/server.ts";

/** The closed table of what the API can answer when it cannot do what was asked. Of one status, the general one is first. */
export const problemCodes = {
  "api/invalid-request": { status: 400, title: "The request cannot be read" },
  "api/invalid-query": { status: 400, title: "The query or a header is not valid" },
  "api/invalid-syntax": { status: 400, title: "The body is not valid YAML or JSON" },
  "api/unauthenticated": { status: 401, title: "A valid token is needed" },
  "api/forbidden": { status: 403, title: "This token may not do that" },
  "api/foreign-origin": { status: 403, title: "A page of another site may not do that" },
  "api/not-found": { status: 404, title: "There is nothing here" },
  "api/method-not-allowed": { status: 405, title: "That cannot be done here" },
  "api/not-acceptable": { status: 406, title: "It cannot be given in this form" },
  "api/request-timeout": { status: 408, title: "The request took too long to arrive" },
  "api/conflict": { status: 409, title: "It conflicts with what is there" },
  "api/managed-elsewhere": { status: 409, title: "It is managed elsewhere" },
  "api/still-referenced": { status: 409, title: "Other rules refer to it" },
  "api/gone": { status: 410, title: "It is too long ago" },
  "api/precondition-failed": { status: 412, title: "It is not the version that was expected" },
  "api/too-large": { status: 413, title: "The request is too large" },
  "api/unsupported-media-type": { status: 415, title: "A body of this type is not taken" },
  "api/foreign-host": { status: 421, title: "This server does not answer for that host" },
  "api/invalid": { status: 422, title: "What the body says is not valid" },
  "api/idempotency-key-reused": { status: 422, title: "The Idempotency-Key is that of another change" },
  "api/dangling": { status: 422, title: "It refers to something that is missing" },
  "api/breaks-route-tests": { status: 422, title: "Requests would go elsewhere than tests say" },
  "api/precondition-required": { status: 428, title: "The expected version must be named" },
  "api/limited": { status: 429, title: "These are too many requests" },
  "api/headers-too-large": { status: 431, title: "The request's headers are too large" },
  "api/failed": { status: 500, title: "The server failed" },
  "store/corrupt": { status: 500, title: "The store is damaged" },
  "store/layout": { status: 500, title: "The store has another layout" },
  "store/failed": { status: 500, title: "The store failed" },
  "api/unavailable": { status: 503, title: "The server cannot answer now" },
  "store/read-only": { status: 503, title: "The store cannot be written" },
  "store/busy": { status: 503, title: "The store has too much to do" },
  "store/full": { status: 507, title: "There is no room to store it" },
} as const satisfies Record<string, { readonly status: number; readonly title: string }>;

export type ProblemCode = keyof typeof problemCodes;

export interface Problem {
  readonly code: ProblemCode;
  readonly detail: string;
  readonly hint?: string;
  readonly errors?: readonly ProblemDetailView[];
  /** Further headers of the answer. */
  readonly headers?: Readonly<Record<string, string>>;
}

export const problemContentType = "application/problem+json";

export function problemView({ code, detail, hint, errors }: Problem, instance: string, requestId: string): ProblemView {
  return {
    type: `urn:fairway:error:${code}`,
    ...problemCodes[code],
    detail,
    instance,
    requestId,
    code,
    ...(hint !== undefined && { hint }),
    ...(errors !== undefined && { errors }),
  };
}

const byStatus: ReadonlyMap<number, ProblemCode> = new Map(
  (Object.keys(problemCodes) as readonly ProblemCode[]).toReversed().map((code) => [problemCodes[code].status, code]),
);

/** What a status that the HTTP layer chose means to us; undefined where only "it failed" can be said. */
export const problemCodeOf = (status: number): ProblemCode | undefined =>
  byStatus.get(status) ?? (status >= 400 && status < 500 ? "api/invalid-request" : undefined);

const isProblemCode = (code: string): code is ProblemCode => Object.hasOwn(problemCodes, code);

/** What a failed operation means to the client; undefined where it is told no more than that it failed. */
export function problemOfError({ code, message, hint }: MeshError): Problem | undefined {
  if (!isProblemCode(code)) return undefined;
  const detail = `${message.charAt(0).toUpperCase()}${message.slice(1)}.`;
  const headers = problemCodes[code].status === 503 ? { "retry-after": "1" } : undefined;
  return { code, detail, ...(hint !== undefined && { hint }), ...(headers !== undefined && { headers }) };
}
