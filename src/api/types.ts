/**
 * The JSON of the HTTP API: types only, the contract with the command line and the console. Times are RFC 3339 in UTC; a
 * field that is not known is absent, never null.
 */

/** One page of a list, in the order of the list's key. */
export interface Page<T> {
  readonly items: readonly T[];
  /** How many items the filters let through, on all pages. */
  readonly total: number;
  /** Give it back as `continue` for the next page; absent on the last one. */
  readonly continue?: string;
}

export interface ServiceView {
  readonly host: string;
  readonly namespace: string;
  readonly ports: readonly PortView[];
  readonly resolution: "instances" | "dns" | "dns-round-robin";
  readonly external: boolean;
  readonly origin: OriginView;
  readonly instances: readonly InstanceView[];
}

export interface PortView {
  readonly name: string;
  readonly number: number;
  /** Lower case: `http`, `grpc-web`, `auto`, … */
  readonly protocol: string;
}

/** Who told us of a service. */
export type OriginView =
  | { readonly kind: "registry"; readonly registry: string }
  /** A ServiceEntry, as `Kind/namespace/name`. */
  | { readonly kind: "rule"; readonly rule: string };

export interface InstanceView {
  readonly id: string;
  readonly address: string;
  /** Port name to number, where it differs from the service's. */
  readonly ports: Readonly<Record<string, number>>;
  readonly labels: Readonly<Record<string, string>>;
  /** `region/zone/subzone`; empty when unknown. */
  readonly locality: string;
  readonly weight: number;
  readonly health: "healthy" | "unhealthy" | "draining";
  readonly registry: string;
}

/** A problem in a rule, with its place: the same shape as `fairway check -o json` prints. */
export interface RuleFindingView {
  readonly code: string;
  readonly severity: "error" | "warning";
  /** JSON pointer into the document. */
  readonly pointer: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly message: string;
  readonly hint?: string;
}

export interface RuleView {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly verdict: "valid" | "warned" | "refused";
  /** Which version of the rule proxies are configured from: this one, its last valid one, or none. */
  readonly inForce: "current" | "previous" | "none";
  readonly file?: string;
  readonly line?: number;
  readonly findings: readonly RuleFindingView[];
}

/** A finding together with what it is about; a registry's problems have the kind `Registry` and the registry's name. */
export interface FindingView extends RuleFindingView {
  readonly about: { readonly kind: string; readonly namespace: string; readonly name: string };
}

export interface ProxyView {
  /** Its `node.id`. */
  readonly id: string;
  readonly kind: "sidecar" | "gateway";
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

export interface RulePlaceView {
  /** `Kind/namespace/name`. */
  readonly rule: string;
  readonly pointer: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

export interface ReadyView {
  readonly ready: boolean;
  /** Why not; empty when ready. Whole sentences. */
  readonly reasons: readonly string[];
}

export interface VersionView {
  readonly name: string;
  readonly version: string;
  /** The version of Node.js that runs it. */
  readonly node: string;
}

/** Every error answer, `application/problem+json` (RFC 9457). */
export interface ProblemView {
  /** `urn:fairway:error:` and the code. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** The path that was asked for. */
  readonly instance: string;
  /** Also in the answer's `x-request-id` and in the server's log. */
  readonly requestId: string;
  readonly code: string;
  readonly hint?: string;
  /** Every single problem, where there can be several. */
  readonly errors?: readonly ProblemDetailView[];
}

export interface ProblemDetailView {
  /** The query parameter at fault. */
  readonly parameter: string;
  readonly message: string;
  readonly hint?: string;
}
