import type { JsonSchema } from "../base/json-schema.ts";
import type { ProblemCode } from "./problem.ts";

/** What a route of the API takes and gives: the row of the reference page and of the OpenAPI document. */
export interface RouteDoc {
  /** The operation's name for generated clients: camelCase, one in the whole API. */
  readonly operation: string;
  /** One line. */
  readonly summary: string;
  /** More, in whole sentences; Markdown. */
  readonly description?: string;
  readonly parameters: readonly ParameterDoc[];
  readonly body?: BodyDoc;
  /** By status: what is answered when it went well. */
  readonly answers: Readonly<Record<number, AnswerDoc>>;
  /** What can be answered when it did not; the statuses are theirs. */
  readonly problems: readonly ProblemCode[];
}

export interface BodyDoc {
  readonly required: boolean;
  /** By media type. */
  readonly types: Readonly<Record<string, JsonSchema>>;
}

export interface ParameterDoc {
  readonly in: "path" | "query" | "header";
  readonly name: string;
  /** Parameters of the path always are. */
  readonly required?: boolean;
  readonly summary: string;
  /** Of the value after the text of the URL or the header was read. */
  readonly schema: JsonSchema;
  readonly example?: unknown;
}

export interface AnswerDoc {
  readonly summary: string;
  /** By media type; absent: the answer has no body. */
  readonly types?: Readonly<Record<string, JsonSchema>>;
  /** Header name to what it says. */
  readonly headers?: Readonly<Record<string, string>>;
}
