import type { Route } from "../envoy/route-messages.ts";
import { type Redirect, redirectOf } from "./redirect.ts";
import type { Facts } from "./request.ts";
import type { Semantics } from "./semantics.ts";

/** What a route does with a request that it takes. */
export type Action =
  | (Redirect & { readonly kind: "redirect" })
  | { readonly kind: "answer"; readonly status: number }
  /** To a cluster, or what the filters make of it. */
  | { readonly kind: "forward" };

export function actionOf({ match, action }: Route, facts: Facts, semantics: Semantics): Action {
  if (action.case === "directResponse") return { kind: "answer", status: action.value.status };
  if (action.case !== "redirect" || match === undefined) return { kind: "forward" };
  return { kind: "redirect", ...redirectOf(action.value, match, facts, semantics) };
}
