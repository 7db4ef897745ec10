import { MeshError } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
import type { RuleKind } from "../config/rule.ts";
import { pluralOf, ruleKinds } from "../config/rule-kinds.ts";

export const allKinds = Object.keys(ruleKinds) as readonly RuleKind[];

/** Shorter words for a kind, as Istio's users write them. */
const shortNames: Readonly<Record<RuleKind, readonly string[]>> = {
  VirtualService: ["vs"],
  DestinationRule: ["dr"],
  Gateway: ["gw"],
  ServiceEntry: ["se"],
  Sidecar: [],
};

/** The word of a kind in what commands print: `virtualservice`. */
export const wordOf = (kind: string): string => kind.toLowerCase();

const wordsOf = (kind: RuleKind): readonly string[] => [wordOf(kind), pluralOf(kind), ...shortNames[kind]];

/** Every word that names a kind. */
export const kindWords: readonly string[] = allKinds.flatMap(wordsOf);

/** For the help of commands that take a kind. */
export const kindsHelp = `Kinds: ${allKinds
  .map((kind) => [wordOf(kind), ...shortNames[kind]].join(" or "))
  .join(", ")}; singular or plural.`;

/** The kind that a person means: singular, plural or short, in any case. Throws `usage/invalid`. */
export function kindNamed(word: string): RuleKind {
  const found = allKinds.find((kind) => wordsOf(kind).includes(word.toLowerCase()));
  if (found !== undefined) return found;
  const near = nearest(word, kindWords);
  throw new MeshError("usage/invalid", `${JSON.stringify(word)} is no kind of rule`, {
    hint: near === undefined ? kindsHelp : `Did you mean ${near}?`,
  });
}
