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
  /** What clients dial: IP addresses and networks; empty where it has only names. */
  readonly addresses: readonly string[];
  readonly ports: readonly PortView[];
  readonly resolution: "instances" | "dns" | "dns-round-robin" | "original-destination";
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

/** What the server adds to a document's metadata; ignored when it is given back. */
export interface RuleMetadataView {
  readonly name: string;
  readonly namespace: string;
  /** Of the rule from its creation to its deletion. */
  readonly uid: string;
  /** Counts changes of what the document means. */
  readonly generation: number;
  /** The revision that wrote this version; of a dry run the one that wrote what is there, 0 for a new rule. */
  readonly revision: number;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly updatedAt: string;
  readonly updatedBy: string;
  /** Where its author applied it from, as the author named it. */
  readonly appliedFrom?: { readonly file: string; readonly line: number };
  /** Where to edit it, when not here. */
  readonly managedBy?: ManagerView;
}

/** The files that own a rule. */
export interface ManagerView {
  readonly kind: "directory";
  readonly file?: string;
  readonly line?: number;
}

/** One rule: the author's document with `metadata` completed, and `status`. */
export interface RuleObjectView {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: RuleMetadataView & Readonly<Record<string, unknown>>;
  readonly spec: unknown;
  readonly status: RuleStatusView;
}

/** A page of rules. */
export interface RuleListView extends Page<RuleObjectView> {
  /** The revision that the list shows; a watch from here on misses nothing. */
  readonly revision: number;
}

export interface RuleStatusView {
  /** The generation that this status speaks of. */
  readonly observedGeneration: number;
  readonly verdict: "valid" | "warned" | "refused";
  /** Which version of the rule proxies are configured from: this one, its last valid one, or none. */
  readonly inForce: "current" | "previous" | "none";
  /** `Accepted`, then `InForce`. */
  readonly conditions: readonly ConditionView[];
  readonly delivery: RuleDeliveryView;
  readonly findings: readonly RuleFindingView[];
  /** Who refused something that comes from it, the last ones first; at most 20. */
  readonly refusals: readonly RuleRefusalView[];
}

export interface ConditionView {
  readonly type: "Accepted" | "InForce";
  readonly status: "True" | "False" | "Unknown";
  /** One word, for programs. */
  readonly reason: string;
  /** A sentence, for people. */
  readonly message: string;
}

/** Connected proxies by what they said of the resources that the rule gave something to. */
export interface RuleDeliveryView {
  /** Those whose configuration has something of it. */
  readonly targeted: number;
  /** Those that have accepted all of it. */
  readonly acked: number;
  readonly pending: number;
  /** Those that refused some of it. */
  readonly refused: number;
}

export interface RuleRefusalView {
  /** Its `node.id`. */
  readonly proxy: string;
  readonly type: string;
  readonly resource: string;
  /** The proxy's own words. */
  readonly reason: string;
  readonly at: string;
  /** The narrowest part of the rule that holds all it gave to the resource. */
  readonly pointer: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

/** What a change did, or, with `dryRun`, would do. */
export interface ChangeSetView {
  /** The revision that it made; the present one when nothing changed or nothing was stored. */
  readonly revision: number;
  readonly dryRun: boolean;
  /** In the order of the documents, then of the deletions. */
  readonly results: readonly ChangeResultView[];
}

export interface ChangeResultView {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly action: "created" | "configured" | "unchanged" | "deleted";
  readonly generation?: number;
  /** Warnings. */
  readonly findings: readonly RuleFindingView[];
}

/** The body of `POST /api/v1/changesets` as JSON. */
export interface ChangeSetBody {
  readonly documents?: readonly ChangeDocument[];
  readonly deletes?: readonly RuleReference[];
}

/** A document as text (YAML or JSON; several documents where the text has several) or as an object. */
export type ChangeDocument =
  | { readonly text: string; readonly file?: string; readonly line?: number }
  | { readonly object: object; readonly file?: string; readonly line?: number };

export interface RuleReference {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** One event of a watch; a BOOKMARK only moves the position. */
export interface WatchEventView {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  readonly revision: number;
  readonly object?: RuleObjectView;
}

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

/** A service that registered itself. */
export interface RegisteredServiceView {
  readonly host: string;
  readonly namespace: string;
  /** What clients dial: IP addresses and networks; empty where it has only names. */
  readonly addresses: readonly string[];
  /** Clients dial the instances. */
  readonly headless: boolean;
  readonly ports: readonly PortView[];
  readonly external: boolean;
  readonly registeredAt: string;
  readonly registeredBy: string;
}

export interface RegisteredInstanceView extends Omit<InstanceView, "registry"> {
  readonly registeredAt: string;
  readonly registeredBy: string;
  readonly generation: number;
  readonly lease?: LeaseView;
  readonly draining?: { readonly since: string; readonly until: string };
}

/** What a heartbeat found; `not-found`: register it again, `stale`: a later generation of it is registered. */
export interface HeartbeatView {
  readonly id: string;
  readonly state: "live" | "not-found" | "stale";
}

export interface LeaseView {
  /** Milliseconds. */
  readonly ttlMs: number;
  readonly expiresAt: string;
  /** `missed`: no heartbeat for a whole period; it gets no traffic and is removed after three. */
  readonly state: "live" | "missed";
}

export type Role = "viewer" | "editor" | "admin";

export interface TokenView {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly expiresAt?: string;
  readonly lastUsedAt?: string;
}

/** Shown once. */
export interface NewTokenView extends TokenView {
  readonly token: string;
}

export interface WhoAmIView {
  readonly name: string;
  readonly role: Role;
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
  /** Why not, and what else somebody should look after. Whole sentences. */
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

/** One problem of a request: in a parameter, or in a document of the body. */
export interface ProblemDetailView {
  /** The query parameter or header at fault. */
  readonly parameter?: string;
  /** Stable and documented in docs/errors.md, for example `rule/unknown-field`. */
  readonly code?: string;
  readonly severity?: "error" | "warning";
  /** JSON pointer into the document. */
  readonly pointer?: string;
  readonly message: string;
  readonly hint?: string;
  /** Which rule it is about, as `Kind/namespace/name`, where that can be told. */
  readonly rule?: string;
  /** Which document of the body, counted from 0. */
  readonly document?: number;
  /** Where in the text: of the file that the request names, else of the body. */
  readonly source?: { readonly file?: string; readonly line: number; readonly column: number };
}
