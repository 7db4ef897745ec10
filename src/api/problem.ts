import type { ProblemDetailView, ProblemView } from "./types.ts";

/** The closed table of what the API can answer when it cannot do what was asked. */
export const problemCodes = {
  "api/invalid-request": { status: 400, title: "The request cannot be read" },
  "api/invalid-query": { status: 400, title: "The query is not valid" },
  "api/not-found": { status: 404, title: "There is nothing here" },
  "api/method-not-allowed": { status: 405, title: "This can only be read" },
  "api/request-timeout": { status: 408, title: "The request took too long to arrive" },
  "api/too-large": { status: 413, title: "The request is too large" },
  "api/foreign-host": { status: 421, title: "This server does not answer for that host" },
  "api/headers-too-large": { status: 431, title: "The request's headers are too large" },
  "api/failed": { status: 500, title: "The server failed" },
  "api/unavailable": { status: 503, title: "The server cannot answer now" },
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
  (Object.keys(problemCodes) as readonly ProblemCode[])
    .filter((code) => code !== "api/invalid-query")
    .map((code) => [problemCodes[code].status, code]),
);

/** What a status that the HTTP layer chose means to us; undefined where only "it failed" can be said. */
export const problemCodeOf = (status: number): ProblemCode | undefined =>
  byStatus.get(status) ?? (status >= 400 && status < 500 ? "api/invalid-request" : undefined);
