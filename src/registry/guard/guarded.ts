import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { createSignal } from "../../base/signal.ts";
import { timeText } from "../../base/time-text.ts";
import type { Catalog } from "../../model/catalog.ts";
import type { OperatorHold, RegistryHealth, RegistrySource } from "../source.ts";
import { begin, expire, expiryOf, type Guard, pin, release, renew, take } from "./guard.ts";
import { healthOf } from "./guard-health.ts";
import { totalOf } from "./held.ts";
import type { GuardPolicy } from "./policy.ts";

/** A registry whose sudden losses are held, and about which an operator may decide. */
export interface GuardedRegistry extends RegistrySource {
  /** Nothing of it goes until it is released. */
  readonly hold: (by: string) => void;
  /** What it reports counts, all of it. */
  readonly release: () => void;
}

/** What was served before this process began. */
export interface LastGood {
  readonly catalog: Catalog;
  /** Milliseconds since the epoch. */
  readonly savedAt: number;
  readonly hold?: OperatorHold;
}

export interface GuardOptions {
  readonly policy: GuardPolicy;
  readonly clock: Clock;
  readonly log: Log;
  /** The measure of the first report, and what is served while there is none. */
  readonly lastGood?: LastGood;
  /** How long a registry may be silent at the start before its last good catalog is served; one in trouble may not. */
  readonly patienceMs?: number;
}

/** Holds what a registry loses all of a sudden, and serves what it had while it cannot say what it has. */
export function guardRegistry(source: RegistrySource, options: GuardOptions): GuardedRegistry {
  const { policy, clock, patienceMs = 5_000 } = options;
  const log = options.log.child({ registry: source.name });
  // What is held on to below shall not keep the saved catalog in memory.
  const { lastGood } = options;
  const savedAt = lastGood?.savedAt;
  const catalog = createSignal<Catalog | undefined>(undefined);
  const health = createSignal<RegistryHealth>(source.health.value);
  let hold = lastGood?.hold;
  let basis: "nothing" | "saved" | "reports" = "nothing";
  let since = clock.now();
  let wasLive = false;
  let cancelExpiry = () => {};

  const first = (reported: Catalog): Guard => (hold === undefined ? begin(reported) : pin(begin(reported)));
  let guard = lastGood && first(lastGood.catalog);

  const isLive = () => source.health.value.state === "LIVE";

  /** While the registry is away, no time passes for what is held. */
  const show = (): void => {
    if (basis !== "nothing") catalog.set(guard?.served);
    const told = source.health.value;
    const expiry = guard && told.state === "LIVE" ? expiryOf(guard, policy) : undefined;
    const until = expiry && Math.round(clock.now() + expiry.last - clock.monotonic());
    health.set(
      healthOf({ registry: source.name, told, guard, hold, since, until, ...(basis === "saved" && { savedAt }) }),
    );
    cancelExpiry();
    cancelExpiry = expiry === undefined ? () => {} : clock.after(expiry.first - clock.monotonic(), onTime);
  };

  const become = (next: Guard, why: keyof typeof endings): void => {
    const [before, after] = [guard?.held.size ?? 0, next.held.size];
    guard = next;
    if (before === 0 && after > 0) since = clock.now();
    show();
    if (before === 0 && after > 0) log.warn(heldFields(next), "more is gone at once than is believed; that is held");
    if (before > 0 && after === 0) log.warn({}, endings[why]);
  };

  const onTime = (): void => {
    if (guard !== undefined) become(expire(guard, clock.monotonic(), policy), "time");
  };

  const onReport = (reported: Catalog | undefined): void => {
    if (reported === undefined) return;
    basis = "reports";
    become(guard === undefined ? first(reported) : take(guard, reported, clock.monotonic(), policy), "report");
  };

  const onHealth = ({ state, problems }: RegistryHealth): void => {
    const isBack = isLive() && !wasLive;
    wasLive = isLive();
    if (state === "OUTAGE" || (state === "INITIAL" && problems.length > 0)) serveSaved();
    if (isBack && guard !== undefined && basis === "reports") become(renew(guard, clock.monotonic()), "report");
    else show();
  };

  const serveSaved = (): void => {
    if (basis !== "nothing" || savedAt === undefined) return;
    basis = "saved";
    since = clock.now();
    log.warn({ of: timeText(savedAt) }, "it does not report; its last good catalog is served");
    show();
  };

  const stops = [source.catalog.subscribe(onReport), source.health.subscribe(onHealth)];
  const cancelPatience = savedAt === undefined ? () => {} : clock.after(patienceMs, serveSaved);
  onReport(source.catalog.value);
  onHealth(source.health.value);

  const decide = (next: (guard: Guard) => Guard): void => {
    if (guard === undefined) show();
    else become(next(guard), "operator");
  };

  return {
    name: source.name,
    catalog,
    health,
    hold: (by) => {
      hold ??= { by, since: clock.now() };
      decide(pin);
    },
    release: () => {
      hold = undefined;
      decide(release);
    },
    close: async () => {
      for (const stop of stops) stop();
      cancelExpiry();
      cancelPatience();
      await source.close();
    },
  };
}

const endings = {
  report: "what was held is reported again",
  time: "what was held was not reported again in time, and is gone",
  operator: "what was held is released, and gone",
} as const;

/** Of a line of the log: how much, and the first of it. */
const heldFields = ({ held }: Guard): object => ({
  services: held.size,
  instances: totalOf(held).instances,
  first: [...held.values().take(5)].map(({ service, reason }) => `${service.hostname} (${reason})`),
});
