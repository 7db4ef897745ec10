import {
  directBodyOf,
  type MatchingRoute,
  type RouteConfiguration,
  type VirtualHost,
} from "../envoy/route-messages.ts";
import { Unsupported } from "./condition.ts";
import { type Forward, forwardsOf } from "./forward.ts";
import { type Redirect, redirectOf } from "./redirect.ts";
import type { Facts } from "./request.ts";
import type { Semantics } from "./semantics.ts";

/** What a route does with a request that it takes. */
export type Action =
  | (Redirect & { readonly kind: "redirect" })
  /** `body` is absent where there is none, or where it is in a file of the proxy's. */
  | { readonly kind: "answer"; readonly status: number; readonly body?: string }
  | (Forward & { readonly kind: "forward" });

/** One, or one of several by their shares; none: no cluster is named, which is 503. */
export function actionsOf(
  route: MatchingRoute,
  around: { readonly table: RouteConfiguration; readonly host: VirtualHost },
  facts: Facts,
  semantics: Semantics,
): readonly Action[] {
  const { match, action } = route;
  switch (action.case) {
    case "directResponse": {
      const { status } = action.value;
      const body = directBodyOf(action.value);
      return [{ kind: "answer", status, ...(body !== undefined && { body }) }];
    }
    case "redirect":
      return [{ kind: "redirect", ...redirectOf(action.value, match, facts, semantics) }];
    case "route":
      return forwardsOf(action.value, route, around, facts, semantics).map((one) => ({ kind: "forward", ...one }));
    default:
      throw new Unsupported("an action of its own kind", `/${action.case ?? "action"}`);
  }
}
