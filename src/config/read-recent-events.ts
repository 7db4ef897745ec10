import type { Call } from "../base/database.ts";
import type { ruleProcedures } from "./rule-procedures.ts";
import type { DocumentEvent } from "./store.ts";
import { type EventBounds, lengthOf, type RecentEvents } from "./store-events.ts";

/** Read in one go; between two pages others have their turn. */
const page = { limit: 200, length: 4 * 1024 * 1024 } as const;

/** The last events that are within the bounds. */
export async function readRecentEvents(call: Call<typeof ruleProcedures>, bounds: EventBounds): Promise<RecentEvents> {
  const { revision, forgotten } = await call("readRuleState", undefined);
  const events: DocumentEvent[] = [];
  let length = 0;
  for (;;) {
    const before = events.at(-1);
    const older = await call("readRuleEvents", { ...page, ...(before && { before: positionOf(before) }) });
    for (const event of older) {
      length += lengthOf(event.document);
      if (events.length >= bounds.events || length > bounds.length) {
        return { revision, events: events.reverse(), forgotten: positionOf(event) };
      }
      events.push(event);
    }
    if (older.length === 0) {
      const index = forgotten === 0 ? 0 : Number.POSITIVE_INFINITY;
      return { revision, events: events.reverse(), forgotten: { revision: forgotten, index } };
    }
  }
}

const positionOf = ({ revision, index }: DocumentEvent) => ({ revision, index });
