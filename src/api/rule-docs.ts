import { schemaOf } from "../base/decode.ts";
import type { JsonSchema } from "../base/json-schema.ts";
import type { RuleKind } from "../config/rule.ts";
import { pluralOf, ruleKinds } from "../config/rule-kinds.ts";
import { ruleSchema } from "../config/schemas.ts";
import { json, jsonPatch, mergePatch, yaml } from "./media-types.ts";
import type { AnswerDoc, BodyDoc, ParameterDoc } from "./route-doc.ts";
import { ruleObjectView } from "./shapes/rules.ts";

/** What the documentation of several routes has in common. */

export const kinds = Object.keys(ruleKinds) as readonly RuleKind[];

/** `VirtualServices`: the kind in names of operations. */
export const manyOf = (kind: RuleKind): string => (/[^aeiou]y$/.test(kind) ? `${kind.slice(0, -1)}ies` : `${kind}s`);

const label: JsonSchema = { type: "string", pattern: "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$" };

export const namespaceParameter: ParameterDoc = {
  in: "path",
  name: "namespace",
  required: true,
  summary: "The rule's namespace.",
  schema: label,
  example: "shop",
};

export const nameParameter: ParameterDoc = {
  in: "path",
  name: "name",
  required: true,
  summary: "The rule's name.",
  schema: {
    type: "string",
    maxLength: 253,
    pattern: "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$",
  },
  example: "reviews",
};

const tags: JsonSchema = { type: "string", pattern: '^(\\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)$', maxLength: 1_024 };

export const ifMatch: ParameterDoc = {
  in: "header",
  name: "If-Match",
  summary: "Only when the rule is still at a version with one of these ETags (`*`: only when there is one).",
  schema: tags,
  example: '"7.y"',
};

export const ifNoneMatch: ParameterDoc = {
  in: "header",
  name: "If-None-Match",
  summary: "`*`: only when there is no such rule yet.",
  schema: tags,
  example: "*",
};

export const ifNoneMatchOfReads: ParameterDoc = {
  ...ifNoneMatch,
  summary: "304 when the answer would have one of these ETags.",
  example: '"7.y"',
};

export const reasonParameter: ParameterDoc = {
  in: "header",
  name: "X-Change-Reason",
  summary: "Why, in your words; kept with the revision.",
  // UTF-8, as its bytes are when a header is read.
  schema: { type: "string", maxLength: 1_024, pattern: "^[ -~\u00a0-\u00ff]*$" },
};

const etag = {
  ETag: "The version and form of what is given: good for `If-Match` and `If-None-Match`. A dry run gives none.",
};

const yamlText: JsonSchema = { type: "string" };

/** The rule as an answer. */
export const ruleAnswer = (summary: string, headers: Readonly<Record<string, string>> = {}): AnswerDoc => ({
  summary,
  types: { [json]: schemaOf(ruleObjectView), [yaml]: yamlText },
  headers: { ...etag, ...headers },
});

export const notModified: AnswerDoc = { summary: "It is still what the client has.", headers: etag };

export const ruleBody = (kind: RuleKind): BodyDoc => ({
  required: true,
  types: { [json]: ruleSchema(kind), [yaml]: ruleSchema(kind) },
});

export const patchBody: BodyDoc = {
  required: true,
  types: {
    [mergePatch]: { type: "object" },
    [jsonPatch]: {
      type: "array",
      maxItems: 1_000,
      items: {
        type: "object",
        properties: {
          op: { type: "string", enum: ["add", "remove", "replace", "move", "copy", "test"] },
          path: { type: "string" },
          from: { type: "string" },
          value: {},
        },
        required: ["op", "path"],
      },
    },
  },
};

export const collectionPath = (kind: RuleKind): `/${string}` => `/api/v1/namespaces/:namespace/${pluralOf(kind)}`;
export const itemPath = (kind: RuleKind): `/${string}` => `${collectionPath(kind)}/:name`;
