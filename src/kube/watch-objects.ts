import type { Clock } from "../base/clock.ts";
import type { KubeClient, Query } from "./client.ts";
import { KubeFailure } from "./failure.ts";
import { createLineSplitter } from "./lines.ts";
import { pathOf, selectors } from "./list-objects.ts";
import type { Listing, ObjectStore } from "./object-store.ts";
import type { Outcome } from "./plan.ts";
import type { KubeResource } from "./reflector.ts";
import type { ReflectorTimes } from "./times.ts";
import { readWatchEvent, type WatchEvent } from "./watch-event.ts";
import { createWatchdog } from "./watchdog.ts";

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
  const { signal } = controller;
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

  const silent = (): void =>
    controller.abort(new KubeFailure("silent", `the watch of ${what} said nothing for too long`));
  let watchdog: ReturnType<typeof createWatchdog> | undefined;
  try {
    const chunks = await client.stream({ path: what, query: queryOf(options), signal });
    opened = true;
    listener.opened();
    watchdog = createWatchdog(clock, patienceMs(), silent);
    for await (const chunk of chunks) {
      try {
        for (const line of splitter.push(chunk)) take(readWatchEvent(what, line));
      } finally {
        if (changes > 0) listener.changed();
        changes = 0;
      }
      watchdog.heard(patienceMs());
    }
    return outcome(splitter.begun() > 0 ? cut(what) : undefined);
  } catch (cause) {
    return outcome(failureIn(signal.aborted ? signal.reason : cause, what));
  } finally {
    watchdog?.close();
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

const cut = (what: string, cause?: unknown): KubeFailure =>
  new KubeFailure("cut", `the watch of ${what} broke off`, { cause });

const failureIn = (cause: unknown, what: string): KubeFailure =>
  cause instanceof KubeFailure ? cause : cut(what, cause);
