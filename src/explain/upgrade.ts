import type { HttpConnectionManager } from "../envoy/connection-manager-messages.ts";
import type { MatchingRoute } from "../envoy/route-messages.ts";
import { asciiLower } from "../envoy/string-matcher.ts";
import type { Request } from "./request.ts";

/** What a request wants its connection to become, such as `websocket`; a CONNECT by its name. undefined: it stays what it is. */
export function upgradeOf({ method, headers }: Request): string | undefined {
  if (method === "CONNECT") return "CONNECT";
  const valuesOf = (wanted: string): readonly string[] =>
    headers.filter(([name]) => name.toLowerCase() === wanted).map(([, value]) => value);
  const isAsked = valuesOf("connection").some((value) => /(^|,)\s*upgrade\s*(,|$)/i.test(value));
  return isAsked ? valuesOf("upgrade")[0] : undefined;
}

/** Whether a request that a route takes may become what it wants; if not, 403. The route's word counts before the manager's. */
export function allowsUpgrade(manager: HttpConnectionManager, { action }: MatchingRoute, request: Request): boolean {
  const wanted = upgradeOf(request);
  if (wanted === undefined) return true;
  const lists = [action.case === "route" ? action.value.upgradeConfigs : [], manager.upgradeConfigs];
  const found = lists.flat().find(({ upgradeType }) => asciiLower(upgradeType) === asciiLower(wanted));
  return found !== undefined && found.enabled !== false;
}
