import type { Clock } from "../base/clock.ts";
import { compareText } from "../base/compare-text.ts";
import { memoize } from "../base/memo.ts";
import type { Metrics } from "../base/metrics.ts";
import { resourceType, resourceTypes, type TypeName } from "../envoy/resource-types.ts";
import type { ProxyNode } from "../model/proxy.ts";
import { type AbsentName, type AskedNames, createAskedNames } from "./asked-names.ts";
import type { Entry, History, SentResource } from "./history.ts";
import { createTypeReceipts, type ResourceReceipts, type TypeReceipts } from "./receipts.ts";
import { type Counts, countsIn } from "./resource-state.ts";

export interface OpenedStream {
  /** Unique in this process. */
  readonly stream: string;
  readonly node: ProxyNode;
  readonly variant: "sotw" | "delta";
  /** Address of the peer. */
  readonly peer: string;
}

export interface ProxyDelivery {
  readonly node: ProxyNode;
  /** How many streams it has open. */
  readonly streams: number;
  /** Since when its oldest open stream is connected; absent when it has none. Milliseconds since the epoch. */
  readonly connectedSinceMs?: number;
  /** When its last stream ended; absent while it has one. */
  readonly disconnectedAtMs?: number;
  /** Only types of which something was sent or resumed. */
  readonly types: Readonly<Partial<Record<TypeName, TypeSummary>>>;
}

/** Of the resources that it holds or is being sent. */
export interface TypeSummary extends Counts {
  readonly lastAckAtMs?: number;
}

export interface ResourceDelivery extends ResourceReceipts {
  readonly type: TypeName;
}

/** What a connected proxy asks for, of one type. */
export interface TypeRequest {
  readonly type: TypeName;
  readonly wildcard: boolean;
  /** Asked for by name, and not there; in the order of names. */
  readonly absent: readonly AbsentName[];
}

/** One proxy's record, for looking up single resources: as it is when asked. */
export interface ProxyReceipts {
  readonly node: ProxyNode;
  /** undefined for what the proxy was never sent, or asks for no longer. */
  readonly receipt: (type: TypeName, name: string) => Entry | undefined;
  /** Proxies that share the record of a type say the same of its resources, at other times; undefined: that is not known. */
  readonly record: (type: TypeName) => object | undefined;
}

/** Resources of a proxy stand otherwise than before; without any, all of them may. */
export interface LedgerMove {
  readonly proxy: string;
  readonly resources?: { readonly type: TypeName; readonly names: readonly string[] };
}

/** What happens on the wire, in words for people. */
export type LedgerEvent =
  | { readonly on: "connected"; readonly atMs: number; readonly node: ProxyNode; readonly peer: string }
  /** `changed`: names of the resources that are new, changed or gone by it. */
  | Answered<"accepted", { readonly changed: readonly string[] }>
  /** `suspects`: names of the resources that are probably at fault. */
  | Answered<"refused", { readonly reason: string; readonly suspects: readonly string[] }>
  | { readonly on: "disconnected"; readonly atMs: number; readonly node: ProxyNode; readonly streams: number };

type Answered<On extends string, Rest> = Rest & {
  readonly on: On;
  readonly atMs: number;
  readonly node: ProxyNode;
  readonly type: TypeName;
};

/** The record of what was sent to each proxy and what it answered. Holds no bytes. */
export interface Ledger {
  /** All connected proxies, and those that left not long ago, by id. */
  readonly proxies: () => readonly ProxyDelivery[];
  /** All that is known of one proxy, in the order of types and names; undefined for one that is not known. */
  readonly resourcesOf: (proxyId: string) => readonly ResourceDelivery[] | undefined;
  /** What one connected proxy asks for, in the order of types; empty for any other. */
  readonly requestsOf: (proxyId: string) => readonly TypeRequest[];
  /** The connected proxies by id. */
  readonly connected: () => readonly ProxyReceipts[];
  /** One proxy, connected or gone; undefined for one that is not known. */
  readonly receiptsOf: (proxyId: string) => ProxyReceipts | undefined;
  /** Counts up with all that is written down: while it stands, nothing changed. */
  readonly changes: () => number;
  /** `listener` hears of the resources that stand otherwise on a proxy, and, without resources, of proxies whose streams came or went. */
  readonly subscribeMoves: (listener: (move: LedgerMove) => void) => () => void;
  readonly subscribe: (listener: (event: LedgerEvent) => void) => () => void;

  readonly opened: (info: OpenedStream) => void;
  readonly asked: (stream: string, type: TypeName, names: ReadonlySet<string>, wildcard: boolean) => void;
  readonly sent: (stream: string, type: TypeName, nonce: string, resources: readonly SentResource[]) => void;
  readonly accepted: (stream: string, type: TypeName, nonce: string) => void;
  readonly refused: (stream: string, type: TypeName, nonce: string, reason: string) => void;
  readonly resumed: (stream: string, type: TypeName, resources: readonly SentResource[]) => void;
  readonly dropped: (stream: string, type: TypeName, names: readonly string[]) => void;
  readonly closed: (stream: string) => void;
}

export interface LedgerInput {
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** How long a proxy without a stream is remembered; default 10 minutes. */
  readonly keepMs?: number;
  /** How many of them at most; default 1000. */
  readonly keepCount?: number;
}

interface Stream extends OpenedStream {
  readonly openedAtMs: number;
  readonly types: Map<TypeName, TypeReceipts>;
  /** Empty once it has ended. */
  readonly asked: Map<TypeName, AskedNames>;
}

interface Proxy {
  node: ProxyNode;
  /** Open ones, oldest first; after the last one has ended it stays here, so that its record can be read. */
  streams: readonly Stream[];
  disconnectedAtMs: number | undefined;
}

export function createLedger({ clock, metrics, keepMs = 600_000, keepCount = 1_000 }: LedgerInput): Ledger {
  const streams = new Map<string, Stream>();
  const connected = new Map<string, Proxy>();
  /** Longest gone first. */
  const gone = new Map<string, Proxy>();
  const listeners = new Set<(event: LedgerEvent) => void>();
  const moveListeners = new Set<(move: LedgerMove) => void>();
  let changes = 0;
  const gauge = metrics.gauge("fairway_ledger_proxies", "Proxies in the ledger.", ["state"]);

  const tell = (event: LedgerEvent): void => {
    for (const listener of [...listeners]) listener(event);
  };

  const move = (moved: LedgerMove): void => {
    for (const listener of moveListeners) listener(moved);
  };

  const forgetOld = (): void => {
    for (const [id, { disconnectedAtMs = 0 }] of gone) {
      if (gone.size <= keepCount && clock.now() - disconnectedAtMs <= keepMs) break;
      gone.delete(id);
    }
    gauge.set({ state: "connected" }, connected.size);
    gauge.set({ state: "disconnected" }, gone.size);
  };

  const writable = (stream: Stream, type: TypeName): TypeReceipts => {
    const found = stream.types.get(type);
    if (found !== undefined) return found;
    const onMove = (names: readonly string[]): void => move({ proxy: stream.node.id, resources: { type, names } });
    const made = createTypeReceipts(type, stream.variant, onMove);
    stream.types.set(type, made);
    return made;
  };

  return {
    proxies() {
      forgetOld();
      return [...connected.values(), ...gone.values()]
        .map(deliveryOf)
        .sort((a, b) => (a.node.id < b.node.id ? -1 : Number(a.node.id > b.node.id)));
    },

    resourcesOf(proxyId) {
      forgetOld();
      const proxy = connected.get(proxyId) ?? gone.get(proxyId);
      return proxy && resourceTypes.flatMap(({ short }) => resourcesOf(proxy, short));
    },

    requestsOf(proxyId) {
      const proxy = connected.get(proxyId);
      return proxy === undefined ? [] : resourceTypes.flatMap(({ short }) => requestOf(proxy, short) ?? []);
    },

    connected: () => [...connected.values()].map(lookupIn).sort((a, b) => compareText(a.node.id, b.node.id)),

    receiptsOf(proxyId) {
      forgetOld();
      const proxy = connected.get(proxyId) ?? gone.get(proxyId);
      return proxy && lookupIn(proxy);
    },

    changes: () => changes,

    subscribeMoves(listener) {
      moveListeners.add(listener);
      return () => moveListeners.delete(listener);
    },

    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },

    opened(info) {
      changes++;
      const atMs = clock.now();
      const stream: Stream = { ...info, openedAtMs: atMs, types: new Map(), asked: new Map() };
      streams.set(info.stream, stream);
      const before = connected.get(info.node.id)?.streams ?? [];
      gone.delete(info.node.id);
      connected.set(info.node.id, { node: info.node, streams: [...before, stream], disconnectedAtMs: undefined });
      forgetOld();
      move({ proxy: info.node.id });
      tell({ on: "connected", atMs, node: info.node, peer: info.peer });
    },

    asked(id, type, names, wildcard) {
      changes++;
      const stream = streams.get(id);
      if (stream === undefined) return;
      const wholeSet = stream.variant === "sotw" && resourceType(type).fullState;
      const asked = stream.asked.get(type) ?? createAskedNames(wholeSet);
      stream.asked.set(type, asked);
      asked.ask(names, wildcard);
    },

    sent(id, type, nonce, resources) {
      changes++;
      const stream = streams.get(id);
      if (stream === undefined) return;
      writable(stream, type).sent(nonce, resources, clock.now());
      stream.asked.get(type)?.sent(resources, clock.now());
    },

    accepted(id, type, nonce) {
      changes++;
      const stream = streams.get(id);
      const atMs = clock.now();
      const changed = stream && writable(stream, type).accepted(nonce, atMs);
      if (stream && changed) tell({ on: "accepted", atMs, node: stream.node, type, changed });
    },

    refused(id, type, nonce, reason) {
      changes++;
      const stream = streams.get(id);
      const atMs = clock.now();
      const suspects = stream && writable(stream, type).refused(nonce, reason, atMs);
      if (stream && suspects) tell({ on: "refused", atMs, node: stream.node, type, reason, suspects });
    },

    resumed(id, type, resources) {
      changes++;
      const stream = streams.get(id);
      if (stream !== undefined) writable(stream, type).resumed(resources, clock.now());
    },

    dropped(id, type, names) {
      changes++;
      streams.get(id)?.types.get(type)?.dropped(names);
    },

    closed(id) {
      changes++;
      const stream = streams.get(id);
      const proxy = stream && connected.get(stream.node.id);
      if (stream === undefined || proxy === undefined) return;
      streams.delete(id);
      stream.asked.clear();
      const atMs = clock.now();
      const left = proxy.streams.filter((other) => other !== stream);
      const newest = left.at(-1);
      if (newest !== undefined) {
        proxy.streams = left;
        proxy.node = newest.node;
      } else {
        connected.delete(stream.node.id);
        gone.set(stream.node.id, { ...proxy, disconnectedAtMs: atMs });
      }
      forgetOld();
      move({ proxy: stream.node.id });
      tell({ on: "disconnected", atMs, node: stream.node, streams: left.length });
    },
  };
}

function deliveryOf(proxy: Proxy): ProxyDelivery {
  const { node, streams, disconnectedAtMs } = proxy;
  const [oldest] = streams;
  const types = resourceTypes.flatMap(({ short }) => {
    const summary = summaryOf(proxy, short);
    return summary === undefined ? [] : [[short, summary] as const];
  });
  return {
    node,
    types: Object.fromEntries(types),
    ...(disconnectedAtMs === undefined
      ? { streams: streams.length, ...(oldest && { connectedSinceMs: oldest.openedAtMs }) }
      : { streams: 0, disconnectedAtMs }),
  };
}

function summaryOf(proxy: Proxy, type: TypeName): TypeSummary | undefined {
  const receipts = proxy.streams.flatMap((stream) => stream.types.get(type) ?? []);
  const [first, ...others] = receipts.map((one) => one.record());
  if (first === undefined) return undefined;
  const counts =
    others.length === 0
      ? countsOf(first)
      : countsIn(newest([first, ...others].flatMap(({ entries }) => [...entries.values()])));
  const lastAckAtMs = Math.max(...receipts.map((one) => one.lastAckAtMs() ?? 0));
  return { ...counts, ...(lastAckAtMs > 0 && { lastAckAtMs }) };
}

/** Counted once for all proxies that share the record. */
const countsOf = memoize(({ entries }: History): Counts => countsIn(entries.values()));

/** A name that any stream has is not absent. */
function requestOf(proxy: Proxy, type: TypeName): TypeRequest | undefined {
  const asked = proxy.streams.flatMap((stream) => stream.asked.get(type) ?? []);
  if (asked.length === 0) return undefined;
  const { receipt } = lookupIn(proxy);
  const absent = asked.flatMap((one) => one.absent((name) => receipt(type, name) !== undefined));
  return { type, wildcard: asked.some((one) => one.wildcard()), absent: newest(absent) };
}

/** Of a resource on several streams, what the newest one says. */
const lookupIn = ({ node, streams }: Proxy): ProxyReceipts => ({
  node,
  receipt: (type, name) => {
    for (let i = streams.length - 1; i >= 0; i--) {
      const found = streams[i]?.types.get(type)?.entry(name);
      if (found !== undefined) return found;
    }
    return undefined;
  },
  record: (type) => {
    const records = streams.flatMap((stream) => stream.types.get(type)?.record() ?? []);
    return records.length === 0 ? nothing : records.length === 1 ? records[0] : undefined;
  },
});

/** The record of those that were sent nothing of a type. */
const nothing = {};

/** What the proxy's streams say together; of a resource on several, what the newest stream says. */
function resourcesOf({ streams }: Proxy, type: TypeName): readonly ResourceDelivery[] {
  const all = streams.flatMap((stream) => stream.types.get(type)?.receipts() ?? []);
  return newest(all.map((receipts) => ({ ...receipts, type })));
}

/** The last of each name, in the order of names. */
const newest = <T extends { readonly name: string }>(all: readonly T[]): readonly T[] =>
  [...new Map(all.map((one) => [one.name, one])).values()].sort((a, b) => compareText(a.name, b.name));
