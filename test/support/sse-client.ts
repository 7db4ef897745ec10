import { type IncomingMessage, request } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { createParser, type EventSourceMessage } from "eventsource-parser";
import type { TestContext } from "vitest";
import type { WatchEventView } from "../../src/api/types/change-sets.ts";
import type { RuleObjectView } from "../../src/api/types/rules.ts";

export interface StreamRequest {
  readonly url: string;
  readonly token?: string;
  readonly lastEventId?: string;
}

/** One answer as an event stream, over a connection of its own. */
export interface EventStream {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  /** Whole messages so far. */
  readonly messages: readonly EventSourceMessage[];
  /** Resolves when either side has ended it. */
  readonly ended: Promise<void>;
  /** Takes no more bytes. */
  readonly pause: () => void;
  /** At once, in the middle of whatever comes. */
  readonly cut: () => void;
}

/** Asks for events; resolves with the head of the answer, rejects when there is none. */
export function openEventStream(
  { url, token, lastEventId }: StreamRequest,
  onMessage: (message: EventSourceMessage) => void = () => {},
): Promise<EventStream> {
  const { promise, resolve, reject } = Promise.withResolvers<EventStream>();
  const headers = {
    accept: "text/event-stream",
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(lastEventId !== undefined && { "last-event-id": lastEventId }),
  };
  const asked = request(url, { headers, agent: false }, (response) => {
    const messages: EventSourceMessage[] = [];
    const ended = Promise.withResolvers<void>();
    const parser = createParser({
      onEvent: (message) => {
        messages.push(message);
        onMessage(message);
      },
    });
    response.setEncoding("utf8").on("data", (text: string) => parser.feed(text));
    response.on("error", () => {});
    response.once("close", ended.resolve);
    resolve({
      status: response.statusCode ?? 0,
      headers: response.headers,
      messages,
      ended: ended.promise,
      pause: () => void response.pause(),
      cut: () => void response.destroy(),
    });
  });
  asked.on("error", reject);
  asked.end();
  return promise;
}

export interface WatchedEvent extends WatchEventView {
  readonly id: string | undefined;
}

/** A watch that goes on where a connection was lost, as browsers do it. */
export interface Follower {
  /** Since the watch last began anew, bookmarks left out. */
  readonly events: readonly WatchedEvent[];
  /** Of the last event, bookmarks too. */
  readonly revision: () => number;
  /** How often it was connected. */
  readonly connections: () => number;
  /** Loses the connection, in the middle of whatever comes. */
  readonly cut: () => void;
  readonly stop: () => Promise<void>;
}

/** `url` is asked for at each connection. A refusal ends it: `stop` tells of it. */
export function followWatch(
  { onTestFinished }: Pick<TestContext, "onTestFinished">,
  { url, token }: { readonly url: () => string; readonly token: string },
): Follower {
  const events: WatchedEvent[] = [];
  let lastEventId: string | undefined;
  let revision = -1;
  let connections = 0;
  let stopped = false;
  let present: EventStream | undefined;

  const hear = ({ id, data, event }: EventSourceMessage): void => {
    const view = JSON.parse(data) as WatchEventView;
    if (event === "ERROR") throw new Error(`the watch ended: ${data}`);
    lastEventId = id ?? lastEventId;
    revision = view.revision;
    if (view.type !== "BOOKMARK") events.push({ ...view, id });
  };
  const run = async (): Promise<void> => {
    while (!stopped) {
      if (lastEventId === undefined) events.length = 0;
      const asked = { url: url(), token, ...(lastEventId !== undefined && { lastEventId }) };
      present = await openEventStream(asked, hear).catch(() => undefined);
      if (present === undefined)
        await delay(5); // Nobody listens just now.
      else if (present.status !== 200) throw new Error(`the watch was refused: ${present.status}`);
      else {
        connections++;
        if (stopped) present.cut();
        await present.ended;
      }
    }
  };
  const running = run();
  running.catch(() => {});
  const stop = async (): Promise<void> => {
    stopped = true;
    present?.cut();
    await running;
  };
  onTestFinished(() => stop().catch(() => {}));
  return { events, revision: () => revision, connections: () => connections, cut: () => present?.cut(), stop };
}

/** What a client knows after these events: objects by `namespace/name`. */
export function replay(events: readonly WatchEventView[]): ReadonlyMap<string, RuleObjectView> {
  const known = new Map<string, RuleObjectView>();
  for (const { type, object } of events) {
    if (object === undefined) continue;
    const key = `${object.metadata.namespace}/${object.metadata.name}`;
    if (type === "DELETED") known.delete(key);
    else known.set(key, object);
  }
  return known;
}
