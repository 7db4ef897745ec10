import { type RedirectAction, type RouteMatch, redirectStatusOf } from "../envoy/route-messages.ts";
import { asBytes } from "../envoy/string-matcher.ts";
import { withPattern, withPrefix } from "./path-rewrite.ts";
import { type Facts, withoutQuery } from "./request.ts";
import type { Semantics } from "./semantics.ts";

export interface Redirect {
  readonly status: number;
  readonly location: string;
}

/** Where a route sends a client: to all that it does not say, as the client asked for it. */
export function redirectOf(action: RedirectAction, match: RouteMatch, facts: Facts, semantics: Semantics): Redirect {
  const scheme = schemeOf(action, facts);
  const port = action.portRedirect === 0 ? "" : `:${action.portRedirect}`;
  const host = action.hostRedirect === "" ? hostFor(scheme, port, facts) : asBytes(action.hostRedirect);
  const path = pathOf(action, match, facts, semantics);
  return {
    status: redirectStatusOf(action),
    location: `${scheme}://${host}${port}${path.startsWith("/") ? "" : "/"}${path}`,
  };
}

function schemeOf({ schemeRewriteSpecifier: wanted }: RedirectAction, { scheme }: Facts): string {
  switch (wanted.case) {
    case "schemeRedirect":
      return wanted.value === "" ? scheme : wanted.value;
    case "httpsRedirect":
      return wanted.value ? "https" : scheme;
    default:
      return scheme;
  }
}

const usualPorts: Readonly<Record<string, string>> = { http: ":80", https: ":443" };

/** The port, which is all that follows a last colon, goes when there is a new one, and when it is the usual one of a scheme that is left. */
function hostFor(scheme: string, newPort: string, { authority, header }: Facts): string {
  const colon = authority.startsWith("[") ? authority.lastIndexOf("]:") + 1 : authority.lastIndexOf(":");
  if (colon <= 0) return authority;
  const asked = header("x-forwarded-proto").join();
  const isLeft = newPort !== "" || (scheme !== asked && usualPorts[asked] === authority.slice(colon));
  return isLeft ? authority.slice(0, colon) : authority;
}

function pathOf(action: RedirectAction, match: RouteMatch, facts: Facts, semantics: Semantics): string {
  const { pathRewriteSpecifier: wanted, stripQuery } = action;
  const { path = "", barePath } = facts;
  const kept = (whole: string): string => (stripQuery ? withoutQuery(whole) : whole);
  switch (wanted.case) {
    case "pathRedirect": {
      // A query of its own takes the place of the request's.
      const target = asBytes(wanted.value);
      return stripQuery || target.includes("?") ? target : target + path.slice(barePath.length);
    }
    case "prefixRewrite":
      return kept(withPrefix(match, wanted.value, facts) ?? path);
    case "regexRewrite":
      return kept(withPattern(wanted.value, facts, semantics) ?? path);
    default:
      return kept(path);
  }
}
