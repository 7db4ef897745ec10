import { randomInt } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { OrderedMap } from "../base/ordered-map.ts";
import { createSignal, gather } from "../base/signal.ts";
import type { KubeClient } from "./client.ts";
import { KubeFailure } from "./failure.ts";
import { isAbsent } from "./is-absent.ts";
import { listObjects, pathOf } from "./list-objects.ts";
import type { ReflectorMetrics } from "./metrics.ts";
import { createObjectStore } from "./object-store.ts";
import { firstPlan, nextPlan, type Outcome, type Plan, type Step } from "./plan.ts";
import type { KubeResource, Reflector } from "./reflector.ts";
import { createReflectorState } from "./reflector-state.ts";
import { defaultReflectorTimes, type ReflectorTimes } from "./times.ts";
import { watchObjects } from "./watch-objects.ts";

export interface ReflectorOptions<T extends object> {
  readonly client: KubeClient;
  readonly resource: KubeResource<T>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: ReflectorMetrics;
  readonly times?: Partial<ReflectorTimes>;
  /** From 0 to 1; default: by chance. */
  readonly random?: () => number;
}

/** Keeps objects equal to the server's, by one list or watch after the other, until it is closed. */
export function createReflector<T extends object>(options: ReflectorOptions<T>): Reflector<T> {
  const { client, resource, clock, metrics, random = byChance } = options;
  const what = pathOf(resource);
  const log = options.log.child({ resource: what });
  const times = { ...defaultReflectorTimes, ...options.times };
  const objects = createSignal<OrderedMap<string, T> | undefined>(undefined);
  const state = createReflectorState(clock, log);
  let controller = new AbortController();
  let wake = (): void => {};
  let closed = false;

  const store = createObjectStore(resource.project, (key, err) => {
    metrics.error("object");
    log.error({ object: key, err }, "cannot take an object, what is known of it stays");
  });

  const publish = (): void => {
    const next = store.objects();
    metrics.objects(next.size);
    try {
      objects.set(next);
    } catch (err) {
      metrics.error("listener");
      log.error({ err }, "cannot hand over changed objects");
    }
  };
  const gathered = gather(publish, { clock, minPauseMs: times.minGatherMs, maxPauseMs: times.maxGatherMs });

  /** A list is complete. Whoever waits for `live` finds it handed over. */
  const listed = (how: "list" | "stream"): void => {
    metrics.listed(how);
    publish();
    state.heard();
  };

  const list = async (resourceVersion: string): Promise<Outcome> => {
    const beganAt = clock.monotonic();
    const end = { progressed: false, opened: false, version: undefined };
    try {
      const list = await listObjects({ client, resource, store, clock, times, resourceVersion, controller });
      list.listing.done();
      listed("list");
      return { ...end, opened: true, version: list.resourceVersion, lastedMs: clock.monotonic() - beganAt };
    } catch (cause) {
      if (!(cause instanceof KubeFailure)) log.error({ err: cause }, "cannot take a list");
      const failure = cause instanceof KubeFailure ? cause : new KubeFailure("broken", String(cause), { cause });
      return { ...end, lastedMs: clock.monotonic() - beganAt, failure };
    }
  };

  const watch = async (from: string | undefined): Promise<Outcome> => {
    let cancel = (): void => {};
    let isListing = from === undefined;
    const heard = (): void => {
      metrics.heard(clock.now());
      // Until the list is complete, what is kept is what was.
      if (!isListing) state.heard();
    };
    const outcome = await watchObjects({
      ...{ client, resource, store, clock, times, random, from, controller },
      listener: {
        opened: () => {
          metrics.watched();
          // The first word may be a refusal.
          cancel = clock.after(times.shortWatchMs, heard);
        },
        event: (type) => {
          metrics.event(type);
          heard();
        },
        listed: () => {
          isListing = false;
          listed("stream");
        },
        changed: gathered.trigger,
      },
    });
    cancel();
    return outcome;
  };

  const take = (step: Step): Promise<Outcome> => {
    controller = new AbortController();
    if (closed) controller.abort();
    return step.kind === "list"
      ? list(step.resourceVersion)
      : watch(step.kind === "stream" ? undefined : step.resourceVersion);
  };

  const forgetIfAbsent = async (): Promise<boolean> => {
    if (!(await isAbsent(client, resource, controller.signal).catch(() => false))) return false;
    store.list().done();
    publish();
    return true;
  };

  const run = async (): Promise<void> => {
    for (let plan = firstPlan; !closed; ) {
      const outcome = await take(plan.step);
      if (closed) return;
      const next = nextPlan(plan, outcome, { nowMs: clock.monotonic(), random: random(), times });
      const { failure } = outcome;
      if (failure?.kind === "absent" && (await forgetIfAbsent())) state.absent(failure);
      // That no list is streamed is no failure.
      else if (failure !== undefined && next.streams === plan.streams) state.failed(failure);
      plan = next;
      metrics.restarted(plan.reason);
      log.debug({ ...plan }, "goes on");
      await pause(plan);
    }
  };

  /** Who waits for a server that did not answer goes on soon after it has answered anybody. */
  const pause = ({ waitMs, reason }: Plan): Promise<void> =>
    waitMs === 0 || closed
      ? Promise.resolve()
      : new Promise((resolve) => {
          let cancel = clock.after(waitMs, () => wake());
          const unfollow = client.onReturn(() => {
            if (reason !== "unreachable") return;
            cancel();
            cancel = clock.after(random() * times.minPauseMs, () => wake());
          });
          wake = () => {
            cancel();
            unfollow();
            resolve();
          };
        });

  const running = run();
  return {
    objects,
    state: state.signal,
    close: async () => {
      closed = true;
      controller.abort(new KubeFailure("cut", `${what} is no longer watched`));
      wake();
      await running;
      gathered.close();
      metrics.close();
    },
  };
}

const byChance = (): number => randomInt(2 ** 32) / 2 ** 32;
