import type { RecentEvents } from "./rule-procedures.ts";
import type { DocumentEvent, EventPosition, RuleStore } from "./store.ts";

/** The last events, in memory. */
export interface EventMemory {
  readonly append: (events: readonly DocumentEvent[]) => void;
  readonly after: RuleStore["eventsAfter"];
}

/** Keeps `max` events: those that are known already are the first of them. */
export function createEventMemory(recent: RecentEvents, max: number): EventMemory {
  let events = recent.events;
  let { revision: last, forgotten } = recent;
  return {
    append(more) {
      last = more.at(-1)?.revision ?? last;
      const all = [...events, ...more];
      forgotten = all.at(-1 - max) ?? forgotten;
      events = all.slice(-max);
    },
    after(position) {
      // One from the future was given out by a file that an older backup has replaced since.
      if (isBefore(position, forgotten) || position.revision > last) return "gone";
      return events.filter((event) => isBefore(position, event));
    },
  };
}

const isBefore = (a: EventPosition, b: EventPosition): boolean =>
  a.revision < b.revision || (a.revision === b.revision && a.index < b.index);
