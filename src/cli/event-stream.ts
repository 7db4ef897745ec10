import { createParser, type EventSourceMessage } from "eventsource-parser";

/** One event is no longer than this, in characters. */
const maxBufferSize = 8 * 1024 * 1024;

/**
 * The events of a `text/event-stream`, as they come. Ends when the server ends it; throws when the connection is cut, and
 * when nothing at all, not even a comment, came for `idleMs`.
 */
export async function* eventsOf(response: Response, idleMs: number): AsyncGenerator<EventSourceMessage> {
  let events: EventSourceMessage[] = [];
  let problem: Error | undefined;
  const parser = createParser({
    maxBufferSize,
    onEvent: (event) => events.push(event),
    onError: (error) => {
      // An unknown field is none of our business.
      if (error.type !== "unknown-field") problem = error;
    },
  });
  const decoder = new TextDecoder();
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  try {
    for (;;) {
      const { done, value } = await within(idleMs, reader.read());
      if (done) return;
      parser.feed(decoder.decode(value, { stream: true }));
      if (problem !== undefined) throw problem;
      const come = events;
      events = [];
      yield* come;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

async function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error("the server fell silent")), limitMs);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
