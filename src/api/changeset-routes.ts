import {
  choice,
  type Decoder,
  decode,
  described,
  fail,
  integer,
  list,
  refined,
  schemaOf,
  text,
} from "../base/decode.ts";
import { object, optional, required, withDefault } from "../base/decode-object.ts";
import type { DocumentFindings, ProposedDelete, ProposedText } from "../config/change.ts";
import { dnsLabel, dnsSubdomain } from "../config/fields.ts";
import { type RuleKind, ruleKey } from "../config/rule.ts";
import type { DocumentConflict, DocumentFormat, DocumentSource, Expectation } from "../config/store.ts";
import { idempotencyKey, missingPrecondition } from "./change-headers.ts";
import { syntaxProblem } from "./json-body.ts";
import { parseJson } from "./json-text.ts";
import { json, yaml } from "./media-types.ts";
import { decodeQuery, exactly, parameterDocs, revisionNumber } from "./query.ts";
import {
  type Answer,
  type ApiRequest,
  failure,
  ok,
  problem,
  problems,
  type Result,
  type Route,
  success,
} from "./route.ts";
import { kinds, reasonParameter } from "./rule-docs.ts";
import { timeOf } from "./rule-object.ts";
import { writeParameters } from "./rule-writes.ts";
import { changeSetView } from "./shapes/rules.ts";
import { type Submission, type Submitted, submit } from "./submit.ts";
import type { ChangeDocument, ChangeSetBody, ChangeSetView } from "./types/change-sets.ts";
import type { ProblemDetailView } from "./types/server.ts";

const parameters = {
  ...writeParameters,
  baseRevision: revisionNumber("Only when none of these rules changed after this revision."),
  file: exactly("The name of the file that a YAML body is; places in findings name it."),
};

const maxTextLength = 4 * 1024 * 1024;
const maxDocuments = 10_000;

const anyObject: Decoder<object> = described(
  (value, site) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? value
      : fail(site, "invalid-type", "Expected an object."),
  { type: "object" },
);

const document = refined(
  object({
    text: optional(text({ maxLength: maxTextLength, multiline: true })),
    object: optional(anyObject),
    file: optional(text()),
    line: optional(integer({ min: 1, max: 10_000_000 })),
  }),
  (value, site) => {
    if ((value.text === undefined) === (value.object === undefined)) {
      fail(site, "conflict", "A document has either a text or an object.");
    }
  },
) as Decoder<unknown> as Decoder<ChangeDocument>;

const kindNames = Object.fromEntries(kinds.map((kind) => [kind, kind])) as Readonly<Record<string, RuleKind>>;

const reference = object({
  kind: required(choice(kindNames)),
  namespace: required(dnsLabel),
  name: required(dnsSubdomain),
});

const body: Decoder<ChangeSetBody> = object({
  documents: withDefault(list(document, { max: maxDocuments }), []),
  deletes: withDefault(list(reference, { max: maxDocuments }), []),
});

export const changeSetRoutes: readonly Route[] = [
  {
    method: "POST",
    path: "/api/v1/changesets",
    access: "write",
    largeBody: true,
    doc: {
      operation: "applyChangeSet",
      summary: "Several rules written and deleted together, as one revision: all of it or nothing.",
      description:
        "As YAML: the documents to write. As JSON: documents, each as text or as an object, and what to delete. The same request with the same `Idempotency-Key` is answered as the first one was; another one with that key is refused.",
      parameters: [
        ...parameterDocs(parameters),
        {
          in: "header",
          name: "Idempotency-Key",
          summary: "A word of your choice that makes it safe to send the request again.",
          schema: { type: "string", minLength: 1, maxLength: 255, pattern: "^[!-~]+$" },
        },
        reasonParameter,
      ],
      body: { required: true, types: { [json]: schemaOf(body), [yaml]: { type: "string" } } },
      answers: { 200: { summary: "What it did, or would do.", types: { [json]: schemaOf(changeSetView) } } },
      problems: [
        "api/invalid-syntax",
        "api/conflict",
        "api/invalid",
        "api/idempotency-key-reused",
        "api/dangling",
        "api/breaks-route-tests",
        "api/managed-elsewhere",
        "api/still-referenced",
        "api/precondition-required",
        "store/full",
        "store/read-only",
        "store/busy",
        "store/failed",
      ],
    },
    handler: applyChangeSet,
  },
];

async function applyChangeSet(request: ApiRequest): Promise<Answer> {
  const decoded = decodeQuery(request.query, parameters);
  if (!decoded.ok) return decoded.answer;
  const { dryRun = false, allowDangling = false, baseRevision, file } = decoded.value;
  if (baseRevision === undefined && request.requireIfMatch) {
    const required = missingPrecondition("Say with baseRevision which revision the change was made for.");
    if (!required.ok) return required.answer;
  }
  if (baseRevision !== undefined && baseRevision > request.ports.store.revision()) {
    const detail = `There is no revision ${baseRevision} yet; the last one is ${request.ports.store.revision()}.`;
    const hint = "The server may have been restored from an older backup: look at what is there, and try again.";
    return problem("api/conflict", detail, { hint });
  }
  const key = idempotencyKey(request);
  if (!key.ok) return key.answer;
  const expect: Expectation =
    baseRevision === undefined ? { kind: "any" } : { kind: "unchanged-since", revision: baseRevision };
  const wanted = changeOf(request, expect, file);
  if (!wanted.ok) return wanted.answer;
  const submitted = await submit(request, {
    ...wanted.value,
    dryRun,
    allowDangling,
    ...(key.value !== undefined && { idempotencyKey: key.value }),
  });
  return answerOf(submitted, dryRun);
}

type Wanted = Pick<Submission, "puts" | "deletes">;

function changeOf(request: ApiRequest, expect: Expectation, file: string | undefined): Result<Wanted> {
  const { body: sent } = request;
  if (sent === undefined) {
    return failure("api/invalid-syntax", "There is no body.", {
      hint: "Send YAML documents, or a change set as JSON.",
    });
  }
  if (sent.type === yaml) {
    const put = { text: sent.text, format: "yaml", expect, ...(file && { source: { file, line: 1 } }) } as const;
    return success({ puts: [put], deletes: [] });
  }
  const parsed = parseJson(sent.text);
  if (!parsed.ok) return { ok: false, answer: syntaxProblem(parsed.problem) };
  const decoded = decode(body, parsed.value);
  if (!decoded.ok) return { ok: false, answer: problems("api/invalid", decoded.problems) };
  const { documents = [], deletes = [] } = decoded.value;
  return success({
    puts: documents.map((each) => proposedText(each, expect)),
    deletes: deletes.map(
      // The decoder took names of kinds only.
      ({ kind, namespace, name }): ProposedDelete => ({ key: ruleKey(kind as RuleKind, namespace, name), expect }),
    ),
  });
}

function proposedText(each: ChangeDocument, expect: Expectation): ProposedText {
  const { file, line = 1 } = each;
  const source: DocumentSource | undefined = file === undefined ? undefined : { file, line };
  const content = "text" in each ? { text: each.text, format: formatOf(each.text) } : asText(each.object);
  return { ...content, expect, ...(source !== undefined && { source }) };
}

const asText = (data: object) => ({ text: JSON.stringify(data), format: "json", asData: true }) as const;

/** JSON is YAML too, but given back as what it is. */
const formatOf = (content: string): DocumentFormat =>
  /^\s*\{/.test(content) && parseJson(content).ok ? "json" : "yaml";

function answerOf(submitted: Submitted, dryRun: boolean): Answer {
  if (submitted.kind === "refused") return submitted.answer;
  if (submitted.kind === "conflict") {
    const hint = "Read what is there now, put your change on top, and send it with the new revision.";
    return problems("api/conflict", submitted.conflicts.map(conflictDetail), hint);
  }
  const { revision, results, findings } = submitted;
  const view: ChangeSetView = {
    revision,
    dryRun,
    results: results.map(({ key, action, document }, index) => {
      const [kind = "", namespace = "", name = ""] = key.split("/");
      const generation = document === undefined ? {} : { generation: document.generation };
      return { kind, namespace, name, action, ...generation, findings: findingsOf(findings, index) };
    }),
  };
  return ok(view);
}

const findingsOf = (all: readonly DocumentFindings[], index: number) =>
  all.filter((document) => document.index === index).flatMap(({ findings }) => findings);

function conflictDetail({ key, found }: DocumentConflict): ProblemDetailView {
  const message =
    found === undefined
      ? `${key} was deleted meanwhile.`
      : `${key} was changed by ${found.updated.by} at ${timeOf(found.updated)}, in revision ${found.revision}.`;
  return { rule: key, message };
}
