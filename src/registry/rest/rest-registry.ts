import type { Clock } from "../../base/clock.ts";
import type { Call } from "../../base/database.ts";
import { MeshError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { Metrics } from "../../base/metrics.ts";
import { shareUnchanged } from "../../base/share.ts";
import { createSignal, gather } from "../../base/signal.ts";
import type { Catalog } from "../../model/catalog.ts";
import type { RegistryHealth, RegistryProblem, RegistrySource, RegistryState } from "../source.ts";
import type { Changes, InstanceName } from "./changes.ts";
import { createRegistrations } from "./create-registrations.ts";
import { createLeaseMetrics } from "./lease-metrics.ts";
import type { leaseProcedures } from "./lease-procedures.ts";
import { createLive, type Lapses } from "./live.ts";
import { dropReplaced, readRows } from "./load.ts";
import type { Limits } from "./operations.ts";
import { momentOf } from "./records.ts";
import type { Registrations } from "./registrations.ts";
import { createRetry } from "./retry.ts";
import { createWriter } from "./writer.ts";

/** The registry of what registers itself. */
export interface RestRegistry extends RegistrySource {
  readonly registrations: Registrations;
}

export interface RestRegistryOptions {
  readonly name?: string;
  readonly call: Call<typeof leaseProcedures>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics?: Metrics;
  readonly limits?: Limits;
  /** Until a failed database is tried again, first. */
  readonly retryMs?: number;
}

/** Instances that heal come to proxies together: the first at once, others of the same time this much later. */
const healingMs = 50;

const defaultLimits: Limits = { services: 10_000, instances: 100_000 };

/**
 * The registry `rest`: services and instances that clients register, with leases. It resolves after the first attempt to read what
 * is registered; while that fails the state is INITIAL and everything asked of it is refused. Later trouble of the database is
 * an OUTAGE: what is registered stays, leases are renewed and lapse, and changes are refused.
 */
export async function openRestRegistry(options: RestRegistryOptions): Promise<RestRegistry> {
  const { name = "rest", call, clock, limits = defaultLimits, retryMs = 1_000 } = options;
  const log = options.log.child({ registry: name });
  const metrics = options.metrics && createLeaseMetrics(options.metrics);
  const catalog = createSignal<Catalog | undefined>(undefined);
  const health = createSignal<RegistryHealth>({ state: "INITIAL", since: clock.now(), problems: [] });
  const unreadable = new Map<string, RegistryProblem>();
  let loaded = false;
  let closed = false;
  let trouble: MeshError | undefined;

  const setHealth = (): void => {
    const state: RegistryState = !loaded ? "INITIAL" : trouble === undefined ? "LIVE" : "OUTAGE";
    const since = state === health.value.state ? health.value.since : clock.now();
    const problems = [...(trouble === undefined ? [] : [problemOf(trouble)]), ...unreadable.values().take(maxProblems)];
    if (!closed) health.set(shareUnchanged(health.value, { state, since, problems }));
  };

  const publish = (): void => {
    if (loaded && !closed) catalog.set(live.catalog());
  };

  /** After trouble of the network everybody comes back at once. */
  const healing = gather(publish, { clock, minPauseMs: healingMs, maxPauseMs: healingMs });

  const live = createLive({
    registry: name,
    clock,
    onLapse: (lapses) => {
      publish();
      writer.forget([...lapses.expired, ...lapses.drained]);
      tellLapses(lapses);
    },
    onStall: (lateMs) => {
      log.warn({ lateMs }, "the process stood still; every lease lasts longer by as much");
    },
  });

  const tellLapses = ({ missed, expired, drained }: Lapses): void => {
    for (const [event, names] of Object.entries({ missed, expired, drained })) {
      if (names.length > 0) metrics?.count(event as keyof Lapses, names.length);
    }
    if (missed.length > 0) log.warn(someOf(missed), "instances sent no heartbeat and get no more traffic");
    if (expired.length > 0) log.warn(someOf(expired), "instances sent no heartbeat and are removed");
    if (drained.length > 0) log.info(someOf(drained), "instances are drained and removed");
  };

  const failed = (error: MeshError): void => {
    if (trouble?.message !== error.message) log.error({ err: error }, "cannot write registrations");
    trouble = error;
    setHealth();
    if (!closed) retry.plan();
  };

  const written = (changes: Changes): void => {
    dropReplaced(unreadable, changes);
    retry.reset();
    trouble = undefined;
    setHealth();
  };

  const writer = createWriter({
    call,
    live,
    scene: () => ({
      at: momentOf(clock),
      limits,
      unreadable: {
        service: (host) => unreadable.has(host),
        instance: (host, id) => unreadable.has(`${host}/${id}`),
      },
    }),
    onChange: publish,
    onWritten: written,
    onFailed: failed,
  });

  const load = async (): Promise<void> => {
    try {
      const { changes, unreadable: problems } = readRows(await call("loadRegistrations", undefined));
      if (closed) return;
      for (const [key, problem] of problems) {
        unreadable.set(key, problem);
        log.error({ problem: problem.message }, "a registration cannot be read");
      }
      loaded = true;
      trouble = undefined;
      retry.reset();
      live.apply(changes);
      publish();
    } catch (thrown) {
      if (closed) return;
      trouble = MeshError.from(thrown);
      log.error({ err: trouble }, "cannot read registrations");
      retry.plan();
    }
    setHealth();
  };

  const retry = createRetry({ clock, firstMs: retryMs, task: () => (loaded ? writer.tryAgain() : void load()) });

  await load();
  return {
    name,
    catalog,
    health,
    registrations: createRegistrations({
      live: () => {
        if (loaded) return live;
        throw trouble ?? new MeshError("store/busy", "The registrations are not read yet.");
      },
      writer,
      clock,
      log,
      onHealed: healing.trigger,
      ...(metrics && { metrics }),
    }),
    close: async () => {
      closed = true;
      retry.reset();
      healing.close();
      live.close();
      await writer.close();
    },
  };
}

/** More problems than this are not listed. */
const maxProblems = 100;

const problemOf = ({ message, hint }: MeshError): RegistryProblem => ({ message, ...(hint !== undefined && { hint }) });

/** How many, and the first of them. */
const someOf = (names: readonly InstanceName[]): { readonly count: number; readonly first: readonly string[] } => ({
  count: names.length,
  first: names.slice(0, 5).map(({ host, id }) => `${host}/${id}`),
});
