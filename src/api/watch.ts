import type { Clock } from "../base/clock.ts";
import type { DocumentEvent, EventPosition, RuleStore, StoredDocument } from "../config/store.ts";
import type { ApiLimits } from "./limits.ts";
import { type Problem, problemView } from "./problem.ts";
import { formatEvent, heartbeatComment } from "./sse.ts";
import type { WatchEventView } from "./types/change-sets.ts";
import type { RuleObjectView } from "./types/rules.ts";
import { createWatchFilter, type WatchFilter, type WatchSelection } from "./watch-filter.ts";

/** What somebody wants to watch. */
export interface WatchRequest extends WatchSelection {
  /** The last event that is known; absent: all that is there comes first. */
  readonly from?: EventPosition;
}

/** Where the events of a watch go. */
export interface WatchSink {
  /** False: it has enough for now, `onDrain` says when it goes on. */
  readonly write: (text: string) => boolean;
  readonly onDrain: (listener: () => void) => void;
  readonly onClose: (listener: () => void) => void;
  readonly end: () => void;
  /** At once, whatever was written. */
  readonly cut: () => void;
}

export interface Watcher {
  /** Watches are counted by it. */
  readonly owner: string;
  readonly path: string;
  readonly requestId: string;
  /** Asked with every heartbeat; a problem ends the watch. */
  readonly recheck: () => Promise<Problem | undefined>;
}

export interface WatchesOptions {
  readonly store: RuleStore;
  readonly objectOf: (document: StoredDocument) => RuleObjectView;
  readonly clock: Clock;
  readonly limits: Pick<ApiLimits, "watchers" | "watchersPerToken" | "heartbeatMs" | "bookmarkMs" | "stalledMs">;
}

export interface Watches {
  /** A problem where the watch cannot begin; else it goes on until either end is closed. */
  readonly refusalOf: (watcher: Watcher, request: WatchRequest) => Problem | undefined;
  readonly open: (watcher: Watcher, request: WatchRequest, sink: WatchSink) => void;
  readonly count: () => number;
  readonly close: () => void;
}

/** An event with its text in each form, made when the first watcher needs it, for all who hear of it now. */
interface SharedEvent {
  readonly event: DocumentEvent;
  readonly textAs: (type: "ADDED" | "MODIFIED" | "DELETED") => string;
}

const endOf = (revision: number): EventPosition => ({ revision, index: Number.POSITIVE_INFINITY });

const isBehind = (a: EventPosition, b: EventPosition): boolean =>
  a.revision > b.revision || (a.revision === b.revision && a.index > b.index);

/** All watches of a server. A watcher that is slow is not queued for: it takes from the store's memory when it has room again. */
export function createWatches({ store, objectOf, clock, limits }: WatchesOptions): Watches {
  const open = new Set<{
    readonly owner: string;
    readonly tell: (events: readonly SharedEvent[]) => void;
    readonly end: () => void;
  }>();
  const shared = (event: DocumentEvent): SharedEvent => {
    const texts = new Map<string, string>();
    return {
      event,
      textAs: (type) => {
        const text = texts.get(type) ?? eventText(event, type, objectOf);
        texts.set(type, text);
        return text;
      },
    };
  };
  const unsubscribe = store.subscribe((events) => {
    const batch = events.map(shared);
    for (const { tell } of [...open]) tell(batch);
  });

  return {
    refusalOf: ({ owner }, { from }) => {
      const own = [...open].filter((watch) => watch.owner === owner).length;
      if (open.size >= limits.watchers) return tooMany(`The server has ${limits.watchers} watches open already.`);
      if (own >= limits.watchersPerToken)
        return tooMany(`This token has ${limits.watchersPerToken} watches open already.`);
      return from === undefined ? undefined : goneProblem(from, store);
    },
    open: (watcher, request, sink) => {
      const filter = createWatchFilter(request);
      /** What is there when it begins; given out bit by bit. */
      let snapshot: Iterator<StoredDocument> | undefined;
      let position = request.from ?? endOf(store.revision());
      if (request.from === undefined) snapshot = request.documents().values();
      else filter.begin(request.documents(), store.eventsAfter(request.from));
      let sentPosition = position;
      let full = false;
      let ended = false;
      let quietSince = clock.now();
      let cancelStalled = () => {};
      let cancelHeartbeat = () => {};

      const finish = () => {
        if (ended) return;
        ended = true;
        open.delete(watch);
        cancelStalled();
        cancelHeartbeat();
      };
      const end = () => {
        finish();
        if (full) sink.cut();
        else sink.end();
      };
      const write = (text: string) => {
        full = !sink.write(text);
        quietSince = clock.now();
        if (!full) return;
        cancelStalled();
        cancelStalled = clock.after(limits.stalledMs, () => {
          finish();
          sink.cut();
        });
      };
      const fail = (problem: Problem) => {
        const data = JSON.stringify(problemView(problem, watcher.path, watcher.requestId));
        write(formatEvent({ event: "ERROR", data }));
        end();
      };
      const bookmark = () => {
        sentPosition = position;
        const event: WatchEventView = { type: "BOOKMARK", revision: position.revision };
        write(formatEvent({ event: "BOOKMARK", id: formatPosition(position), data: JSON.stringify(event) }));
      };
      const take = (events: readonly SharedEvent[], filter: WatchFilter) => {
        for (const { event, textAs } of events) {
          if (full) return;
          if (!isBehind(event, position)) continue;
          position = event;
          const type = filter.see(event);
          if (type === undefined) continue;
          sentPosition = position;
          write(textAs(type));
        }
      };
      /** Gives out what there is, as far as there is room. */
      const pump = () => {
        while (snapshot !== undefined && !full) {
          const next = snapshot.next();
          if (next.done) {
            snapshot = undefined;
            bookmark();
          } else if (filter.admit(next.value)) {
            write(addedText(next.value, objectOf));
          }
        }
        if (full || ended) return;
        const events = store.eventsAfter(position);
        if (events === "gone") fail(gone(position, store));
        else take(events.map(shared), filter);
      };
      const watch = {
        owner: watcher.owner,
        tell: (events: readonly SharedEvent[]) => {
          // Whoever is behind hears of it from the store.
          if (!full && snapshot === undefined) take(events, filter);
        },
        end,
      };
      const beat = () => {
        cancelHeartbeat = clock.after(limits.heartbeatMs, beat);
        if (full) return;
        const now = clock.now();
        if (now - quietSince < limits.bookmarkMs) sink.write(heartbeatComment);
        else {
          if (isBehind(endOf(store.revision()), position)) position = endOf(store.revision());
          if (isBehind(position, sentPosition)) bookmark();
          else sink.write(heartbeatComment);
        }
        watcher.recheck().then(
          (problem) => {
            if (problem !== undefined && !ended) fail(problem);
          },
          () => {},
        );
      };

      open.add(watch);
      sink.onClose(finish);
      sink.onDrain(() => {
        if (ended) return;
        full = false;
        cancelStalled();
        pump();
      });
      cancelHeartbeat = clock.after(limits.heartbeatMs, beat);
      pump();
    },
    count: () => open.size,
    close: () => {
      unsubscribe();
      for (const { end } of [...open]) end();
    },
  };
}

function eventText(event: DocumentEvent, type: WatchEventView["type"], objectOf: WatchesOptions["objectOf"]): string {
  const view: WatchEventView = { type, revision: event.revision, object: objectOf(event.document) };
  return formatEvent({ event: type, id: formatPosition(event), data: JSON.stringify(view) });
}

/** Of what is there when a watch begins: without an id, so that whoever loses the connection meanwhile begins anew. */
function addedText(document: StoredDocument, objectOf: WatchesOptions["objectOf"]): string {
  const view: WatchEventView = { type: "ADDED", revision: document.revision, object: objectOf(document) };
  return formatEvent({ event: "ADDED", data: JSON.stringify(view) });
}

/** `7.2`: the second event of revision 7; `7`: the end of revision 7. */
export const formatPosition = ({ revision, index }: EventPosition): string =>
  Number.isFinite(index) ? `${revision}.${index}` : String(revision);

/** The inverse of `formatPosition`; undefined for any other text. */
export function parsePosition(text: string): EventPosition | undefined {
  const [, revision, index] = /^(0|[1-9][0-9]{0,14})(?:\.(0|[1-9][0-9]{0,14}))?$/.exec(text) ?? [];
  if (revision === undefined) return undefined;
  return { revision: Number(revision), index: index === undefined ? Number.POSITIVE_INFINITY : Number(index) };
}

/** Why a watch cannot go on from a position. */
function goneProblem(from: EventPosition, store: RuleStore): Problem | undefined {
  const isFuture = from.revision > store.revision();
  return isFuture || store.eventsAfter(from) === "gone" ? gone(from, store) : undefined;
}

const gone = ({ revision }: EventPosition, store: RuleStore): Problem => ({
  code: "api/gone",
  detail:
    revision > store.revision()
      ? `Revision ${revision} does not exist; the last one is ${store.revision()}.`
      : `What happened after revision ${revision} is not remembered any more.`,
  hint: "List the rules anew, or watch without a position, and go on from there.",
});

const tooMany = (detail: string): Problem => ({
  code: "api/limited",
  detail,
  hint: "Close some, or filter at the client.",
  headers: { "retry-after": "10" },
});
