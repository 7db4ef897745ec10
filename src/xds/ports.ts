import type { ResourceSet } from "../envoy/resource-set.ts";
import type { TypeName } from "../envoy/resource-types.ts";
import type { ProxyNode } from "../model/proxy.ts";

/** What the wire asks of the rest of the house; `app` joins it with whoever can answer. */
export interface ResourceFeed {
  /** Follows what a proxy gets. The listener hears of each later set, never of the current one. */
  readonly watch: (node: ProxyNode, listener: (resources: ResourceSet) => void) => ResourceWatch;
}

export interface ResourceWatch {
  /** undefined until the first complete world. */
  readonly current: () => ResourceSet | undefined;
  readonly close: () => void;
}

/** A stream, as the record of delivery knows it. */
export interface StreamInfo {
  /** Unique in this process. */
  readonly stream: string;
  readonly node: ProxyNode;
  readonly variant: "sotw" | "delta";
  /** Address of the peer. */
  readonly peer: string;
}

/** Name and version of a resource in a response; no version: it was announced as removed, or as not there. */
export interface SentResource {
  readonly name: string;
  readonly version?: string;
  /** It was announced by an error of its own. */
  readonly error?: true;
}

/** Who writes down what happened on the wire. Times are taken by the writer. */
export interface DeliveryRecorder {
  readonly opened: (info: StreamInfo) => void;
  /** What the stream asks for now, of one type. `names` is not going to change, and may be kept. */
  readonly asked: (stream: string, type: TypeName, names: ReadonlySet<string>, wildcard: boolean) => void;
  readonly sent: (stream: string, type: TypeName, nonce: string, resources: readonly SentResource[]) => void;
  readonly accepted: (stream: string, type: TypeName, nonce: string) => void;
  /** `reason` is the proxy's text, cut to 4096 characters. */
  readonly refused: (stream: string, type: TypeName, nonce: string, reason: string) => void;
  /** A reconnected proxy already holds these, as it says and as they are now; they were not sent again. */
  readonly resumed: (stream: string, type: TypeName, resources: readonly SentResource[]) => void;
  /** The proxy no longer asks for these. */
  readonly dropped: (stream: string, type: TypeName, names: readonly string[]) => void;
  readonly closed: (stream: string) => void;
}
