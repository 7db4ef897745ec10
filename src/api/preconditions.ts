import { contentHash } from "../base/digest.ts";
import type { Expectation, StoredDocument } from "../config/store.ts";
import type { ManagerView, RuleStatusView } from "./types/rules.ts";

/*
 * The ETag of a rule is its revision, with a suffix for the representation: `"7.y"` is the author's YAML of revision 7, `"7.Xk3_a0Zq"`
 * its JSON with one state of the status and of the places that it names. Preconditions of writes are about the rule, so they compare the revisions.
 */

export const yamlTag = ({ revision }: StoredDocument): string => `"${revision}.y"`;

export function jsonTag(
  { revision, source }: StoredDocument,
  status: RuleStatusView,
  manager: ManagerView | undefined,
): string {
  return `"${revision}.${contentHash(JSON.stringify([status, manager, source])).slice(0, 8)}"`;
}

/** What a header `If-Match` or `If-None-Match` names. */
export type Tags =
  | { readonly kind: "absent" }
  | { readonly kind: "any" }
  | { readonly kind: "list"; readonly tags: readonly Tag[] }
  | { readonly kind: "malformed" };

interface Tag {
  readonly weak: boolean;
  /** With its quotes. */
  readonly text: string;
}

const maxTags = 100;

export function parseTags(header: string | undefined): Tags {
  if (header === undefined) return { kind: "absent" };
  if (header.trim() === "*") return { kind: "any" };
  const tags: Tag[] = [];
  const tag = /[ \t]*(W\/)?("[\x21\x23-\x7e\x80-\xff]{0,256}")[ \t]*(?:,|$)/y;
  while (tag.lastIndex < header.length) {
    const match = tag.exec(header);
    if (match === null || tags.length >= maxTags) return { kind: "malformed" };
    tags.push({ weak: match[1] !== undefined, text: match[2] ?? "" });
  }
  return tags.length === 0 || header.trimEnd().endsWith(",") ? { kind: "malformed" } : { kind: "list", tags };
}

/** Does a header `If-None-Match` name this representation? (Weak comparison.) */
export function namesRepresentation(tags: Tags, etag: string): boolean {
  return tags.kind === "any" || (tags.kind === "list" && tags.tags.some(({ text }) => text === etag));
}

/** Does a header name this version of the rule, in whatever representation? (Strong comparison.) */
function namesVersion(tags: Tags, { revision }: StoredDocument): boolean {
  return tags.kind === "list" && tags.tags.some(({ weak, text }) => !weak && revisionOf(text) === revision);
}

function revisionOf(tag: string): number | undefined {
  const digits = /^"(0|[1-9][0-9]{0,14})(\.[^"]*)?"$/.exec(tag)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

export interface Preconditions {
  readonly ifMatch: Tags;
  readonly ifNoneMatch: Tags;
}

/** What a write with these preconditions must find to go on; undefined: they fail already on what is there now. */
export function expectationOf(
  { ifMatch, ifNoneMatch }: Preconditions,
  current: StoredDocument | undefined,
): Expectation | undefined {
  if (ifNoneMatch.kind === "any")
    return current === undefined && ifMatch.kind === "absent" ? { kind: "absent" } : undefined;
  if (ifMatch.kind === "absent" && ifNoneMatch.kind === "absent") return { kind: "any" };
  const matches =
    ifMatch.kind === "absent" || (current !== undefined && (ifMatch.kind === "any" || namesVersion(ifMatch, current)));
  if (!matches || (current !== undefined && namesVersion(ifNoneMatch, current))) return undefined;
  if (current === undefined) return { kind: "absent" };
  return ifMatch.kind === "any" ? { kind: "present" } : { kind: "revision", revision: current.revision };
}
