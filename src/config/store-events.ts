import type { DocumentEvent, EventPosition, RuleStore, StoredDocument } from "./store.ts";

/** The last events, in their order, and what is known of the time before. */
export interface RecentEvents {
  /** The last revision; 0: none. */
  readonly revision: number;
  readonly events: readonly DocumentEvent[];
  /** The last event that is not among them. */
  readonly forgotten: EventPosition;
}

/** How many events are remembered: their number, and the length of their documents' texts in UTF-16 units. */
export interface EventBounds {
  readonly events: number;
  readonly length: number;
}

/** The last events, in memory. */
export interface EventMemory {
  /** The events of the next revisions. */
  readonly append: (revision: number, events: readonly DocumentEvent[]) => void;
  readonly after: RuleStore["eventsAfter"];
}

export const lengthOf = ({ text, json }: StoredDocument): number => text.length + json.length;

/** Goes on from events that are within the bounds. */
export function createEventMemory(recent: RecentEvents, bounds: EventBounds): EventMemory {
  let { events, revision: last, forgotten } = recent;
  let length = events.reduce((sum, { document }) => sum + lengthOf(document), 0);
  return {
    append(revision, more) {
      last = revision;
      const all = [...events, ...more];
      for (const { document } of more) length += lengthOf(document);
      let dropped = 0;
      for (const event of all) {
        if (all.length - dropped <= bounds.events && length <= bounds.length) break;
        length -= lengthOf(event.document);
        forgotten = event;
        dropped++;
      }
      events = all.slice(dropped);
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
