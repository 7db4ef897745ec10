import { schemaOf } from "../base/decode.ts";
import type { JsonSchema } from "../base/json-schema.ts";
import { type RuleKind, ruleKey } from "../config/rule.ts";
import { pluralOf } from "../config/rule-kinds.ts";
import type { EventPosition, StoredDocument } from "../config/store.ts";
import { labelGrammar } from "../model/grammars.ts";
import { selectsLabels } from "../model/label-selector.ts";
import { eventStream, json, negotiate, yaml } from "./media-types.ts";
import { defaultPageLimit } from "./paging.ts";
import { jsonTag, namesRepresentation, parseTags, yamlTag } from "./preconditions.ts";
import {
  decodeQuery,
  flag,
  labelSelector,
  type Parameter,
  pageParameters,
  parameterDocs,
  type ValuesOf,
} from "./query.ts";
import { type Answer, type ApiRequest, failure, ok, problem, type Result, type Route, success } from "./route.ts";
import type { RouteDoc } from "./route-doc.ts";
import {
  collectionPath,
  ifNoneMatchOfReads,
  itemPath,
  manyOf,
  nameParameter,
  namespaceParameter,
  notModified,
  ruleAnswer,
} from "./rule-docs.ts";
import { documentsOfKind, documentsOfNamespace, pageOfDocuments } from "./rule-index.ts";
import { managerOf, ruleObject, ruleObjectOf } from "./rule-object.ts";
import { rulesYaml, ruleYaml } from "./rule-yaml.ts";
import { ruleListView, ruleStatusView } from "./shapes/rules.ts";
import type { RuleListView } from "./types/rules.ts";
import { parsePosition } from "./watch.ts";

const since: Parameter<EventPosition> = {
  parse: parsePosition,
  refusal: "It must be a revision such as 7, or the id of an event such as 7.2.",
  summary: "Of a watch: the revision of a list, or the id of the last event; all that is there comes first without it.",
  schema: { type: "string", pattern: "^(0|[1-9][0-9]{0,14})(\\.(0|[1-9][0-9]{0,14}))?$" },
  example: "7",
};

const listParameters = {
  ...pageParameters,
  labelSelector,
  watch: flag("A stream of events instead of a page; the same as `Accept: text/event-stream`."),
  since,
};

type ListValues = ValuesOf<typeof listParameters>;

/** How the rules of one kind are read. */
export function ruleReads(kind: RuleKind): readonly Route[] {
  return [
    {
      method: "GET",
      path: `/api/v1/${pluralOf(kind)}`,
      access: "read",
      kind,
      doc: listDoc(kind, `list${manyOf(kind)}`, `Every ${kind}, of all namespaces.`),
      handler: (request) => listRules(kind, request),
    },
    {
      method: "GET",
      path: collectionPath(kind),
      access: "read",
      kind,
      doc: listDoc(kind, `listNamespaced${manyOf(kind)}`, `Every ${kind} of a namespace.`),
      handler: (request) => listRules(kind, request),
    },
    {
      method: "GET",
      path: itemPath(kind),
      access: "read",
      kind,
      doc: {
        operation: `get${kind}`,
        summary: `One ${kind}: as its author wrote it, and what became of it.`,
        description:
          "As YAML it is the author's text to the byte, comments and all; where the author wrote JSON, YAML is made of it.",
        parameters: [namespaceParameter, nameParameter, ifNoneMatchOfReads],
        answers: { 200: ruleAnswer("The rule."), 304: notModified },
        problems: ["api/not-found", "api/not-acceptable"],
      },
      handler: (request) => onRule(kind, request, (document) => itemAnswer(document, request)),
    },
    {
      method: "GET",
      path: `${itemPath(kind)}/status`,
      access: "read",
      kind,
      doc: {
        operation: `get${kind}Status`,
        summary: `What became of a ${kind}: accepted, in force at how many proxies, refused by whom.`,
        parameters: [namespaceParameter, nameParameter],
        answers: { 200: { summary: "The status.", types: { [json]: schemaOf(ruleStatusView) } } },
        problems: ["api/not-found"],
      },
      handler: (request) => onRule(kind, request, (document) => ok(request.ports.ruleStatus(document))),
    },
  ];
}

/** Each event of a watch: its fields, as they stand in the stream. */
const streamEvent: JsonSchema = {
  type: "object",
  description: "Each event of the stream.",
  properties: {
    event: { type: "string", enum: ["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"] },
    id: { ...since.schema, description: "Good for `Last-Event-ID`. What was there at the beginning has none." },
    data: { type: "string", description: "JSON: `type`, `revision` and `object`; of an ERROR the problem." },
  },
  required: ["event", "data"],
};

function listDoc(kind: RuleKind, operation: string, summary: string): RouteDoc {
  return {
    operation,
    summary,
    description:
      "Pages are stable while rules come and go. As `text/event-stream` it is a watch: what is there as ADDED, a BOOKMARK, then every change; `Last-Event-ID` goes on where a connection was lost.",
    parameters: [
      ...(operation.includes("Namespaced") ? [namespaceParameter] : []),
      ...parameterDocs(listParameters),
      {
        in: "header",
        name: "Last-Event-ID",
        summary: "Of a watch: the id of the last event that arrived; goes before `since`.",
        schema: { type: "string", pattern: "^((0|[1-9][0-9]{0,14})(\\.(0|[1-9][0-9]{0,14}))?)?$" },
        example: "7.2",
      },
    ],
    answers: {
      200: {
        summary: `A page of them, or the stream.`,
        types: {
          [json]: schemaOf(ruleListView),
          [yaml]: { type: "string", description: `The documents of the page, ${kind} by ${kind}.` },
          [eventStream]: streamEvent,
        },
      },
    },
    problems: [
      ...(operation.includes("Namespaced") ? ["api/not-found" as const] : []),
      "api/not-acceptable",
      "api/gone",
    ],
  };
}

function onRule(kind: RuleKind, request: ApiRequest, answer: (document: StoredDocument) => Answer): Answer {
  const decoded = decodeQuery(request.query, {});
  if (!decoded.ok) return decoded.answer;
  const document = request.ports.store.get(keyOf(kind, request));
  return document === undefined ? noSuchRule(kind, request) : answer(document);
}

export const keyOf = (kind: RuleKind, { params }: Pick<ApiRequest, "params">) =>
  ruleKey(kind, params["namespace"] ?? "", params["name"] ?? "");

export const noSuchRule = (kind: RuleKind, { params }: Pick<ApiRequest, "params">): Answer =>
  problem("api/not-found", `There is no ${kind} ${params["name"]} in the namespace ${params["namespace"]}.`, {
    hint: `GET /api/v1/${pluralOf(kind)} lists all there are.`,
  });

function itemAnswer(document: StoredDocument, request: ApiRequest): Answer {
  const form = formOf(request);
  if (form === undefined) return notAcceptable([json, yaml]);
  const tags = parseTags(request.header("if-none-match"));
  if (tags.kind === "malformed") return malformedTags("If-None-Match");
  const answer = ruleAnswerIn(form, document, request);
  return namesRepresentation(tags, answer.etag)
    ? { kind: "empty", status: 304, headers: answer.headers }
    : answer.body();
}

export type RuleForm = typeof json | typeof yaml;

/** The form of one rule that a client takes; undefined: none of those there are. */
export const formOf = ({ header }: Pick<ApiRequest, "header">): RuleForm | undefined =>
  negotiate(header("accept"), [json, yaml]);

export const notAcceptable = (offered: readonly string[]): Answer =>
  problem("api/not-acceptable", `It is given as ${offered.join(", ")}, and Accept takes none of them.`);

export const malformedTags = (header: string): Answer =>
  problem("api/invalid-query", `${header} must be * or a list of ETags such as "7.y".`, {
    errors: [{ parameter: header, message: 'It must be * or a list of ETags such as "7.y".' }],
  });

interface RuleInForm {
  readonly etag: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: (status?: number, headers?: Readonly<Record<string, string>>) => Answer;
}

/** A rule as it is given out. */
export function ruleAnswerIn(form: RuleForm, document: StoredDocument, { ports }: ApiRequest): RuleInForm {
  if (form === yaml) {
    const etag = yamlTag(document);
    const headers = { etag, vary: "accept" };
    const text = (status = 200, more = {}): Answer => ({
      kind: "text",
      status,
      contentType: yaml,
      text: ruleYaml(document),
      headers: { ...headers, ...more },
    });
    return { etag, headers, body: text };
  }
  const status = ports.ruleStatus(document);
  const manager = managerOf(document, ports);
  const etag = jsonTag(document, status, manager);
  const headers = { etag, vary: "accept" };
  return {
    etag,
    headers,
    body: (code = 200, more = {}) => ({
      kind: "json",
      status: code,
      body: ruleObjectOf(document, status, manager),
      headers: { ...headers, ...more },
    }),
  };
}

function listRules(kind: RuleKind, request: ApiRequest): Answer {
  const namespace = request.params["namespace"];
  if (namespace !== undefined && !labelGrammar.test(namespace)) {
    const hint = "Namespaces are of lower-case letters, digits and dashes, 63 at most.";
    return problem("api/not-found", `${namespace} cannot be a namespace.`, { hint });
  }
  const decoded = decodeQuery(request.query, listParameters);
  if (!decoded.ok) return decoded.answer;
  const { watch, limit = defaultPageLimit, continue: after } = decoded.value;
  const last = lastEventOf(request);
  if (!last.ok) return last.answer;
  const form = negotiate(request.header("accept"), [json, yaml, eventStream]);
  const isHead = request.method === "HEAD";
  if (watch === true || form === eventStream) {
    return isHead
      ? { kind: "text", contentType: eventStream, text: "" }
      : watchRules(kind, request, decoded.value, last.value);
  }
  if (form === undefined) return notAcceptable([json, yaml, eventStream]);
  const { ports } = request;
  const revision = ports.store.revision();
  const page = pageOfDocuments(selected(kind, request, decoded.value), { limit, ...(after && { after }) });
  if (form === yaml) {
    const more = page.continue === undefined ? {} : { "x-continue": page.continue };
    const headers = { vary: "accept", "x-revision": String(revision), ...more };
    return { kind: "text", contentType: yaml, text: rulesYaml(page.items), headers };
  }
  const view: RuleListView = {
    ...page,
    items: page.items.map((document) => ruleObject(document, ports)),
    revision,
  };
  return ok(view, { vary: "accept" });
}

/** The documents that a list is about, in the order of their keys. */
function selected(
  kind: RuleKind,
  { ports, params }: ApiRequest,
  { labelSelector }: ListValues,
): readonly StoredDocument[] {
  const namespace = params["namespace"];
  const all = documentsOfKind(ports.store.documents(), kind);
  const inPlace = namespace === undefined ? all : documentsOfNamespace(all, namespace);
  if (labelSelector === undefined || labelSelector.length === 0) return inPlace;
  return inPlace.filter(({ labels }) => selectsLabels(labelSelector, labels));
}

/** Browsers send an empty one where nothing has arrived yet. */
function lastEventOf({ header }: ApiRequest): Result<EventPosition | undefined> {
  const text = header("last-event-id");
  if (text === undefined || text === "") return success(undefined);
  const position = parsePosition(text);
  if (position !== undefined) return success(position);
  const message = since.refusal;
  const errors = [{ parameter: "Last-Event-ID", message }];
  return failure("api/invalid-query", `Last-Event-ID: ${message}`, { errors });
}

function watchRules(kind: RuleKind, request: ApiRequest, values: ListValues, last: EventPosition | undefined): Answer {
  for (const parameter of ["limit", "continue"] as const) {
    if (values[parameter] === undefined) continue;
    const message = "A watch has no pages.";
    return problem("api/invalid-query", `${parameter}: ${message}`, { errors: [{ parameter, message }] });
  }
  const from = last ?? values.since;
  const namespace = request.params["namespace"];
  const selector = values.labelSelector ?? [];
  return {
    kind: "watch",
    watch: {
      ...(from !== undefined && { from }),
      concerns: (document) => document.kind === kind && (namespace === undefined || document.namespace === namespace),
      ...(selector.length > 0 && { selects: ({ labels }) => selectsLabels(selector, labels) }),
      documents: () => selected(kind, request, {}),
    },
  };
}
