import { setTimeout as delay } from "node:timers/promises";
import { resourceType, type TypeName } from "../../../src/envoy/resource-types.ts";
import { digestOf } from "../canonical.ts";
import { type CaseContext, ensure } from "../case.ts";
import { describeResponse, type Response } from "../client/response.ts";
import type { XdsStream } from "../client/stream.ts";
import { referencesOf } from "../references.ts";

/** What happened at a proxy, one after the other: a message came, or was accepted. */
export type Sight =
  | {
      readonly kind: "came";
      readonly type: TypeName;
      /** Names new to the proxy, or with other content than before. */
      readonly news: readonly string[];
      readonly removed: readonly string[];
      readonly text: string;
      /** Of `performance.now()`. */
      readonly atMs: number;
    }
  | { readonly kind: "accepted"; readonly type: TypeName; readonly text: string; readonly atMs: number };

/** Why a response is refused; undefined: it is not. */
type Refusal = (response: Response) => string | undefined;

/**
 * Follows references as an Envoy does: all clusters and listeners, and of the other types what those name. It answers at once
 * unless told otherwise, and holds what it accepted. `sights` is everything that it saw, in order.
 */
export interface FollowingProxy {
  readonly stream: XdsStream;
  readonly sights: readonly Sight[];
  /** Bodies by name. */
  readonly held: (type: TypeName) => ReadonlyMap<string, Uint8Array>;
  /** Leaves the type's responses unanswered from now on. */
  readonly withhold: (type: TypeName) => void;
  /** Answers what was left unanswered, and goes on answering. */
  readonly giveWay: (type: TypeName) => void;
  readonly refuse: (refusal: Refusal) => void;
  /** Goes on until the condition holds; rejects when it does not in time, or something dangles. */
  readonly until: (what: string, condition: () => unknown) => Promise<void>;
  /** Goes on for this long, with the condition true all the while. */
  readonly stays: (what: string, condition: () => unknown, ms: number) => Promise<void>;
  /** Everything that is named by what it holds, it holds as well. */
  readonly isComplete: () => boolean;
}

/** Types that are asked for when something names them. */
const named = ["EDS", "RDS", "ECDS"] as const;
const users = ["CDS", "LDS", "SRDS", "RDS"] as const;

/** Opens a stream and starts with clusters, then listeners. */
export function followReferences(context: CaseContext): FollowingProxy {
  const stream = context.open();
  const tables = new Map<TypeName, Map<string, Uint8Array>>();
  const accepted = new Map<TypeName, Response>();
  const withheld = new Map<TypeName, Response | undefined>();
  const sights: Sight[] = [];
  let refusal: Refusal = () => undefined;
  let seen = 0;

  const table = (type: TypeName): Map<string, Uint8Array> => {
    const found = tables.get(type) ?? new Map<string, Uint8Array>();
    tables.set(type, found);
    return found;
  };

  const take = (type: TypeName, response: Response): void => {
    const held = table(type);
    const { resources } = response;
    const isWhole = stream.variant.wire === "sotw" && resourceType(type).fullState;
    const present = new Set(resources.map(({ name }) => name));
    const removed = [...response.removed, ...(isWhole ? held.keys().filter((name) => !present.has(name)) : [])];
    const news = resources.filter(({ name, body }) => {
      const before = held.get(name);
      return body !== undefined && (before === undefined || digestOf(type, before) !== digestOf(type, body));
    });
    for (const { name, body } of resources) if (body !== undefined) held.set(name, body);
    for (const name of removed) held.delete(name);
    const rest = { removed, text: describeResponse(response), atMs: performance.now() };
    sights.push({ kind: "came", type, news: news.map(({ name }) => name), ...rest });
  };

  const accept = (type: TypeName, response: Response): void => {
    stream.ack(response);
    accepted.set(type, response);
    sights.push({ kind: "accepted", type, text: `accepted ${response.nonce}`, atMs: performance.now() });
    follow();
  };

  const follow = (): void => {
    const references = users.flatMap((user) => [...table(user).values()].flatMap((body) => referencesOf(user, body)));
    for (const type of named) {
      if (withheld.get(type) !== undefined) continue;
      const names = [...new Set(references.filter((one) => one.type === type).map(({ name }) => name))].sort();
      const before = stream.names(type).toSorted();
      if (names.join("\n") === before.join("\n")) continue;
      for (const name of before) if (!names.includes(name)) table(type).delete(name);
      const { nonce = "", version = "" } = accepted.get(type) ?? {};
      stream.ask(type, names, { nonce: stream.variant.wire === "sotw" ? nonce : "", version });
    }
  };

  const dangling = (): readonly string[] =>
    (["LDS", "RDS"] as const).flatMap((user) =>
      [...table(user)].flatMap(([name, body]) =>
        referencesOf(user, body)
          .filter((one) => one.type === "CDS" && !table("CDS").has(one.name))
          .map((one) => `${user} ${name} names the cluster ${one.name}, which is not there`),
      ),
    );

  const react = (): void => {
    for (; seen < stream.received.length; seen++) {
      const response = stream.received[seen];
      if (response?.type === undefined) continue;
      const { type } = response;
      const text = refusal(response);
      if (text !== undefined) {
        stream.nack(response, text, { version: accepted.get(type)?.version ?? "" });
        continue;
      }
      take(type, response);
      const [fault] = dangling();
      ensure(fault === undefined, `${fault}, after ${describeResponse(response)}${history(sights)}`);
      if (withheld.has(type)) withheld.set(type, response);
      else accept(type, response);
    }
    stream.forget();
  };

  stream.ask("CDS");
  stream.ask("LDS");

  return {
    stream,
    sights,
    held: table,
    withhold: (type) => withheld.set(type, undefined),
    giveWay: (type) => {
      const response = withheld.get(type);
      withheld.delete(type);
      if (response !== undefined) accept(type, response);
    },
    refuse: (next) => {
      refusal = next;
    },
    until: async (what, condition) => {
      let fault: unknown;
      const met = (): unknown => {
        try {
          react();
        } catch (error) {
          fault = error;
          return true;
        }
        return condition();
      };
      await context.until(what, met).catch((error: Error) => {
        throw new Error(`${error.message}${history(sights)}`);
      });
      if (fault !== undefined) throw fault;
    },
    stays: async (what, condition, ms) => {
      const deadline = performance.now() + ms;
      do {
        react();
        ensure(condition(), `${what}: no longer${history(sights)}`);
        await delay(10);
      } while (performance.now() < deadline);
    },
    isComplete: () =>
      users.every((user) =>
        [...table(user).values()].every((body) =>
          referencesOf(user, body).every(({ type, name }) => table(type).has(name)),
        ),
      ),
  };
}

const history = (sights: readonly Sight[]): string =>
  sights
    .slice(-14)
    .map(({ kind, type, text }) => `\n  ${kind === "came" ? "←" : `→ ${type}`} ${text}`)
    .join("");

export type Match = (sight: Sight) => boolean;

export const brings =
  (type: TypeName, name: string): Match =>
  (sight) =>
    sight.kind === "came" && sight.type === type && sight.news.includes(name);

export const removes =
  (type: TypeName, name: string): Match =>
  (sight) =>
    sight.kind === "came" && sight.type === type && sight.removed.includes(name);

export const accepts =
  (type: TypeName): Match =>
  (sight) =>
    sight.kind === "accepted" && sight.type === type;

/** Fails unless, of what a proxy saw from `since` on, the first match of `earlier` comes before the first of `later`. */
export function ensureBefore(
  { sights }: FollowingProxy,
  since: number,
  [earlier, isEarlier]: readonly [string, Match],
  [later, isLater]: readonly [string, Match],
): void {
  const window = sights.slice(since);
  const [left, right] = [window.findIndex(isEarlier), window.findIndex(isLater)];
  ensure(left >= 0, `never seen: ${earlier}${history(window)}`);
  ensure(right >= 0, `never seen: ${later}${history(window)}`);
  ensure(left < right, `${later} came before ${earlier}${history(window)}`);
}

/** The same for a whole chain. */
export function ensureChain(proxy: FollowingProxy, since: number, chain: readonly (readonly [string, Match])[]): void {
  chain.slice(1).forEach((later, index) => {
    const earlier = chain[index];
    if (earlier !== undefined) ensureBefore(proxy, since, earlier, later);
  });
}
