import { type BenchType, benchTypes, type PerType, perType } from "../fixture/types.ts";
import type { Versions } from "./commands.ts";
import { type Asked, requestPart, type SharedPart, sharedPart } from "./requests.ts";
import type { Variant } from "./skim.ts";

/** What proxies that are alike ask for and get. */
export interface PlanSpec {
  readonly key: string;
  /** To subscribe to by name: endpoints and route tables. */
  readonly names: PerType<readonly string[]>;
  /** Resources that make a proxy complete. */
  readonly expect: PerType<number>;
}

/** A plan with its requests, built once for all streams that follow it. */
export interface Plan {
  readonly key: string;
  readonly expect: PerType<number>;
  readonly first: PerType<SharedPart>;
  /** The rest of an answer: in state-of-the-world it repeats the names, as Envoy does. */
  readonly answer: PerType<SharedPart>;
  readonly names: PerType<readonly string[]>;
}

const wildcards: ReadonlySet<BenchType> = new Set(["CDS", "LDS"]);

export function createPlan(variant: Variant, { key, names, expect }: PlanSpec): Plan {
  const first = perType((type) => {
    // The old way to ask for everything: no names.
    const asked: Asked = wildcards.has(type) ? { type } : { type, subscribe: names[type] };
    return sharedPart(requestPart(variant, asked));
  });
  const bare = perType((type) => sharedPart(requestPart(variant, { type })));
  return { key, expect, names, first, answer: variant === "sotw" ? first : bare };
}

/** First requests of proxies that come back with what they hold: versions by name, by type. */
export function returningPart(plan: Plan, type: BenchType, known: Versions): SharedPart {
  const asked: Asked = wildcards.has(type) ? { type, known } : { type, subscribe: plan.names[type], known };
  return sharedPart(requestPart("delta", asked));
}

/** Names that become known, or cease to be, with a response of CDS. */
export interface Follow {
  readonly type: BenchType;
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
}

/** The plan after it, and the request that says so. */
export function followed(
  variant: Variant,
  plan: Plan,
  follow: Follow,
): { readonly plan: Plan; readonly part: SharedPart } {
  const { type, subscribe, unsubscribe } = follow;
  const gone = new Set(unsubscribe);
  const names = [...plan.names[type].filter((name) => !gone.has(name)), ...subscribe];
  const expect = { ...plan.expect, [type]: names.length };
  const next = createPlan(variant, { key: plan.key, names: { ...plan.names, [type]: names }, expect });
  const part = variant === "sotw" ? next.first[type] : sharedPart(requestPart(variant, follow));
  return { plan: next, part };
}

export const typeIndex = Object.fromEntries(benchTypes.map((type, index) => [type, index])) as PerType<number>;
