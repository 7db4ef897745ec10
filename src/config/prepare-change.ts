import type { Catalog } from "../model/catalog.ts";
import type { MeshSettings } from "../model/mesh-settings.ts";
import type { ChangeRefusal, DocumentFindings, PreparedChange, ProposedChange } from "./change.ts";
import { type ChangeDocument, readChangeText } from "./change-document.ts";
import { type Consequence, consequencesOf } from "./checks/introduced.ts";
import type { Finding } from "./finding.ts";
import type { RuleKey } from "./rule.ts";
import type { RuleSet } from "./rule-set.ts";
import type { DocumentDelete } from "./store.ts";

/** A change whose documents were decoded. What they say does not depend on what is there. */
export interface ReadChange {
  readonly proposed: ProposedChange;
  /** Of all texts. */
  readonly documents: readonly ChangeDocument[];
}

/** What a change is checked against. */
export interface ChangeContext {
  /** The rules in force, of all sources together. */
  readonly ruleSet: Pick<RuleSet, "rules">;
  /** Where a directory has this rule; undefined: in none. */
  readonly ownerOf: (key: RuleKey) => { readonly file?: string; readonly line?: number } | undefined;
  /** Has the store a document of a rule that a directory owns? It may go, and nothing else changes by that. */
  readonly isOvershadowed: (key: RuleKey) => boolean;
  /** undefined: not all registries have reported yet; then nobody can say which hosts there are. */
  readonly catalog: Catalog | undefined;
  readonly mesh: MeshSettings;
}

/** The documents of all texts, each decoded when it is asked for. */
export function* readDocumentsOf({ puts }: ProposedChange): Generator<ChangeDocument, undefined> {
  for (const put of puts) yield* readChangeText(put);
}

/**
 * Checks what somebody proposes against what is there: what the store is to write, or why not. All that is wrong with the documents
 * is told at once; references are looked at when nothing else is wrong.
 */
export function prepareChange({ proposed, documents: read }: ReadChange, context: ChangeContext): PreparedChange {
  const { puts: _puts, deletes, allowDangling, ...rest } = proposed;
  const subjects: readonly Subject[] = [...read, ...deletes.map((deletion) => deletionOf(deletion, context))];
  const told = withFindings(subjects, [...duplicatesIn(subjects), ...managedIn(subjects, context.ownerOf)]);
  const refusal = refusalOf(told);
  if (refusal !== undefined) return { ok: false, refusal, findings: findingsOf(told) };
  const all = withFindings(told, consequences(told, context, allowDangling));
  if (all.some(hasErrors)) return { ok: false, refusal: "dangling", findings: findingsOf(all) };
  const documents = told.flatMap(({ accepted }) => accepted ?? []);
  return {
    ok: true,
    change: { ...rest, puts: documents.map(({ put }) => put), deletes },
    rules: new Map(effectiveIn(told).map(({ key, accepted }) => [key, accepted?.rule])),
    findings: findingsOf(all),
  };
}

/** A document that is written, or a deletion. */
interface Subject extends ChangeDocument {
  /** What becomes of it does not change what is in force. */
  readonly isIdle?: boolean;
}

/** A finding, and the subject (counted from 0) that it is about. */
type Told = readonly [subject: number, finding: Finding];

const deletionOf = ({ key }: DocumentDelete, { isOvershadowed }: ChangeContext): Subject => ({
  label: key,
  key,
  isBroken: false,
  isIdle: isOvershadowed(key),
  findings: [],
  locate: () => ({ pointer: "" }),
});

function withFindings(subjects: readonly Subject[], told: readonly Told[]): readonly Subject[] {
  const bySubject = Map.groupBy(told, ([subject]) => subject);
  return subjects.map((subject, index) => {
    const more = bySubject.get(index);
    if (more === undefined) return subject;
    return { ...subject, findings: [...subject.findings, ...more.map(([, finding]) => finding)] };
  });
}

/** Those that change what is in force. */
const effectiveIn = (subjects: readonly Subject[]): readonly (Subject & { readonly key: RuleKey })[] =>
  subjects.flatMap((subject) => {
    const { key, isIdle } = subject;
    return key === undefined || isIdle ? [] : [{ ...subject, key }];
  });

const findingsOf = (subjects: readonly Subject[]): readonly DocumentFindings[] =>
  subjects.flatMap(({ label, findings }, index) =>
    findings.length === 0 ? [] : [{ index, ...(label !== "" && { rule: label }), findings }],
  );

const hasErrors = ({ findings }: Subject): boolean => findings.some(({ severity }) => severity === "error");

function refusalOf(subjects: readonly Subject[]): ChangeRefusal | undefined {
  if (subjects.some(({ isBroken }) => isBroken)) return "syntax";
  const errors = subjects.flatMap(({ findings }) => findings.filter(({ severity }) => severity === "error"));
  if (errors.some(({ code }) => code !== "rule/managed-elsewhere")) return "invalid";
  return errors.length > 0 ? "managed-elsewhere" : undefined;
}

function duplicatesIn(subjects: readonly Subject[]): readonly Told[] {
  const first = new Map<RuleKey, Subject>();
  return subjects.flatMap((subject, index): readonly Told[] => {
    const { key, locate } = subject;
    if (key === undefined) return [];
    const earlier = first.get(key);
    if (earlier === undefined) {
      first.set(key, subject);
      return [];
    }
    const { file, line } = earlier.locate("/metadata/name");
    const where = line === undefined ? "" : `, in ${placeText(file, line)}`;
    return [
      [
        index,
        {
          severity: "error",
          code: "rule/duplicate-document",
          message: `${key} is in this change already${where}.`,
          hint: "Keep one of the two.",
          ...locate("/metadata/name"),
        },
      ],
    ];
  });
}

function managedIn(subjects: readonly Subject[], ownerOf: ChangeContext["ownerOf"]): readonly Told[] {
  return subjects.flatMap((subject, index): readonly Told[] => {
    const owner = subject.key === undefined || subject.isIdle ? undefined : ownerOf(subject.key);
    if (owner === undefined) return [];
    const where = owner.file === undefined ? "a rule directory" : placeText(owner.file, owner.line);
    return [
      [
        index,
        {
          severity: "error",
          code: "rule/managed-elsewhere",
          message: `${subject.key} is managed in ${where}.`,
          hint: "Edit it there; what the files say counts.",
          ...subject.locate("/metadata/name"),
        },
      ],
    ];
  });
}

const placeText = (file: string | undefined, line: number | undefined): string =>
  file === undefined ? `line ${line}` : line === undefined ? file : `${file}:${line}`;

function consequences(
  subjects: readonly Subject[],
  { ruleSet, catalog, mesh }: ChangeContext,
  allowDangling: boolean,
): readonly Told[] {
  const indexes = new Map(subjects.map(({ key }, index) => [key, index]));
  const changed = new Map(effectiveIn(subjects).map(({ key, accepted }) => [key, accepted?.rule]));
  return consequencesOf({ before: ruleSet.rules, changed, catalog, mesh }).flatMap((consequence): readonly Told[] => {
    const index = indexes.get(consequence.rule);
    const subject = index === undefined ? undefined : subjects[index];
    return index === undefined || subject === undefined
      ? []
      : [[index, findingOf(consequence, subject, allowDangling)]];
  });
}

function findingOf(
  { rule: _rule, kind, pointer, ...remark }: Consequence,
  subject: Subject,
  allowDangling: boolean,
): Finding {
  const severity = kind === "dangles" && !allowDangling ? "error" : "warning";
  return { ...remark, severity, ...subject.locate(pointer) };
}
