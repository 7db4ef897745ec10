import type { JsonSchema } from "../base/json-schema.ts";
import { nearest } from "../base/nearest.ts";
import { type LabelSelector, maxSelectorLength, parseLabelSelector } from "../model/label-selector.ts";
import { defaultPageLimit, maxPageLimit, type PagePosition, parsePageLimit, parsePageToken } from "./paging.ts";
import { problems, type Result, success } from "./route.ts";
import type { ParameterDoc } from "./route-doc.ts";
import type { ProblemDetailView } from "./types/server.ts";

/** A parameter of a query: how its text is read, and how it is told to people. */
export interface Parameter<T> {
  /** undefined: it cannot be taken. */
  readonly parse: (text: string) => T | undefined;
  /** Why it cannot be taken: a whole sentence. */
  readonly refusal: string;
  readonly summary: string;
  readonly schema: JsonSchema;
  readonly example?: unknown;
}

export type Parameters = Readonly<Record<string, Parameter<unknown>>>;

export type ValuesOf<P extends Parameters> = {
  readonly [K in keyof P]?: P[K] extends Parameter<infer T> ? T : never;
};

/** Reads a query; every problem at once. */
export function decodeQuery<P extends Parameters>(
  query: Readonly<Record<string, unknown>>,
  parameters: P,
): Result<ValuesOf<P>> {
  const errors: ProblemDetailView[] = [];
  const values = Object.entries(query).map(([name, text]) => {
    const parameter = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
    if (parameter === undefined) errors.push(unknownParameter(name, Object.keys(parameters)));
    else if (typeof text !== "string") errors.push({ parameter: name, message: "It is given more than once." });
    else {
      const value = parameter.parse(text);
      if (value === undefined) errors.push({ parameter: name, message: parameter.refusal });
      return [name, value] as const;
    }
    return [name, undefined] as const;
  });
  if (errors.length > 0) return { ok: false, answer: problems("api/invalid-query", errors) };
  return success(Object.fromEntries(values) as ValuesOf<P>);
}

function unknownParameter(name: string, known: readonly string[]): ProblemDetailView {
  const parameter = name.slice(0, 64);
  const meant = nearest(parameter, known);
  const all = known.length === 0 ? "There are none here." : `Known are ${known.join(", ")}.`;
  const hint = meant === undefined ? all : `Did you mean ${meant}?`;
  return { parameter, message: "There is no such parameter here.", hint };
}

export const parameterDocs = (parameters: Parameters): readonly ParameterDoc[] =>
  Object.entries(parameters).map(([name, { summary, schema, example }]) => ({
    in: "query",
    name,
    summary,
    schema,
    ...(example !== undefined && { example }),
  }));

/* The parameters that several routes have. */

const flags: ReadonlyMap<string, boolean> = new Map([
  ["true", true],
  ["false", false],
]);

export const flag = (summary: string): Parameter<boolean> => ({
  parse: (text) => flags.get(text),
  refusal: "It must be true or false.",
  summary,
  schema: { type: "boolean", default: false },
});

const maxText = 1_024;

/** A text that is compared with something. */
export const exactly = (summary: string): Parameter<string> => ({
  parse: (text) => (text.length <= maxText ? text : undefined),
  refusal: `It must be a text of at most ${maxText} characters.`,
  summary,
  schema: { type: "string", maxLength: maxText },
});

export const oneOfTexts = <T extends string>(summary: string, values: readonly T[]): Parameter<T> => ({
  parse: (text) => values.find((value) => value === text),
  refusal: `It must be one of ${values.join(", ")}.`,
  summary,
  schema: { type: "string", enum: values },
});

const maxRevision = 999_999_999_999_999;

export const revisionNumber = (summary: string): Parameter<number> => ({
  parse: (text) => (/^(0|[1-9][0-9]{0,14})$/.test(text) ? Number(text) : undefined),
  refusal: "It must be the number of a revision.",
  summary,
  schema: { type: "integer", minimum: 0, maximum: maxRevision },
});

export const pageParameters = {
  limit: {
    parse: parsePageLimit,
    refusal: `It must be a number from 1 to ${maxPageLimit}.`,
    summary: "How many items a page has at most.",
    schema: { type: "integer", minimum: 1, maximum: maxPageLimit, default: defaultPageLimit },
  } satisfies Parameter<number>,
  continue: {
    parse: parsePageToken,
    refusal: "It is not what a page before gave.",
    summary: "What the page before gave as `continue`.",
    schema: { type: "string", minLength: 1, maxLength: 8_192, pattern: "^[A-Za-z0-9_-]+$" },
  } satisfies Parameter<PagePosition>,
};

export const labelSelector: Parameter<LabelSelector> = {
  parse: parseLabelSelector,
  refusal: "It must be a label selector such as app=reviews,version in (v1,v2),!canary.",
  summary:
    "Only rules with these labels, in Kubernetes' grammar: `a=b`, `a!=b`, `a in (b,c)`, `a notin (b,c)`, `a`, `!a`.",
  schema: { type: "string", maxLength: maxSelectorLength },
  example: "app=reviews",
};
