import { resourceType, type TypeName } from "../../src/envoy/resource-types.ts";
import { digestOf } from "./canonical.ts";
import { listenedMs } from "./client/listening.ts";
import type { RequestFields } from "./client/request.ts";
import type { ReceivedResource, Response } from "./client/response.ts";
import { createRefusals } from "./refusals.ts";
import type { Wire } from "./variants.ts";

/** What was on its way when a name was dropped may still arrive. */
const inFlightMs = 250;

export interface HeldResource {
  readonly version: string;
  readonly body: Uint8Array;
}

/** What a correct client believes of one type on one stream, and what a correct server owes it. */
export interface TypeModel {
  readonly type: TypeName;
  readonly wire: Wire;
  readonly requested: boolean;
  readonly wildcard: boolean;
  readonly held: ReadonlyMap<string, HeldResource>;
  /** Of `performance.now()`. */
  readonly firstAskedAt: number | undefined;
  readonly lastSeenAt: number | undefined;
  /** The last response was accepted, or none came; and nothing was refused since. */
  readonly atRest: boolean;
  /** Whether a response may name this: it is subscribed, or was when the response may have been sent. */
  readonly covers: (name: string) => boolean;
  /** Whether the server owes it if it exists. */
  readonly owes: (name: string, onDemand: boolean) => boolean;
  readonly sent: (request: RequestFields, atMs: number) => void;
  readonly received: (response: Response) => void;
  /** Clusters came on this stream: the endpoints of these names are owed again. */
  readonly clustersCame: (names: readonly string[]) => void;
  /**
   * What in this response nobody needs; call before `received`. What is gone may be told of while the client's word that it
   * dropped the name is on its way: `isGone` says of which names that may be so.
   */
  readonly superfluous: (response: Response, isGone?: (name: string) => boolean) => readonly string[];
}

export function newTypeModel(type: TypeName, wire: Wire): TypeModel {
  const row = resourceType(type);
  const held = new Map<string, HeldResource>();
  /** Names to be answered whatever the client holds: newly or again subscribed, or of a cluster that came. */
  const asked = new Set<string>();
  /** Asked for again while what answers the time before may be on its way: that answer is not yet the one to this. */
  const crossing = new Set<string>();
  /** When a name was dropped, by the clock of listening. */
  const dropped = new Map<string, number>();
  const errors = new Map<string, number>();
  const refusals = createRefusals();
  let names = new Set<string>();
  let wildcard = false;
  /** No name was ever given: an empty list still means everything. */
  let legacy = true;
  /** Since the last response: even one that says nothing answers it. */
  let askedAnew = false;
  let requested = false;
  let owesFirst = false;
  let firstAskedAt: number | undefined;
  let lastSeenAt: number | undefined;
  let lastNonce: string | undefined;
  let settled = true;

  const isCovered = (name: string): boolean => names.has(name) || wildcard;
  const wasJustDropped = (name: string): boolean => listenedMs() - (dropped.get(name) ?? -inFlightMs) < inFlightMs;

  const ask = (name: string): void => {
    asked.add(name);
    if (wasJustDropped(name)) crossing.add(name);
  };
  const answered = (name: string): void => {
    if (!crossing.delete(name)) asked.delete(name);
  };

  const subscribe = (next: ReadonlySet<string>, nextWildcard: boolean): void => {
    for (const name of new Set([...names, ...held.keys()])) {
      if (!next.has(name) && !nextWildcard) {
        dropped.set(name, listenedMs());
        held.delete(name);
        asked.delete(name);
        crossing.delete(name);
        errors.delete(name);
      }
    }
    if (nextWildcard && !wildcard) owesFirst = true;
    names = new Set(next);
    wildcard = nextWildcard;
  };

  const sentSotw = (given: readonly string[]): void => {
    const next = new Set(given);
    const star = next.delete("*");
    if (given.length > 0) legacy = false;
    for (const name of next) {
      if (names.has(name)) continue;
      ask(name);
      askedAnew = true;
    }
    // The first answer is owed even when nothing of what is asked for exists.
    if (!requested && row.fullState && next.size > 0) owesFirst = true;
    subscribe(next, star || (legacy && row.wildcard));
  };

  const sentDelta = ({ subscribe: added = [], unsubscribe: removed = [], known = {} }: RequestFields): void => {
    const first = !requested;
    if (first) for (const [name, version] of Object.entries(known)) held.set(name, { version, body: new Uint8Array() });
    const implicit = first && added.length === 0 && removed.length === 0 && row.wildcard;
    const next = new Set(names);
    for (const name of added) {
      if (name !== "*") ask(name);
      next.add(name);
    }
    const hadStar = wildcard || implicit || added.includes("*");
    const star = hadStar && !removed.includes("*");
    for (const name of removed) {
      if (names.has(name) && wildcard) asked.add(name);
      next.delete(name);
    }
    next.delete("*");
    subscribe(next, star);
    for (const name of [...held.keys()]) if (first && !isCovered(name)) held.delete(name);
  };

  /** The client has it already as it comes, and did not ask for it again. */
  const isNews = ({ name, body, version }: ReceivedResource): boolean => {
    if (body === undefined) return true;
    const before = held.get(name);
    if (before === undefined || asked.has(name)) return true;
    return before.body.length > 0 ? digestOf(type, before.body) !== digestOf(type, body) : before.version !== version;
  };

  /** Names the resource and its content. */
  const contentOf = ({ name, body }: ReceivedResource): string =>
    `${name} ${body === undefined ? "" : digestOf(type, body)}`;

  return {
    type,
    wire,
    held,
    get requested() {
      return requested;
    },
    get wildcard() {
      return wildcard;
    },
    get firstAskedAt() {
      return firstAskedAt;
    },
    get lastSeenAt() {
      return lastSeenAt;
    },
    get atRest() {
      return requested && settled;
    },
    covers: (name) => isCovered(name) || asked.has(name) || wasJustDropped(name),
    owes: (name, onDemand) => names.has(name) || (wildcard && !onDemand),

    sent(request, atMs) {
      if (wire === "sotw") sentSotw(request.names ?? []);
      else sentDelta(request);
      requested = true;
      firstAskedAt ??= atMs;
      if (request.nonce === undefined || request.nonce === "") return;
      const isAccepted = request.error === undefined;
      if (request.nonce === lastNonce) settled = isAccepted;
      refusals.answered(request.nonce, isAccepted);
    },

    received(response) {
      const isWholeSet = wire === "sotw" && row.fullState && !response.resources.some(({ body }) => body === undefined);
      if (isWholeSet) {
        held.clear();
        // Those that do not exist are answered by their absence.
        asked.clear();
        crossing.clear();
      }
      for (const { name, body, version } of response.resources) {
        answered(name);
        if (body !== undefined) held.set(name, { version, body });
      }
      for (const name of response.removed) {
        answered(name);
        held.delete(name);
      }
      for (const { name, code } of response.errors) errors.set(name, code);
      for (const { name } of response.resources) errors.delete(name);
      refusals.came(response.nonce, response.resources.map(contentOf));
      owesFirst = false;
      askedAnew = false;
      lastNonce = response.nonce;
      lastSeenAt = performance.now();
      settled = false;
    },

    clustersCame(list) {
      for (const name of list) if (names.has(name) || wildcard) asked.add(name);
    },

    superfluous({ resources, removed, errors: reported }, isGone = () => false) {
      if (owesFirst) return [];
      const again = resources.filter((one) => !isNews(one));
      const part = refusals.isPart(again.map(contentOf));
      const stale = part ? [] : again.map(({ name }) => `${name} came again, unchanged and not asked for`);
      const unknown = removed
        .filter((name) => !held.has(name) && !asked.has(name) && !(isGone(name) && wasJustDropped(name)))
        .map((name) => `${name} is removed, and the client does not have it`);
      const told = reported.some(({ name, code }) => errors.get(name) !== code);
      if (wire === "delta") {
        const empty = resources.length + removed.length === 0 && !told;
        return [...stale, ...unknown, ...(empty ? ["a response that says nothing"] : [])];
      }
      const present = new Set(resources.map(({ name }) => name));
      const absent = row.fullState && [...held.keys(), ...asked].some((name) => !present.has(name));
      const answers = askedAnew && resources.length === 0;
      const news = part || told || absent || answers || resources.length > stale.length;
      return news ? [] : ["a response without anything new"];
    },
  };
}
