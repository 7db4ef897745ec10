import type { RuleReference } from "../api/types/change-sets.ts";
import type { RuleKind } from "../config/rule.ts";
import { pluralOf } from "../config/rule-kinds.ts";
import { kindNamed } from "./kinds.ts";
import { pathOf } from "./request.ts";

/** Of the list of a kind; undefined: of all namespaces. */
export const rulesPath = (kind: RuleKind, namespace: string | undefined): string =>
  namespace === undefined ? pathOf(pluralOf(kind)) : pathOf("namespaces", namespace, pluralOf(kind));

export const rulePath = ({ kind, namespace, name }: RuleReference): string =>
  pathOf("namespaces", namespace, pluralOf(kindNamed(kind)), name);
