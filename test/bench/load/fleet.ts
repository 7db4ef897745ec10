import { setTimeout as delay } from "node:timers/promises";
import type { BenchNode } from "../fixture/nodes.ts";
import { type BenchType, type PerType, perType } from "../fixture/types.ts";
import { monotonicMs } from "../monotonic.ts";
import { type ChurnWatch, watchChurn } from "./churn.ts";
import type { FleetSpec, Known, LoadCommand, LoadReports, Reached, Staleness } from "./commands.ts";
import { createCounter } from "./counter.ts";
import { type Goal, type GoalWatch, watchGoal } from "./goals.ts";
import { createHolding, type Holding } from "./holding.ts";
import type { Arrival } from "./message-reader.ts";
import { createPlan, type Follow, followed, type Plan, returningPart } from "./plans.ts";
import { createProxyStream, type ProxyStream, type Returning } from "./proxy-stream.ts";
import { knownPart, nodePart, type SharedPart } from "./requests.ts";
import { stalenessOf } from "./staleness.ts";

/** Larger messages are kept whole by the checking streams only. */
const wholeUpTo = 256 * 1024;
/** How soon a proxy dials again that could not stay. */
const redialMs = 50;
/** How often it is looked whether something has ended that nobody announces. */
const pollMs = 50;

type Report<D extends LoadCommand["do"]> = LoadReports[D] | Promise<LoadReports[D]>;
export type Fleet = {
  readonly [D in Exclude<LoadCommand["do"], "setup">]: (command: Extract<LoadCommand, { readonly do: D }>) => Report<D>;
};

/** All simulated proxies of one server. */
export function createFleet(spec: FleetSpec): Fleet {
  const { variant, host, port, answers } = spec;
  const counter = createCounter(spec.nodes.length);
  const plans = spec.plans.map((plan) => createPlan(variant, plan));
  const holdings = new Map<number, Holding>();
  const asking = new Map<string, readonly Asking[]>();
  /** Who has asked already. */
  const followers = new Set<number>();
  let watch: GoalWatch | undefined;
  let churn: ChurnWatch | undefined;
  let goalSetAt = 0;
  let lastArrival = 0;
  let lettingGo = false;
  let redial: (stream: ProxyStream) => void = (stream) => stream.dial();

  const arrived = (stream: ProxyStream, type: BenchType, arrival: Arrival): void => {
    const at = monotonicMs();
    lastArrival = at;
    counter.count(stream.index, type, arrival);
    holdings.get(stream.index)?.take(type, arrival);
    if (type === "CDS") ask(stream);
    if (churn !== undefined && type === "EDS") {
      if (arrival.whole === undefined) churn.blind(stream.index);
      else churn.scan(stream.index, arrival.whole, at);
    }
    watch?.count(stream.index, stream.plan.key, type, { responses: 1, ...arrival }, at);
  };

  /** New names, where the goal says that this response brought some. */
  const ask = (stream: ProxyStream): void => {
    if (followers.has(stream.index)) return;
    followers.add(stream.index);
    for (const { plan, part, follow } of asking.get(stream.plan.key) ?? []) {
      stream.plan = plan;
      stream.ask(follow.type, part);
      holdings.get(stream.index)?.forget(follow.type, follow.unsubscribe);
    }
  };

  const dropped = (stream: ProxyStream, reason: string): void => {
    if (lettingGo) return;
    counter.drop(reason);
    watch?.restart(stream.index);
    setTimeout(() => redial(stream), redialMs);
  };

  const streamOf = (index: number, node: BenchNode, plan: Plan, isFirst: boolean): ProxyStream => {
    const checks = isFirst || index % spec.checkEvery === 0;
    if (checks) holdings.set(index, createHolding(variant));
    const stream: ProxyStream = createProxyStream({
      ...{ index, variant, host, port, plan, answers },
      node: nodePart(variant, node),
      wholeUpTo: checks ? Number.POSITIVE_INFINITY : wholeUpTo,
      onArrival: (type, arrival) => arrived(stream, type, arrival),
      onDrop: (reason) => dropped(stream, reason),
    });
    return stream;
  };

  const seen = new Set<number>();
  const streams = spec.nodes.map(({ node, plan: planIndex }, index) => {
    const plan = plans[planIndex];
    if (plan === undefined) throw new Error(`no plan ${planIndex}`);
    const isFirst = !seen.has(planIndex);
    seen.add(planIndex);
    return streamOf(index, node, plan, isFirst);
  });

  const planKeys = (): readonly string[] => streams.map(({ plan }) => plan.key);

  const reach = async (begunAt: number, withinMs: number): Promise<Reached> => {
    const current = watch;
    if (current === undefined) throw new Error("no goal was set");
    const ended = new AbortController();
    await Promise.race([current.reached, delay(withinMs, undefined, { signal: ended.signal }).catch(() => {})]);
    ended.abort();
    return { begunAt, doneAt: current.times(), missing: current.pending() };
  };

  const quiet = async (quietMs: number, withinMs: number): Promise<void> => {
    const [begun, until] = [monotonicMs(), monotonicMs() + withinMs];
    while (monotonicMs() < until) {
      const still = quietMs - (monotonicMs() - Math.max(lastArrival, begun));
      if (still <= 0) return;
      await delay(Math.max(5, still));
    }
  };

  return {
    storm: ({ withinMs }) => {
      const whole = perTypeOfPlans(streams.map(({ plan }) => plan));
      watch = watchGoal(whole, planKeys());
      for (const holding of holdings.values()) holding.clear();
      lettingGo = false;
      redial = (stream) => stream.dial();
      const begunAt = monotonicMs();
      for (const stream of streams) stream.dial();
      return reach(begunAt, withinMs);
    },
    return: async ({ known, quietMs, withinMs }) => {
      watch = undefined;
      lettingGo = false;
      const firsts = returning(spec, known);
      redial = (stream) => stream.dial(firsts(stream));
      const begunAt = monotonicMs();
      for (const stream of streams) redial(stream);
      await quiet(quietMs, withinMs);
      return { begunAt, doneAt: [Math.max(begunAt, lastArrival)], missing: 0 };
    },
    "let-go": () => {
      lettingGo = true;
      return undefined;
    },
    goal: ({ goal, follow = {} }) => {
      watch = watchGoal(goal, planKeys());
      asking.clear();
      followers.clear();
      for (const [key, follows] of Object.entries(follow)) asking.set(key, followedPlans(variant, plans, key, follows));
      goalSetAt = monotonicMs();
      return undefined;
    },
    reach: ({ withinMs }) => reach(goalSetAt, withinMs),
    quiet: ({ quietMs, withinMs }) => quiet(quietMs, withinMs).then(() => undefined),
    counts: counter.read,
    digests: () =>
      [...holdings].map(([index, holding]) => ({
        workload: spec.nodes[index]?.node.workload ?? "",
        digests: holding.digests(),
      })),
    pause: ({ stream }) => {
      streams[stream]?.pause();
      return undefined;
    },
    resume: ({ stream }) => {
      streams[stream]?.resume();
      return undefined;
    },
    churn: ({ first, previous }) => {
      churn = watchChurn(streams.length, first, previous);
      return undefined;
    },
    "caught-up": async ({ without, withinMs }) => {
      const until = monotonicMs() + withinMs;
      const waits = ({ index }: ProxyStream): boolean =>
        churn !== undefined && !without.includes(index) && !churn.isBlind(index) && !churn.isComplete(index);
      while (monotonicMs() < until && streams.some(waits)) await delay(pollMs);
      return undefined;
    },
    churned: ({ sentAt, without }): Staleness => {
      const watched = churn;
      churn = undefined;
      if (watched === undefined) throw new Error("no churn is watched");
      return stalenessOf(watched, streams.length, sentAt, new Set(without));
    },
  };
}

/** Everything, for the streams of each plan. */
function perTypeOfPlans(plans: readonly Plan[]): Goal {
  const needOf = (count: number) => ({ responses: count === 0 ? 0 : 1, resources: count, removed: 0 });
  return Object.fromEntries(plans.map(({ key, expect }) => [key, perType((type) => needOf(expect[type]))]));
}

/** What a stream asks for with its next response of CDS. */
interface Asking {
  readonly plan: Plan;
  readonly part: SharedPart;
  readonly follow: Follow;
}

/** Each follow changes the plan that the one before it left. */
function followedPlans(
  variant: FleetSpec["variant"],
  plans: Plan[],
  key: string,
  follows: readonly Follow[],
): readonly Asking[] {
  return follows.map((follow) => {
    const index = plans.findIndex((plan) => plan.key === key);
    const before = plans[index];
    if (before === undefined) throw new Error(`no plan ${key}`);
    const { plan, part } = followed(variant, before, follow);
    plans[index] = plan;
    return { plan, part, follow };
  });
}

/** What proxies say when they come back: what is common to all of a plan is built once. */
function returning(
  { variant, nodes }: FleetSpec,
  known: readonly Known[],
): (stream: ProxyStream) => PerType<Returning> {
  const nothing = Buffer.alloc(0);
  // In state-of-the-world a request says the version of the last response, which each stream knows by itself.
  if (variant === "sotw") return ({ plan }) => perType((type) => ({ shared: plan.first[type], own: nothing }));
  const byPlan = new Map(known.map((one) => [one.plan, one]));
  const shared = new Map<Plan, PerType<SharedPart>>();
  const sharedOf = (plan: Plan): PerType<SharedPart> => {
    const made =
      shared.get(plan) ?? perType((type) => returningPart(plan, type, byPlan.get(plan.key)?.common[type] ?? []));
    shared.set(plan, made);
    return made;
  };
  return ({ plan, index }) => {
    const common = sharedOf(plan);
    const own = byPlan.get(plan.key)?.own.get(nodes[index]?.node.workload ?? "");
    return perType((type) => ({ shared: common[type], own: knownPart(own?.[type] ?? []) }));
  };
}
