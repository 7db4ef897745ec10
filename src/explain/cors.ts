import { type CorsPolicy, corsFor, type FilterSettings, type HttpConnectionManager } from "../envoy/filter-messages.ts";
import { type MatchingRoute, shareOf, type VirtualHost } from "../envoy/route-messages.ts";
import type { Semantics } from "./semantics.ts";
import { textMatch } from "./text-match.ts";

/** Which pages of other origins may call. Texts are empty where nothing is said. */
export interface Cors {
  /** In words: `is "https://shop.example"`. */
  readonly allowOrigins: readonly string[];
  readonly allowMethods: string;
  readonly allowHeaders: string;
  readonly exposeHeaders: string;
  readonly maxAge: string;
  readonly allowCredentials: boolean;
}

interface Levels {
  readonly manager: HttpConnectionManager;
  readonly host: VirtualHost;
  readonly route: MatchingRoute;
  readonly semantics: Semantics;
}

/** Each field from the nearest level that has it. `settings`: of filters, from the nearest level to the farthest. */
export function corsOf(levels: Levels, settings: readonly FilterSettings[]): Cors | undefined {
  const { manager, host, route, semantics } = levels;
  const said = corsFor(manager, settings);
  if (said === undefined) return undefined;
  // The older fields count where no level has settings for the filter.
  const older = [route.action.case === "route" ? route.action.value.cors : undefined, host.cors];
  const policies = said.length > 0 ? said : older.filter((one) => one !== undefined);
  const [nearest] = policies;
  if (nearest === undefined || !isOn(nearest)) return undefined;
  const text = (field: "allowMethods" | "allowHeaders" | "exposeHeaders" | "maxAge"): string =>
    policies.map((one) => one[field]).find((value) => value !== "") ?? "";
  const origins = policies.map((one) => one.allowOriginStringMatch).find((list) => list.length > 0) ?? [];
  const manner = { ...semantics, ignoresParameters: false };
  return {
    allowOrigins: origins.map((one, index) => textMatch(one, `/allowOriginStringMatch/${index}`, manner).text),
    ...{ allowMethods: text("allowMethods"), allowHeaders: text("allowHeaders") },
    ...{ exposeHeaders: text("exposeHeaders"), maxAge: text("maxAge") },
    allowCredentials: policies.map((one) => one.allowCredentials).find((value) => value !== undefined) ?? false,
  };
}

/** In the one place or the other. */
type Switch = Partial<Pick<CorsPolicy, "filterEnabled">> &
  Partial<Pick<NonNullable<VirtualHost["cors"]>, "enabledSpecifier">>;

/** Where a part of the requests is spoken of, it is told as all of them. */
function isOn({ filterEnabled, enabledSpecifier: older }: Switch): boolean {
  const part = filterEnabled ?? (older?.case === "filterEnabled" ? older.value : undefined);
  return part === undefined || (part.defaultValue !== undefined && shareOf(part.defaultValue) > 0);
}
