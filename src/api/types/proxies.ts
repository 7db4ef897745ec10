import type { RulePlaceView } from "./rules.ts";

/* Proxies, what they have, and what they refused. Types of the API's JSON: times are RFC 3339 in UTC; a field that is not known is absent, never null. */

/** What a proxy would get now, as proto JSON with `@type`. */
export interface ProxyConfigView {
  readonly proxy: string;
  readonly resources: readonly ProxyResourceView[];
}

export interface ProxyResourceView {
  /** `CDS`, `EDS`, `LDS` or `RDS`. */
  readonly type: string;
  readonly name: string;
  readonly version: string;
  /** What the proxy said of this version; absent when it did not ask for it. */
  readonly state?: "pending" | "accepted" | "refused";
  readonly config: unknown;
  /** The rules behind it. */
  readonly rules: readonly RulePlaceView[];
  /** Why it is not what it should be, where it stands in for something. */
  readonly repair?: Pick<RepairView, "kind" | "reason">;
}

export interface ProxyView {
  /** Its `node.id`. */
  readonly id: string;
  readonly kind: "sidecar" | "gateway" | "proxyless";
  readonly name: string;
  readonly namespace: string;
  readonly client: { readonly name: string; readonly version: string };
  /** Since when its oldest open stream is connected; absent when it has none. */
  readonly connectedSince?: string;
  /** How many streams it has open. */
  readonly streams: number;
  /** By resource type (`CDS`, `EDS`, `LDS`, `RDS`): only types that it asked for. */
  readonly types: Readonly<Record<string, TypeDeliveryView>>;
  readonly refusals: readonly RefusalView[];
  /** Resources that stand in for others in what it gets, the broken ones first; at most 20. Absent when there are none. */
  readonly repairs?: readonly RepairView[];
}

/** A resource that is not what it should be, so that all others can be. */
export interface RepairView {
  readonly type: string;
  readonly resource: string;
  /**
   * `missing`: others name it and it does not exist; an empty one answers. `broken`: it could not be compiled; its last good version
   * stays, or nothing where there was none.
   */
  readonly kind: "missing" | "broken" | "conflict";
  readonly reason: string;
}

export interface TypeDeliveryView {
  /** How many resources it holds or is being sent. */
  readonly resources: number;
  /** Sent, not answered yet. */
  readonly pending: number;
  /** Refused in their present version. */
  readonly refused: number;
  readonly lastAckAt?: string;
}

/** A resource version that a proxy refused, and the rules behind it. */
export interface RefusalView {
  readonly type: string;
  readonly resource: string;
  /** The proxy's own words. */
  readonly reason: string;
  readonly at: string;
  readonly rules?: readonly RulePlaceView[];
}
