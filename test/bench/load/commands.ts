import type { BenchNode } from "../fixture/nodes.ts";
import type { PerType } from "../fixture/types.ts";
import type { Goal } from "./goals.ts";
import type { Follow, PlanSpec } from "./plans.ts";
import type { Variant } from "./skim.ts";

/* What the bench tells its load process, and what that answers. Times are milliseconds of the system's monotonic clock. */

export interface FleetSpec {
  readonly variant: Variant;
  readonly host: string;
  readonly port: number;
  readonly plans: readonly PlanSpec[];
  readonly nodes: readonly { readonly node: BenchNode; readonly plan: number }[];
  /** One stream in so many decodes and checks; and the first of each plan. */
  readonly checkEvery: number;
  /** Responses are taken and not answered. */
  readonly answers: boolean;
}

/** What the proxies of a plan hold when they come back, as names and versions. */
export interface Known {
  readonly plan: string;
  readonly common: PerType<Versions>;
  /** Besides, by workload. */
  readonly own: ReadonlyMap<string, PerType<Versions>>;
}

export type Versions = readonly (readonly [name: string, version: string])[];

export type LoadCommand =
  | { readonly do: "setup"; readonly spec: FleetSpec }
  /** All dial at once and are done when all have everything. */
  | { readonly do: "storm"; readonly withinMs: number }
  /** All dial at once with what they hold, and are done when nothing has come for a while. */
  | { readonly do: "return"; readonly known: readonly Known[]; readonly quietMs: number; readonly withinMs: number }
  /** Connections that break from now on are nobody's fault, and stay broken. */
  | { readonly do: "let-go" }
  | { readonly do: "goal"; readonly goal: Goal; readonly follow?: Readonly<Record<string, readonly Follow[]>> }
  | { readonly do: "reach"; readonly withinMs: number }
  | { readonly do: "quiet"; readonly quietMs: number; readonly withinMs: number }
  | { readonly do: "counts" }
  | { readonly do: "digests" }
  | { readonly do: "pause"; readonly stream: number }
  | { readonly do: "resume"; readonly stream: number }
  | { readonly do: "churn"; readonly first: number; readonly previous: readonly number[] }
  /** Until every event is everywhere, but at these streams. */
  | { readonly do: "caught-up"; readonly without: readonly number[]; readonly withinMs: number }
  | { readonly do: "churned"; readonly sentAt: readonly number[]; readonly without: readonly number[] };

export interface TypeTotals {
  readonly bytes: number;
  readonly responses: number;
  readonly resources: number;
  readonly removed: number;
}

/** What arrived since the counts were last asked for. */
export interface LoadCounts {
  readonly totals: PerType<TypeTotals>;
  /** Streams that got anything. */
  readonly touched: number;
  /** Streams that broke by themselves, by reason. */
  readonly drops: Readonly<Record<string, number>>;
  readonly cpuMs: number;
  readonly wallMs: number;
}

export interface Reached {
  /** When the first stream was told to dial, or the goal was set. */
  readonly begunAt: number;
  /** When each stream was done. */
  readonly doneAt: readonly number[];
  /** Streams that were not done in time. */
  readonly missing: number;
}

export interface Staleness {
  /** Of every event at every stream that was watched, in milliseconds, ascending. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** Arrivals that were waited for in vain. */
  readonly missing: number;
  readonly watched: number;
}

export interface LoadReports {
  readonly setup: undefined;
  readonly storm: Reached;
  readonly return: Reached;
  readonly "let-go": undefined;
  readonly goal: undefined;
  readonly reach: Reached;
  readonly quiet: undefined;
  readonly counts: LoadCounts;
  /** Of each checking stream: its workload and the digests of what it holds. */
  readonly digests: readonly { readonly workload: string; readonly digests: PerType<string> }[];
  readonly pause: undefined;
  readonly resume: undefined;
  readonly churn: undefined;
  readonly "caught-up": undefined;
  readonly churned: Staleness;
}
