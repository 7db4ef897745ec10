import { type BenchType, benchTypes, type PerType, perType } from "../fixture/types.ts";

/** What a stream has to get of a type before it is done. */
export interface Need {
  readonly responses: number;
  readonly resources: number;
  readonly removed: number;
}

/** What the streams of each plan have to get; plans that are not named have to get nothing. */
export type Goal = Readonly<Record<string, Partial<PerType<Need>>>>;

export interface Counts {
  responses: number;
  resources: number;
  removed: number;
}

/** Follows one goal over all streams. */
export interface GoalWatch {
  /** Told of each response; `at` in milliseconds of the system's monotonic clock. */
  readonly count: (stream: number, plan: string, type: BenchType, got: Counts, at: number) => void;
  /** What a stream got so far does not count: it begins anew. */
  readonly restart: (stream: number) => void;
  readonly reached: Promise<void>;
  /** When each stream that has something to get was done. */
  readonly times: () => readonly number[];
  /** Streams that still wait. */
  readonly pending: () => number;
}

export function watchGoal(goal: Goal, plans: readonly string[]): GoalWatch {
  const { promise: reached, resolve } = Promise.withResolvers<void>();
  const counts = plans.map(() => perType((): Counts => ({ responses: 0, resources: 0, removed: 0 })));
  const doneAt = new Map<number, number>();
  let pending = plans.filter((plan) => goal[plan] !== undefined).length;
  if (pending === 0) resolve();
  return {
    count: (stream, plan, type, got, at) => {
      const needs = goal[plan];
      const mine = counts[stream];
      if (needs === undefined || mine === undefined || doneAt.has(stream)) return;
      mine[type].responses += got.responses;
      mine[type].resources += got.resources;
      mine[type].removed += got.removed;
      if (!benchTypes.every((each) => isEnough(mine[each], needs[each]))) return;
      doneAt.set(stream, at);
      pending--;
      if (pending === 0) resolve();
    },
    restart: (stream) => {
      if (!doneAt.has(stream)) counts[stream] = perType(() => ({ responses: 0, resources: 0, removed: 0 }));
    },
    reached,
    times: () => [...doneAt.values()],
    pending: () => pending,
  };
}

const isEnough = (got: Counts, need: Need | undefined): boolean =>
  need === undefined ||
  (got.responses >= need.responses && got.resources >= need.resources && got.removed >= need.removed);
