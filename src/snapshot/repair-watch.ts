import type { Log } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import type { Broken } from "../compile/broken.ts";
import type { Repair } from "../envoy/resource-set.ts";

const warnings: Readonly<Record<Repair["kind"], string>> = {
  missing: "a reference leads nowhere; an empty resource stands in",
  broken: "a resource could not be compiled; the rest of the set goes out",
  conflict: "services want the same listener and cannot be told apart there; the first one has it",
};

/** What is repaired for one profile. */
export interface Repairs {
  readonly repairs: readonly Repair[];
  readonly broken: readonly Broken[];
}

/**
 * Follows what is repaired over all profiles: a resource counts once, however many of them get it, and is logged when it appears
 * for another reason than before. To be called with everything that is repaired now.
 */
export function createRepairWatch(log: Log, metrics: Metrics): (now: Iterable<Repairs>) => void {
  const gauge = metrics.gauge(
    "fairway_repaired_resources",
    "Resources with a stand-in: `missing`, named by others; `broken`, could not be compiled; `conflict`, some services had to give way. Each counts once for all profiles.",
    ["type", "kind"],
  );
  let known: ReadonlySet<string> = new Set();
  return (now) => {
    const present = new Map<string, Repair>();
    const reasons = new Set<string>();
    for (const { repairs, broken } of now) {
      for (const repair of repairs) {
        const { type, name, kind, reason } = repair;
        present.set(`${kind} ${type} ${name}`, repair);
        const key = JSON.stringify([kind, type, name, reason]);
        if (reasons.has(key)) continue;
        reasons.add(key);
        if (known.has(key)) continue;
        const err = broken.find((one) => one.type === type && one.name === name)?.error;
        if (kind === "broken") log.error({ type, name, err }, warnings[kind]);
        else log.warn({ type, name, reason }, warnings[kind]);
      }
    }
    known = reasons;
    gauge.reset();
    for (const { type, kind } of present.values()) gauge.inc({ type, kind });
  };
}
