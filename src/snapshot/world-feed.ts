import type { Clock } from "../base/clock.ts";
import { createSignal, gather, type Signal } from "../base/signal.ts";
import { createWorld, type HeldRule, type World } from "../compile/world.ts";
import type { RuleSet } from "../config/rule-set.ts";
import type { Catalog } from "../model/catalog.ts";
import type { MeshSettings } from "../model/mesh-settings.ts";

export interface WorldFeedInput {
  /** undefined until every registry has reported once. */
  readonly catalog: Signal<Catalog | undefined>;
  readonly rules: Signal<RuleSet>;
  readonly holds: Signal<readonly HeldRule[]>;
  readonly mesh: MeshSettings;
  readonly clock: Clock;
}

export interface WorldFeed {
  /** undefined until the first complete world. */
  readonly world: Signal<World | undefined>;
  readonly close: () => void;
}

/** Changes that come in a row make one world: the first at once, those after it at the end of a pause, which grows… */
const minPauseMs = 10;
/** …to this, so that steady changes reach the proxies ten times a second. (Istio's wait for quiet has no such bound below 10 s.) */
const maxPauseMs = 100;

/** Joins what the stations before it report into one world after the other. */
export function createWorldFeed({ catalog, rules, holds, mesh, clock }: WorldFeedInput): WorldFeed {
  const world = createSignal<World | undefined>(undefined);
  const refresh = (): void => {
    if (catalog.value !== undefined) world.set(createWorld(catalog.value, rules.value, holds.value, mesh));
  };
  const gathering = gather(refresh, { clock, minPauseMs, maxPauseMs });
  const subscriptions = [catalog, rules, holds].map((input) => input.subscribe(gathering.trigger));
  gathering.trigger();
  return {
    world,
    close: () => {
      for (const unsubscribe of subscriptions) unsubscribe();
      gathering.close();
    },
  };
}
