import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Action, ApiPorts, Caller, Verb } from "./ports.ts";
import type { Problem, ProblemCode } from "./problem.ts";
import type { RouteDoc } from "./route-doc.ts";
import type { ProblemDetailView, VersionView } from "./types/server.ts";
import type { WatchRequest } from "./watch.ts";

/** One thing that can be asked of the server: where, by whom, its reference, and what answers it. */
export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: `/${string}`;
  /** `open`: anybody, health and what describes the API itself. Else what the caller must be allowed to. */
  readonly access: "open" | Verb;
  /** The kind of rules that it is about. */
  readonly kind?: string;
  /** The instance that its requests are heartbeats of: they count for it alone, not among the caller's requests. */
  readonly heartbeatOf?: (params: ApiRequest["params"], ports: ApiPorts) => string | undefined;
  /** Its bodies may be as large as a change set. Default: as large as one rule. */
  readonly largeBody?: boolean;
  readonly doc: RouteDoc;
  readonly handler: (request: ApiRequest) => Answer | Promise<Answer>;
}

/** What all requests have to work with. */
export interface ApiContext {
  readonly ports: ApiPorts;
  readonly clock: Clock;
  readonly version: VersionView;
  /** Writes of rules must name the version that they change. */
  readonly requireIfMatch: boolean;
}

export interface ApiRequest extends ApiContext {
  readonly params: Readonly<Record<string, string>>;
  /** By parameter; a list where one was given several times. */
  readonly query: Readonly<Record<string, unknown>>;
  readonly header: (name: string) => string | undefined;
  /** Who asks; `anonymous` on open routes. */
  readonly caller: Caller;
  readonly requestId: string;
  /** Of this request: its lines have the request's id. */
  readonly log: Log;
  /** Only on routes that take one; undefined: none was sent. */
  readonly body: Body | undefined;
  readonly method: string;
}

export interface Body {
  /** One of the media types that the route takes. */
  readonly type: string;
  readonly text: string;
}

export type Headers = Readonly<Record<string, string>>;

export type Answer =
  | { readonly kind: "json"; readonly status: number; readonly body: object; readonly headers?: Headers }
  | {
      readonly kind: "text";
      readonly status?: number;
      readonly contentType: string;
      readonly text: string;
      readonly headers?: Headers;
    }
  | { readonly kind: "empty"; readonly status: 204 | 304; readonly headers: Headers }
  | { readonly kind: "problem"; readonly problem: Problem }
  | { readonly kind: "watch"; readonly watch: WatchRequest };

/** Something to work with, or the answer that says why there is none. */
export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly answer: Answer };

export const success = <T>(value: T): Result<T> => ({ ok: true, value });
export const failure = (code: ProblemCode, detail: string, more: Omit<Problem, "code" | "detail"> = {}) =>
  ({ ok: false, answer: problem(code, detail, more) }) as const;

export const ok = <T extends object>(body: T, headers: Headers = {}): Answer => ({
  kind: "json",
  status: 200,
  body,
  headers,
});

export const problem = (code: ProblemCode, detail: string, more: Omit<Problem, "code" | "detail"> = {}): Answer => ({
  kind: "problem",
  problem: { code, detail, ...more },
});

/** One sentence out of several faults, and the list of them. */
export const problems = (code: ProblemCode, errors: readonly ProblemDetailView[], hint?: string): Answer => {
  const shown = errors
    .slice(0, maxShown)
    .map(({ parameter, message }) => (parameter ? `${parameter}: ${message}` : message));
  const more = errors.length > maxShown ? [`And ${errors.length - maxShown} more.`] : [];
  return problem(code, [...shown, ...more].join(" "), { errors, ...(hint !== undefined && { hint }) });
};

const maxShown = 5;

/** What a route with these parameters of the path is about. */
export function actionOf({ access, kind }: Route, params: Readonly<Record<string, string>>): Action {
  const namespace = params["namespace"];
  return {
    verb: access === "open" ? "read" : access,
    ...(kind !== undefined && { kind }),
    ...(namespace !== undefined && { namespace }),
  };
}
