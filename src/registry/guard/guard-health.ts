import { timeText } from "../../base/time-text.ts";
import type { OperatorHold, RegistryHealth, RegistryProblem, Withheld } from "../source.ts";
import type { Guard } from "./guard.ts";
import { totalOf } from "./held.ts";

/** What is known of a guarded registry. Times are milliseconds since the epoch. */
export interface Standing {
  readonly registry: string;
  /** What its source says of itself. */
  readonly told: RegistryHealth;
  readonly guard: Guard | undefined;
  readonly hold: OperatorHold | undefined;
  /** When the catalog was saved that is served because there is no report yet. */
  readonly savedAt?: number | undefined;
  /** Since when something is held, or a saved catalog is served. */
  readonly since: number;
  /** When the last of what is held goes; undefined: not by itself. */
  readonly until: number | undefined;
}

/** The state of a registry, and what is served that it does not report. */
export function healthOf(standing: Standing): RegistryHealth {
  const { registry, told, hold, savedAt, since } = standing;
  const withheld = withheldOf(standing);
  if (told.state !== "OUTAGE" && savedAt === undefined && hold === undefined && withheld === undefined) return told;
  const ours =
    savedAt !== undefined ? "OUTAGE" : withheld !== undefined && told.state === "LIVE" ? "SUSPECT" : undefined;
  return {
    state: ours ?? told.state,
    since: ours === undefined ? told.since : since,
    problems: [
      ...told.problems,
      ...(savedAt === undefined ? [] : [outdated(savedAt)]),
      ...(withheld === undefined ? [] : [heldBack(registry, withheld, hold !== undefined)]),
    ],
    ...((ours ?? told.state) === "OUTAGE" && { asOf: savedAt ?? told.since }),
    ...(hold && { hold }),
    ...(withheld && { withheld }),
  };
}

function withheldOf({ guard, until }: Standing): Withheld | undefined {
  if (guard === undefined || guard.held.size === 0) return undefined;
  const { instances } = totalOf(guard.held);
  return { services: guard.held, instances, ...(until !== undefined && { until }) };
}

const outdated = (savedAt: number): RegistryProblem => ({
  kind: "outdated",
  message: `It has not reported since Fairway started; what is served is of ${timeText(savedAt)}.`,
  hint: "Its first complete report takes the place of that.",
});

function heldBack(registry: string, { services, instances, until }: Withheld, isHeldByHand: boolean): RegistryProblem {
  const hosts = [...services.values().take(3)].map(({ service }) => service.hostname);
  const more = services.size > hosts.length ? ` and ${services.size - hosts.length} more` : "";
  const byItself = until === undefined ? "for a while after it is back" : `until ${timeText(until)}`;
  const end = isHeldByHand ? "until it is released" : byItself;
  return {
    kind: "held",
    message: `Lost too suddenly to be believed, and served as before ${end}: ${instances === 1 ? "1 instance" : `${instances} instances`} of ${hosts.join(", ")}${more}.`,
    hint: `\`fairway registries release ${registry}\` makes the report count now, \`fairway registries hold ${registry}\` keeps what there was.`,
  };
}
