import type { ResponseContent } from "../envoy/discovery-response.ts";
import type { Resource, ResourceSet } from "../envoy/resource-set.ts";
import { perType, type ResourceType, type TypeName } from "../envoy/resource-types.ts";
import { type ClientTraits, plainClient } from "./client-traits.ts";
import type { Offered, PushPlan, TypeProgress } from "./push-plan.ts";
import { noNames, noResources, type VersionMap } from "./resource-map.ts";
import { newRetries, type Retries } from "./retries.ts";
import type { Subscription } from "./subscription.ts";

/** A response that the proxy has not answered. */
export interface SentResponse {
  readonly nonce: string;
  readonly resources: readonly Resource[];
}

/** One type on one stream. */
export interface TypeState extends TypeProgress {
  readonly type: ResourceType;
  /** undefined until the type's first request: nothing of it may be sent before. */
  readonly subscription: Subscription | undefined;
  /** What was on offer when the proxy was last brought up to date; of it, it has what it subscribes to. */
  readonly held: VersionMap;
  /** Names to be answered whatever the proxy is believed to hold: newly or again subscribed, or of a changed cluster. */
  readonly asked: ReadonlySet<string>;
  /** An answer is owed even if it has nothing to say. */
  readonly due: boolean;
  /** The proxy is at work on what an earlier stream gave it, and the first answer on this one is still to come. */
  readonly resuming: boolean;
  /** A sign of life is owed for what has a time to live. */
  readonly heartbeat: boolean;
  /** What was refused together and is sent again apart. */
  readonly retries: Retries;
  /** On its way out, nonce not yet known. */
  readonly sending: readonly Resource[];
  /** Oldest first; bounded, as a proxy that never answers would make it grow. */
  readonly unanswered: readonly SentResponse[];
  /** The latest response has left: the wait for its answer has begun. */
  readonly written: boolean;
}

/** One that the proxy has asked for. */
export type AskedType = TypeState & { readonly subscription: Subscription };

export type TypeStates = Readonly<Record<TypeName, TypeState>>;

/** One stream. Plain data: the machines of `sotw.ts` and `delta.ts` make the next one out of it. */
export interface StreamState {
  readonly types: TypeStates;
  /** undefined until there is a first complete world. */
  readonly plan: PushPlan | undefined;
  readonly traits: ClientTraits;
  /** The one type of a single-type service; undefined on ADS. */
  readonly only: TypeName | undefined;
  /** What an earlier stream of the proxy left; for one that is at work, as its first request shows. */
  readonly past: Offered | undefined;
  /** The connection takes more bytes. */
  readonly room: boolean;
  /** What it waits for by the clock, some with their time in ms. */
  readonly timers: ReadonlyMap<Timer, number | undefined>;
  /** Types asked for that we do not speak. */
  readonly unknownTypes: ReadonlySet<string>;
}

/**
 * What a stream waits for by the clock. `ack`: the answer to a type's latest response; `gate`: all that must be in place before
 * listeners and routes move; `grace`: the time before a type's removals; `heartbeat`: half of the shortest time to live of
 * what the proxy holds; `world`: the first complete world.
 */
export type Timer = `ack/${TypeName}` | "gate" | `grace/${TypeName}` | `heartbeat/${TypeName}` | "world";

export type StreamEvent<Request> =
  | { readonly on: "request"; readonly request: Request }
  /** Who is there; comes once, before the first request. */
  | { readonly on: "client"; readonly traits: ClientTraits }
  /** What an earlier stream of this proxy has left; comes, if at all, before the first `resources`. */
  | { readonly on: "past"; readonly past: Offered }
  | { readonly on: "resources"; readonly resources: ResourceSet }
  /** For a type that is alone on its stream, and gated: what comes before it in this set has had its time. */
  | { readonly on: "ready"; readonly resources: ResourceSet }
  /** Whether the connection has room for more bytes. */
  | { readonly on: "room"; readonly room: boolean }
  /** The latest `send` of the type got this nonce. Comes before its bytes are written. */
  | { readonly on: "sent"; readonly type: TypeName; readonly nonce: string }
  /** The bytes have left: only now does the wait for an answer begin. */
  | { readonly on: "written"; readonly type: TypeName; readonly nonce: string }
  | { readonly on: "timer"; readonly timer: Timer };

/** How a stream may end by our doing; the names are gRPC's. */
export type EndStatus = "OK" | "INVALID_ARGUMENT" | "RESOURCE_EXHAUSTED" | "UNAVAILABLE" | "INTERNAL";

export type StreamEffect =
  | { readonly do: "send"; readonly type: ResourceType; readonly content: ResponseContent }
  /** The proxy asks otherwise than before, or for the first time. */
  | { readonly do: "subscribed"; readonly type: TypeName; readonly subscription: Subscription }
  /** These do not fit into a response that the client takes, and stay behind until they change. `bytes`: what it would have been. */
  | { readonly do: "oversized"; readonly type: TypeName; readonly names: readonly string[]; readonly bytes: number }
  | { readonly do: "accepted"; readonly type: TypeName; readonly nonce: string }
  | { readonly do: "refused"; readonly type: TypeName; readonly nonce: string; readonly reason: string }
  /** The proxy holds these from an earlier stream, and they need not be sent. */
  | { readonly do: "resumed"; readonly type: TypeName; readonly resources: readonly NamedVersion[] }
  /** The proxy no longer asks for these. */
  | { readonly do: "dropped"; readonly type: TypeName; readonly names: readonly string[] }
  | { readonly do: "unknown-type"; readonly typeUrl: string }
  /** `delayMs` is given where the options do not say it. */
  | { readonly do: "start-timer"; readonly timer: Timer; readonly delayMs?: number }
  | { readonly do: "stop-timer"; readonly timer: Timer }
  | { readonly do: "end"; readonly status: EndStatus; readonly reason: string };

export interface NamedVersion {
  readonly name: string;
  readonly version: string;
}

export const newTypeState = (type: ResourceType): TypeState => ({
  type,
  subscription: undefined,
  held: noResources,
  asked: noNames,
  due: false,
  resuming: false,
  heartbeat: false,
  partial: false,
  retries: newRetries,
  sending: [],
  unanswered: [],
  written: false,
  awaited: false,
  refused: noNames,
});

const newStreamOf = (only?: TypeName): StreamState => ({
  types: perType(newTypeState),
  plan: undefined,
  traits: plainClient,
  only,
  past: undefined,
  room: true,
  timers: new Map(),
  unknownTypes: noNames,
});

const newStreams = { ADS: newStreamOf(), ...perType(({ short }) => newStreamOf(short)) };

/** A stream that has just opened. `only`: the one type of a single-type service. */
export const newStream = (only?: TypeName): StreamState => newStreams[only ?? "ADS"];
