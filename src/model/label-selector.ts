import { labelNameGrammar, labelValueGrammar } from "./grammars.ts";
import type { Labels } from "./labels.ts";

/** One condition on the labels of something. */
export type LabelRequirement =
  | { readonly kind: "in"; readonly label: string; readonly values: ReadonlySet<string> }
  | { readonly kind: "not-in"; readonly label: string; readonly values: ReadonlySet<string> }
  | { readonly kind: "exists"; readonly label: string }
  | { readonly kind: "absent"; readonly label: string };

/** Conditions that must all hold, in Kubernetes' grammar; none: everything is selected. */
export type LabelSelector = readonly LabelRequirement[];

export const maxSelectorLength = 4_096;
const maxRequirements = 64;

/** One requirement: `!a`, `a`, `a=b`, `a==b`, `a!=b`, `a in (b,c)`, `a notin (b,c)`. */
const requirement =
  /[ \t]*(?:(!)[ \t]*)?([\w./-]+)(?:[ \t]*(==?|!=)[ \t]*([\w.-]*)|[ \t]+(in|notin)[ \t]*\(([^()]*)\))?[ \t]*/;

/** The selector that a text says; undefined for a text in no such grammar, and for one out of bounds. */
export function parseLabelSelector(text: string): LabelSelector | undefined {
  if (text.length > maxSelectorLength) return undefined;
  if (text.trim() === "") return [];
  const sticky = new RegExp(requirement, "y");
  const requirements: LabelRequirement[] = [];
  for (let at = 0; at <= text.length && requirements.length < maxRequirements; ) {
    sticky.lastIndex = at;
    const match = sticky.exec(text);
    const parsed = match === null ? undefined : requirementOf(match);
    if (match === null || parsed === undefined) return undefined;
    requirements.push(parsed);
    at += match[0].length;
    if (at === text.length) return requirements;
    if (text[at] !== ",") return undefined;
    at += 1;
  }
  return undefined;
}

function requirementOf([, not, label = "", sign, value, set, list = ""]: RegExpExecArray):
  | LabelRequirement
  | undefined {
  if (!labelNameGrammar.test(label)) return undefined;
  if (not !== undefined) return sign === undefined && set === undefined ? { kind: "absent", label } : undefined;
  if (sign === undefined && set === undefined) return { kind: "exists", label };
  const values = set === undefined ? [value ?? ""] : list.split(",").map((item) => item.trim());
  if (!values.every((item) => labelValueGrammar.test(item))) return undefined;
  return { kind: sign === "!=" || set === "notin" ? "not-in" : "in", label, values: new Set(values) };
}

/** As Kubernetes does it, what lacks a label is also "not in" any values of it. */
export function selectsLabels(selector: LabelSelector, labels: Labels): boolean {
  return selector.every((condition) => {
    const value = Object.hasOwn(labels, condition.label) ? labels[condition.label] : undefined;
    if (condition.kind === "exists") return value !== undefined;
    if (condition.kind === "absent") return value === undefined;
    return (value !== undefined && condition.values.has(value)) === (condition.kind === "in");
  });
}
