import type { TypeName } from "../../../src/envoy/resource-types.ts";
import type { InvariantName } from "../invariants.ts";
import type { RawResource, ResourceKey } from "../resources.ts";
import type { VariantName } from "../variants.ts";

/**
 * What a target's adapter can do beyond listening. `state`: put and delete resources; `touch`: compute everything anew without a
 * change; `hold`: start before the state is complete; `drain`, `restart`, `replica`: as the methods; `fail`: make one resource
 * impossible to compute; `crowd`: start as one that lets new streams in one by one, and has few of them wait; `gauges`: open streams and watches; `counters`; `receipts`: who acknowledged what; `on-demand` and
 * `ttl`: resources may have these properties; `short-times`: waits for ACKs, graces and keepalive are short enough for tests;
 * `raw`: it serves resources exactly as they were put; `partial`: it sends only what changed where the protocol allows more;
 * `limits`: it can be started with smaller limits; `bytes`: how many bytes of responses it holds; `load-reports`, `client-status`: it
 * serves LRS, CSDS; `load-totals`: the sums of load reports.
 */
export const capabilities = [
  "state",
  "touch",
  "hold",
  "drain",
  "restart",
  "replica",
  "fail",
  "crowd",
  "gauges",
  "counters",
  "receipts",
  "on-demand",
  "ttl",
  "short-times",
  "raw",
  "partial",
  "limits",
  "bytes",
  "load-reports",
  "client-status",
  "load-totals",
] as const;

export type Capability = (typeof capabilities)[number];

/** One server software in one configuration. It starts as many servers as cases need, so that they can run at the same time. */
export interface Target {
  /** For example `fairway`, `go-control-plane:linear`. */
  readonly name: string;
  readonly can: ReadonlySet<Capability>;
  readonly variants: ReadonlySet<VariantName>;
  /** Why not the other types: they stand as `n/a` with this text. */
  readonly types: ReadonlySet<TypeName>;
  /** Invariants that are not checked, each with the reason. */
  readonly unchecked: Readonly<Partial<Record<InvariantName, string>>>;
  /** How long silence is watched, and how long an answer may take. Milliseconds. */
  readonly times: { readonly quietMs: number; readonly withinMs: number };
  /** A fresh and empty server for one case. */
  readonly start: (options?: StartOptions) => Promise<Instance>;
  readonly close: () => Promise<void>;
}

export interface StartOptions {
  /** Its state is not complete until `release`. */
  readonly held?: boolean;
  /** It lets new streams in one by one, at most 100 wait, and the others are refused. */
  readonly crowd?: boolean;
  readonly limits?: Limits;
}

/** Limits small enough to be met by a test; what is not given is as large as usual. */
export interface Limits {
  /** After about so long connections end, in milliseconds. */
  readonly connectionAgeMs?: number;
  /** Bytes of responses that wait for one connection. */
  readonly connectionBytes?: number;
  readonly streamsPerConnection?: number;
  readonly streamsPerNode?: number;
  /** How long a stream may say nothing at first, in milliseconds. */
  readonly firstRequestMs?: number;
}

/** Puts and deletions that become visible together. */
export interface Change {
  readonly put?: readonly RawResource[];
  readonly del?: readonly ResourceKey[];
}

/** A running server with its state. A method rejects when the target lacks the capability of that name. */
export interface Instance {
  /** `host:port` of plain text. */
  readonly address: string;
  readonly change: (change: Change) => Promise<void>;
  /** Everything is computed again; nothing has changed. */
  readonly touch: () => Promise<void>;
  /** The state is complete from now on. */
  readonly release: () => Promise<void>;
  /** Ends all streams in peace; resolves when they are gone, at the latest after `withinMs`. */
  readonly drain: (withinMs: number) => Promise<void>;
  /** The same state in a new process or instance, at the same address. */
  readonly restart: () => Promise<void>;
  /** A second server with the same state, reached by another way; it follows later changes. */
  readonly replica: () => Promise<Instance>;
  /** From the next change or touch on, this resource cannot be computed; `undefined`: all can. */
  readonly fail: (key: ResourceKey | undefined) => Promise<void>;
  readonly stats: () => Promise<Stats>;
  /** What a node said about a resource last; undefined: it was never sent there, or the node no longer asks for it. */
  readonly receipt: (nodeId: string, type: TypeName, name: string) => Promise<ReceiptView | undefined>;
  /** The sums of what a node reported, by cluster. */
  readonly loads: (nodeId: string) => Promise<readonly LoadTotals[]>;
  readonly close: () => Promise<void>;
}

export interface LoadTotals {
  readonly cluster: string;
  readonly issued: number;
  readonly dropped: number;
}

export interface Stats {
  /** Capability `gauges`. */
  readonly streams: number;
  readonly watches: number;
  /** Capability `counters`. */
  readonly nacks: number;
  /** Requests that named another node than their stream's first one. */
  readonly nodeChanges: number;
  readonly responses: number;
  /** Resources that were too large for their client, so far. */
  readonly oversized: number;
  /** Capability `bytes`: of responses that wait for their connections. */
  readonly bytesInFlight: number;
}

export interface ReceiptView {
  readonly status: "pending" | "accepted" | "refused";
  /** The client's text, of the last refusal since the last acceptance. */
  readonly reason?: string;
}

/** What an adapter gives for what its target cannot do. */
export const unable = (capability: Capability) => (): Promise<never> =>
  Promise.reject(new Error(`this target has no ${capability}; the case must say that it needs it`));
