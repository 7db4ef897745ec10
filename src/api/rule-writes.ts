import type { PatchProblem } from "../base/patch.ts";
import type { ProposedText } from "../config/change.ts";
import { patchDocument } from "../config/patch-document.ts";
import type { RuleKind } from "../config/rule.ts";
import { pluralOf } from "../config/rule-kinds.ts";
import type { DocumentFormat, DocumentResult, Expectation, StoredDocument } from "../config/store.ts";
import { missingPrecondition } from "./change-headers.ts";
import { differences } from "./differences.ts";
import { jsonBody, syntaxProblem } from "./json-body.ts";
import { parseJson } from "./json-text.ts";
import { json, mergePatch, yaml } from "./media-types.ts";
import { expectationOf, type Preconditions, parseTags } from "./preconditions.ts";
import type { ProblemCode } from "./problem.ts";
import { decodeQuery, flag, parameterDocs } from "./query.ts";
import {
  type Answer,
  type ApiRequest,
  type Body,
  failure,
  ok,
  problem,
  problems,
  type Result,
  type Route,
  success,
} from "./route.ts";
import type { AnswerDoc, ParameterDoc } from "./route-doc.ts";
import {
  collectionPath,
  ifMatch,
  ifNoneMatch,
  itemPath,
  nameParameter,
  namespaceParameter,
  patchBody,
  reasonParameter,
  ruleAnswer,
  ruleBody,
} from "./rule-docs.ts";
import { managerOf, ruleObjectOf, timeOf } from "./rule-object.ts";
import { formOf, keyOf, malformedTags, noSuchRule, notAcceptable, type RuleForm, ruleAnswerIn } from "./rule-reads.ts";
import { ruleYaml } from "./rule-yaml.ts";
import { type Submission, submit } from "./submit.ts";
import type { RuleFindingView } from "./types/findings.ts";
import type { ProblemDetailView } from "./types/server.ts";

export const writeParameters = {
  dryRun: flag("Everything is checked and nothing is stored; the answer says what would be."),
  allowDangling: flag("Take it although something that rules refer to is missing afterwards."),
};

const common: readonly ParameterDoc[] = [...parameterDocs(writeParameters), reasonParameter];
const refusals = [
  "api/invalid-syntax",
  "api/invalid",
  "api/dangling",
  "api/breaks-route-tests",
  "api/managed-elsewhere",
  "api/still-referenced",
] as const;
const storeProblems = ["store/full", "store/read-only", "store/busy", "store/failed"] as const;
const preconditionProblems = ["api/precondition-failed", "api/precondition-required"] as const;

/** Only dry runs are answered so. */
const trial = (summary: string): AnswerDoc => {
  const { headers: _headers, ...rest } = ruleAnswer(summary);
  return rest;
};

const created: AnswerDoc = ruleAnswer("It is new.", { Location: "Where it is." });

/** How the rules of one kind are written. */
export function ruleWrites(kind: RuleKind): readonly Route[] {
  return [
    {
      method: "POST",
      path: collectionPath(kind),
      access: "write",
      kind,
      doc: {
        operation: `create${kind}`,
        summary: `A new ${kind}; refused when there is one of this name.`,
        parameters: [namespaceParameter, ...common],
        body: ruleBody(kind),
        answers: { 200: trial("What a dry run would store."), 201: created },
        problems: ["api/conflict", ...refusals, ...storeProblems, "api/not-acceptable"],
      },
      handler: (request) => create(kind, request),
    },
    {
      method: "PUT",
      path: itemPath(kind),
      access: "write",
      kind,
      doc: {
        operation: `put${kind}`,
        summary: `A ${kind} as it shall be, whether there is one or not.`,
        parameters: [namespaceParameter, nameParameter, ifMatch, ifNoneMatch, ...common],
        body: ruleBody(kind),
        answers: { 200: ruleAnswer("It is as it was wanted, or, for a dry run, would be."), 201: created },
        problems: [...preconditionProblems, ...refusals, ...storeProblems, "api/not-acceptable"],
      },
      handler: (request) => put(kind, request),
    },
    {
      method: "PATCH",
      path: itemPath(kind),
      access: "write",
      kind,
      doc: {
        operation: `patch${kind}`,
        summary: `Parts of a ${kind} changed by a merge patch (RFC 7396) or a JSON patch (RFC 6902).`,
        description:
          "Comments and layout of what is not touched stay. Without `If-Match` the patch counts for the version that is there.",
        parameters: [namespaceParameter, nameParameter, ifMatch, ...common],
        body: patchBody,
        answers: { 200: ruleAnswer("The rule with the patch.") },
        problems: [
          "api/not-found",
          "api/conflict",
          ...preconditionProblems,
          ...refusals,
          ...storeProblems,
          "api/not-acceptable",
        ],
      },
      handler: (request) => patch(kind, request),
    },
    {
      method: "DELETE",
      path: itemPath(kind),
      access: "write",
      kind,
      doc: {
        operation: `delete${kind}`,
        summary: `Takes a ${kind} away; refused while other rules refer to it.`,
        parameters: [namespaceParameter, nameParameter, ifMatch, ...common],
        answers: { 200: ruleAnswer("The rule as it last was.") },
        problems: [
          "api/not-found",
          "api/managed-elsewhere",
          "api/still-referenced",
          ...preconditionProblems,
          ...storeProblems,
          "api/not-acceptable",
        ],
      },
      handler: (request) => remove(kind, request),
    },
  ];
}

interface WriteOptions {
  readonly form: RuleForm;
  readonly dryRun: boolean;
  readonly allowDangling: boolean;
  readonly preconditions: Preconditions;
}

/** What all writes of a rule may say. */
function optionsOf(request: ApiRequest): Result<WriteOptions> {
  const decoded = decodeQuery(request.query, writeParameters);
  if (!decoded.ok) return decoded;
  const form = formOf(request);
  if (form === undefined) return { ok: false, answer: notAcceptable([json, yaml]) };
  const preconditions = {
    ifMatch: parseTags(request.header("if-match")),
    ifNoneMatch: parseTags(request.header("if-none-match")),
  };
  if (preconditions.ifMatch.kind === "malformed") return { ok: false, answer: malformedTags("If-Match") };
  if (preconditions.ifNoneMatch.kind === "malformed") return { ok: false, answer: malformedTags("If-None-Match") };
  const { dryRun = false, allowDangling = false } = decoded.value;
  return success({ form, dryRun, allowDangling, preconditions });
}

/** The same for writes of what may be there already. */
function conditionalOptionsOf(request: ApiRequest): Result<WriteOptions> {
  const options = optionsOf(request);
  if (!options.ok || !request.requireIfMatch) return options;
  const { ifMatch, ifNoneMatch } = options.value.preconditions;
  if (ifMatch.kind !== "absent" || ifNoneMatch.kind === "any") return options;
  return missingPrecondition("Send the rule's ETag as If-Match, or If-None-Match: * for a new rule.");
}

async function create(kind: RuleKind, request: ApiRequest): Promise<Answer> {
  const options = optionsOf(request);
  if (!options.ok) return options.answer;
  const { namespace = "" } = request.params;
  const text = proposedText(request.body, { kind: "absent" }, { kind, namespace });
  if (!text.ok) return text.answer;
  return writeOne(request, options.value, { puts: [text.value], deletes: [] }, ({ found }) =>
    problem("api/conflict", `There is a ${kind} ${found?.name} in the namespace ${namespace} already.`, {
      hint: `PUT /api/v1/namespaces/${namespace}/${pluralOf(kind)}/${found?.name} changes it.`,
    }),
  );
}

async function put(kind: RuleKind, request: ApiRequest): Promise<Answer> {
  const options = conditionalOptionsOf(request);
  if (!options.ok) return options.answer;
  const { ports, params } = request;
  const key = keyOf(kind, request);
  const current = ports.store.get(key);
  const expect = expectationOf(options.value.preconditions, current);
  if (expect === undefined) return preconditionFailed(kind, request, options.value, current);
  const { namespace = "", name = "" } = params;
  const text = proposedText(request.body, expect, { kind, namespace, name });
  if (!text.ok) return text.answer;
  return writeOne(request, options.value, { puts: [text.value], deletes: [] }, () =>
    preconditionFailed(kind, request, options.value, ports.store.get(key)),
  );
}

const maxAttempts = 4;

async function patch(kind: RuleKind, request: ApiRequest): Promise<Answer> {
  const options = conditionalOptionsOf(request);
  if (!options.ok) return options.answer;
  const wanted = patchOf(request.body);
  if (!wanted.ok) return wanted.answer;
  const { ports, params } = request;
  const { namespace = "", name = "" } = params;
  for (let attempt = 1; ; attempt++) {
    const current = ports.store.get(keyOf(kind, request));
    if (current === undefined) return noSuchRule(kind, request);
    const asked = expectationOf(options.value.preconditions, current);
    if (asked === undefined) return preconditionFailed(kind, request, options.value, current);
    const patched = patchDocument(current, wanted.value);
    if (!patched.ok) return problems(patchFaults[patched.problem.kind], [patchDetail(patched.problem)]);
    const put: ProposedText = {
      text: patched.text,
      format: patched.format,
      // The text is in no file any more. Only what was read is what the patch was made for. Who owns a file's rule is for `prepare` to say.
      expect: current.owner === "store" ? { kind: "revision", revision: current.revision } : { kind: "any" },
      mustBe: { kind, namespace, name },
    };
    let again = false;
    const answer = await writeOne(request, options.value, { puts: [put], deletes: [] }, () => {
      again = attempt < maxAttempts;
      return problem("api/conflict", "The rule changes faster than it can be patched.", {
        hint: "Try again, or send If-Match to hear which version you meet.",
      });
    });
    if (!again) return answer;
  }
}

async function remove(kind: RuleKind, request: ApiRequest): Promise<Answer> {
  const options = conditionalOptionsOf(request);
  if (!options.ok) return options.answer;
  const key = keyOf(kind, request);
  const { store } = request.ports;
  // A document that a directory's overshadows may go; what that directory has, not.
  const current = store.own(key) ?? store.get(key);
  if (current === undefined) return noSuchRule(kind, request);
  const asked = expectationOf(options.value.preconditions, current);
  if (asked === undefined) return preconditionFailed(kind, request, options.value, current);
  // Without a precondition it must be there all the same, so that two deletions do not both say that they did it.
  const expect: Expectation = asked.kind === "any" && current.owner === "store" ? { kind: "present" } : asked;
  return writeOne(request, options.value, { puts: [], deletes: [{ key, expect }] }, ({ found }) =>
    found === undefined ? noSuchRule(kind, request) : preconditionFailed(kind, request, options.value, found),
  );
}

/** Writes one rule and gives it back. */
async function writeOne(
  request: ApiRequest,
  { form, dryRun, allowDangling }: WriteOptions,
  change: Pick<Submission, "puts" | "deletes">,
  onConflict: (conflict: { readonly found?: StoredDocument }) => Answer,
): Promise<Answer> {
  const submitted = await submit(request, { ...change, dryRun, allowDangling });
  if (submitted.kind === "refused") return submitted.answer;
  if (submitted.kind === "conflict") return onConflict(submitted.conflicts[0] ?? {});
  const [result] = submitted.results;
  if (result?.document === undefined) return problem("api/not-found", "It is not there any more.");
  const { document, action } = result;
  if (!dryRun) return writtenAnswer(request, form, document, action);
  const findings = submitted.findings.flatMap((each) => each.findings);
  return trialAnswer(request, form, document, action, findings);
}

function writtenAnswer(
  request: ApiRequest,
  form: RuleForm,
  document: StoredDocument,
  action: DocumentResult["action"],
): Answer {
  const answer = ruleAnswerIn(form, document, request);
  if (action !== "created") return answer.body();
  const { kind, namespace, name } = document;
  return answer.body(201, { location: `/api/v1/namespaces/${namespace}/${pluralOf(kind)}/${name}` });
}

/** What would have been written. It is no version, so it has no ETag, and the revision is that of what is there; 0: nothing is. */
function trialAnswer(
  { ports }: ApiRequest,
  form: RuleForm,
  document: StoredDocument,
  action: DocumentResult["action"],
  findings: readonly RuleFindingView[],
): Answer {
  const headers = { vary: "accept" };
  if (form === yaml) return { kind: "text", contentType: yaml, text: ruleYaml(document), headers };
  const isThere = action === "unchanged" || action === "deleted";
  const shown = isThere ? document : { ...document, revision: ports.store.own(document.key)?.revision ?? 0 };
  const status = isThere ? ports.ruleStatus(shown) : ports.ruleStatus(shown, findings);
  return ok(ruleObjectOf(shown, status, managerOf(shown, ports)), headers);
}

function proposedText(
  body: Body | undefined,
  expect: Expectation,
  mustBe: NonNullable<ProposedText["mustBe"]>,
): Result<ProposedText> {
  if (body === undefined) return noBody();
  const checked = checkedText(body);
  return checked.ok ? success({ text: body.text, format: checked.value, expect, mustBe }) : checked;
}

const noBody = () => failure("api/invalid-syntax", "There is no body.", { hint: "Send the rule as YAML or JSON." });

/** JSON is held to its own grammar, which is narrower than YAML's. */
function checkedText({ type, text }: Body): Result<DocumentFormat> {
  if (type !== json) return success("yaml");
  const parsed = parseJson(text);
  return parsed.ok ? success("json") : { ok: false, answer: syntaxProblem(parsed.problem) };
}

function patchOf(body: Body | undefined): Result<Parameters<typeof patchDocument>[1]> {
  const parsed = jsonBody(body);
  if (!parsed.ok) return parsed;
  const { value } = parsed;
  return success(body?.type === mergePatch ? { kind: "merge", patch: value } : { kind: "json", operations: value });
}

const patchFaults: Readonly<Record<PatchProblem["kind"], ProblemCode>> = {
  malformed: "api/invalid",
  missing: "api/invalid",
  "test-failed": "api/conflict",
};

function patchDetail({ operation, message, hint }: PatchProblem): ProblemDetailView {
  return {
    message,
    ...(operation !== undefined && { pointer: `/${operation}` }),
    ...(hint !== undefined && { hint }),
  };
}

/** What is there instead: its ETag, who wrote it and when, and where it differs from what was sent. */
function preconditionFailed(
  kind: RuleKind,
  request: ApiRequest,
  { form }: WriteOptions,
  current: StoredDocument | undefined,
): Answer {
  if (current === undefined) {
    return problem(
      "api/precondition-failed",
      `There is no ${kind} ${request.params["name"]} any more, or there never was.`,
      {
        hint: "Without If-Match it is created.",
      },
    );
  }
  const { revision, updated } = current;
  const errors = request.body === undefined ? [] : differences(request.body.text, current);
  return problem(
    "api/precondition-failed",
    `${current.key} is at revision ${revision}, written by ${updated.by} at ${timeOf(updated)}.`,
    {
      hint: "Read it again, put your change on top, and send its new ETag.",
      headers: { etag: ruleAnswerIn(form, current, request).etag },
      ...(errors.length > 0 && { errors }),
    },
  );
}
