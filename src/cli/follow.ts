import { randomInt } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { watchEventView } from "../api/shapes/rules.ts";
import type { RuleObjectView } from "../api/types/rules.ts";
import { decode, integer } from "../base/decode.ts";
import { object, required } from "../base/decode-object.ts";
import { eventsOf } from "./event-stream.ts";
import { problemDecoder, ServerRefusal } from "./refusal.ts";
import { notFairway, openStream, parseJson } from "./request.ts";
import type { Server } from "./server.ts";

/** What happened to a rule while somebody looked. */
export interface RuleNews {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly rule: RuleObjectView;
  /** As it came. */
  readonly raw: unknown;
}

export interface FollowOptions {
  readonly server: Server;
  readonly path: string;
  readonly query: Readonly<Record<string, string | undefined>>;
  /** All that is there at the beginning, together; then each change. */
  readonly onNews: (news: readonly RuleNews[]) => void;
  /** The connection is gone and tried again, or is there again. */
  readonly onTrouble: (message: string) => void;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Default: 0.5 s, doubled with each failure up to 15 s, half of it by chance. */
  readonly pause?: (failures: number, signal: AbortSignal) => Promise<void>;
}

/** The server sends a comment every 10 s. */
const idleMs = 45_000;
const number = integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const rawEvent = (json: unknown): unknown => (json as { readonly object?: unknown }).object;

/** What is known between two connections. */
interface Position {
  /** Where to go on; undefined: from the beginning. */
  id: string | undefined;
  /** The rules that were told of, and the revision of each. */
  readonly known: Map<string, RuleNews>;
  /** Those seen in the list that is just coming in; undefined after its end. */
  listing: Map<string, RuleNews> | undefined;
}

/**
 * Tells of all rules of a list and of every change to it, over cut connections too, until the signal ends it. Throws when the
 * first connection fails, and when the server says no.
 */
export async function followRules(options: FollowOptions): Promise<void> {
  const { server, signal, onTrouble, pause = backOff } = options;
  const position: Position = { id: undefined, known: new Map(), listing: undefined };
  let connected = false;
  let failures = 0;
  while (!signal.aborted) {
    try {
      await followOnce(options, position, () => {
        if (failures > 0) onTrouble("connected again");
        connected = true;
        failures = 0;
      });
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ServerRefusal && error.status === 410) {
        position.id = undefined;
        continue;
      }
      if (!connected || (error instanceof ServerRefusal && error.code !== "server/unreachable")) throw error;
      if (failures === 0) onTrouble(`lost ${server.url.origin}; trying again`);
    }
    failures += 1;
    await pause(failures, signal).catch(() => undefined);
  }
}

const backOff = async (failures: number, signal: AbortSignal): Promise<void> => {
  const wholeMs = Math.min(15_000, 250 * 2 ** Math.min(failures, 10));
  await delay(wholeMs / 2 + randomInt(wholeMs / 2), undefined, { signal });
};

async function followOnce(
  { server, path, query, onNews, signal }: FollowOptions,
  position: Position,
  onConnected: () => void,
): Promise<void> {
  const headers = position.id === undefined ? {} : { "last-event-id": position.id };
  position.listing = position.id === undefined ? new Map() : undefined;
  const response = await openStream(server, { path, query, headers, accept: "text/event-stream" }, signal);
  onConnected();
  for await (const { event, id, data } of eventsOf(response, idleMs)) {
    const json = parseJson(data);
    if (event === "ERROR") throw streamError(server, json);
    const decoded = decode(watchEventView, json);
    if (!decoded.ok) throw notFairway(server, decoded.problems[0]?.message ?? "");
    const { type, object: rule } = decoded.value;
    if (type === "BOOKMARK") onNews(endOfListing(position));
    else if (rule !== undefined && isNews(type)) take(position, { type, rule, raw: rawEvent(json) }, onNews);
    // A list that came in half is asked for again as a whole.
    if (position.listing === undefined && id !== undefined) position.id = id;
  }
}

const isNews = (type: string): type is RuleNews["type"] =>
  type === "ADDED" || type === "MODIFIED" || type === "DELETED";

const keyOf = ({ kind, metadata: { namespace, name } }: RuleObjectView): string => `${kind}/${namespace}/${name}`;

function take({ known, listing }: Position, news: RuleNews, onNews: FollowOptions["onNews"]): void {
  const key = keyOf(news.rule);
  if (listing !== undefined) {
    listing.set(key, news);
    return;
  }
  if (news.type === "DELETED") known.delete(key);
  else known.set(key, news);
  onNews([news]);
}

/** What the list that came in says that was not known: all of it the first time. */
function endOfListing(position: Position): readonly RuleNews[] {
  const { known, listing } = position;
  position.listing = undefined;
  if (listing === undefined) return [];
  const gone = [...known]
    .filter(([key]) => !listing.has(key))
    .map(([, news]) => ({ ...news, type: "DELETED" as const }));
  const news = [...listing].flatMap(([key, one]): readonly RuleNews[] => {
    const before = known.get(key);
    if (before === undefined) return [one];
    return before.rule.metadata.revision === one.rule.metadata.revision ? [] : [{ ...one, type: "MODIFIED" }];
  });
  known.clear();
  for (const [key, one] of listing) known.set(key, one);
  return [...gone, ...news];
}

const streamProblem = object({ status: required(number) }, { open: true });

function streamError(server: Server, json: unknown): Error {
  const problem = decode(problemDecoder, json);
  const status = decode(streamProblem, json);
  if (problem.ok && status.ok) return new ServerRefusal(status.value.status, problem.value);
  return notFairway(server, "It ended a watch without a reason.");
}
