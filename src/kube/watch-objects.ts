import type { Clock } from "../base/clock.ts";
import type { KubeClient, Query } from "./client.ts";
import type { KubeFailure } from "./failure.ts";
import { createLineSplitter } from "./lines.ts";
import { pathOf, selectors } from "./list-objects.ts";
import type { Listing, ObjectStore } from "./object-store.ts";
import type { Outcome } from "./plan.ts";
import { brokenOff, readStream } from "./read-stream.ts";
import type { KubeResource } from "./reflector.ts";
import type { ReflectorTimes } from "./times.ts";
import { readWatchEvent, type WatchEvent } from "./watch-event.ts";

export interface WatchOptions {
  readonly client: KubeClient;
  readonly resource: KubeResource<object>;
  readonly store: ObjectStore<object>;
  readonly clock: Clock;
  readonly times: ReflectorTimes;
  /** From 0 to 1. */
  readonly random: () => number;
  /** From here on; undefined: from a complete list on, with which the watch itself begins. */
  readonly from: string | undefined;
  /** Ends it; the watch aborts it by itself when nothing is heard. */
  readonly controller: AbortController;
  readonly listener: WatchListener;
}

export interface WatchListener {
  /** The server has begun to answer. */
  readonly opened: () => void;
  readonly event: (type: WatchEvent["type"]) => void;
  /** The list with which the watch began is complete. */
  readonly listed: () => void;
  /** The store has changed: all events of one chunk are in it. */
  readonly changed: () => void;
}

/** Bytes of one event; objects are stored in less than 2 MiB. */
const maxLineBytes = 16 * 1024 * 1024;

/** Follows the server's events into the store until the stream ends, however it does. Never throws. */
export async function watchObjects(options: WatchOptions): Promise<Outcome> {
  const { client, resource, store, clock, times, from, controller, listener } = options;
  const what = pathOf(resource);
  const beganAt = clock.monotonic();
  const splitter = createLineSplitter(maxLineBytes);
  let listing: Listing | undefined = from === undefined ? store.list() : undefined;
  let version = from;
  let opened = false;
  let progressed = false;
  /** Of the store, in the present chunk. */
  let changes = 0;

  const take = (event: WatchEvent): void => {
    listener.event(event.type);
    if (event.type === "BOOKMARK") {
      if (listing !== undefined && !event.listed) return;
      listing?.done();
      progressed ||= event.resourceVersion !== version;
      version = event.resourceVersion;
      if (listing !== undefined) listener.listed();
      listing = undefined;
      return;
    }
    const target = listing ?? store;
    if (event.type === "DELETED") target.remove(event.meta);
    else target.put(event.meta, event.object);
    if (listing !== undefined) return;
    changes += 1;
    if (event.meta.resourceVersion === "") return;
    progressed ||= event.meta.resourceVersion !== version;
    version = event.meta.resourceVersion;
  };

  /** How long the server may say nothing. */
  const patienceMs = (): number =>
    listing === undefined
      ? times.silenceMs
      : Math.max(0, Math.min(times.listSilenceMs, beganAt + times.listMs - clock.monotonic()));

  const outcome = (failure?: KubeFailure): Outcome => ({
    version: listing === undefined ? version : undefined,
    opened,
    progressed,
    lastedMs: clock.monotonic() - beganAt,
    ...(failure !== undefined && { failure }),
  });

  try {
    await readStream({
      ...{ client, clock, path: what, query: queryOf(options), controller, patienceMs },
      onOpen: () => {
        opened = true;
        listener.opened();
      },
      onChunk: (chunk) => {
        try {
          for (const line of splitter.push(chunk)) take(readWatchEvent(what, line));
        } finally {
          if (changes > 0) listener.changed();
          changes = 0;
        }
      },
    });
    return outcome(splitter.begun() > 0 ? brokenOff(what) : undefined);
  } catch (failure) {
    return outcome(failure as KubeFailure);
  }
}

function queryOf({ resource, from, times, random }: WatchOptions): Query {
  const { minWatchMs, maxWatchMs } = times;
  const seconds = Math.round((minWatchMs + random() * (maxWatchMs - minWatchMs)) / 1_000);
  return {
    ...selectors(resource),
    watch: "1",
    allowWatchBookmarks: "true",
    timeoutSeconds: String(Math.max(1, seconds)),
    resourceVersion: from ?? "",
    ...(from === undefined && { sendInitialEvents: "true", resourceVersionMatch: "NotOlderThan" }),
  };
}
