import type { Decoder, Problem } from "../base/decode.ts";
import type { ChangedRules } from "../config/change.ts";
import type { Prepare } from "../config/prepare-in-turn.ts";
import type { RuleKey } from "../config/rule.ts";
import type { RuleStore, StoredDocument } from "../config/store.ts";
import type { NewTokenView, Role, TokenView } from "./types/access.ts";
import type { FindingView, RuleFindingView } from "./types/findings.ts";
import type { ProxyConfigView, ProxyView } from "./types/proxies.ts";
import type { RegistryView } from "./types/registries.ts";
import type { ManagerView, RuleStatusView, RuleView } from "./types/rules.ts";
import type { ReadyView } from "./types/server.ts";
import type { HeartbeatView, RegisteredInstanceView, RegisteredServiceView, ServiceView } from "./types/services.ts";

/** What the API asks of the rest of the house: the present, as plain values, and the few things that change it. */
export interface ApiPorts {
  readonly services: () => readonly ServiceView[];
  /** Every rule document read, from every source. */
  readonly rules: () => readonly RuleView[];
  readonly findings: () => readonly FindingView[];
  readonly proxies: () => readonly ProxyView[];
  /** undefined for a proxy that is not known, or before the first complete world. */
  readonly proxyConfig: (id: string) => ProxyConfigView | undefined;
  readonly ready: () => ReadyView;
  /** Prometheus text exposition. */
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
  /** `trial`: the document was only checked, with these warnings, and not stored. */
  readonly ruleStatus: (document: StoredDocument, trial?: readonly RuleFindingView[]) => RuleStatusView;
  /** Who else owns the rule of this key; undefined: the store, or nobody. */
  readonly managerOf: (key: RuleKey) => ManagerView | undefined;
  readonly store: RuleStore;
  readonly prepare: Prepare;
  readonly access: AccessPort;
  readonly tokens: TokensPort;
  readonly registries: RegistriesPort;
  readonly registrations: RegistrationsPort;
  readonly explain: ExplainPort;
  /** Tests of where requests go that hold now, and would not after a change of these rules. Absent: nobody asked for that. */
  readonly brokenTests?: (rules: ChangedRules) => readonly BrokenTest[];
}

export interface BrokenTest {
  readonly name: string;
  /** What was expected, and what would be; a whole sentence. */
  readonly message: string;
  /** Where the expectation stands. */
  readonly source: { readonly file: string; readonly line: number; readonly column: number };
}

/** The bodies that are decoded behind a port. */
export interface PortFormats {
  readonly registrations: RegistrationsPort["formats"];
  readonly explain: ExplainPort["formats"];
}

export interface Caller {
  /** The token's name; `anonymous` without one. */
  readonly name: string;
  readonly role: Role;
  readonly tokenId?: string;
}

export type Verb = "read" | "write" | "register" | "administer";

/** What somebody wants to do; kind and namespace are there for roles with scopes. */
export interface Action {
  readonly verb: Verb;
  readonly kind?: string;
  readonly namespace?: string;
}

export type AccessDecision =
  | { readonly kind: "caller"; readonly caller: Caller }
  | { readonly kind: "missing" }
  | { readonly kind: "invalid"; readonly reason: string; readonly hint?: string }
  | { readonly kind: "limited"; readonly retryAfterS: number };

export interface AccessPort {
  readonly authenticate: (request: {
    readonly authorization: string | undefined;
    /** The address that the request comes from. */
    readonly peer: string;
  }) => Promise<AccessDecision>;
  /** Why not, as a sentence; undefined: yes. */
  readonly denialOf: (caller: Caller, action: Action) => string | undefined;
}

export interface TokensPort {
  readonly create: (
    token: { readonly name: string; readonly role: Role; readonly expiresInMs?: number },
    by: string,
  ) => Promise<NewTokenView | { readonly conflict: string }>;
  readonly list: () => Promise<readonly TokenView[]>;
  /** By id or name; false: there is none. */
  readonly revoke: (token: string, by: string) => Promise<boolean>;
}

/** Where services come from. What is decided of one gives it as it is then; undefined: there is none of that name. */
export interface RegistriesPort {
  /** Whose services count first comes first. */
  readonly list: () => readonly RegistryView[];
  /** Nothing of it goes any more. */
  readonly hold: (name: string, by: string) => RegistryView | undefined;
  /** What it reports counts. */
  readonly release: (name: string, by: string) => RegistryView | undefined;
}

export type RegistrationOutcome<T> =
  | { readonly kind: "done"; readonly created: boolean; readonly value: T }
  | { readonly kind: "invalid"; readonly problems: readonly Problem[] }
  | { readonly kind: "not-found"; readonly what: "service" | "instance" }
  | { readonly kind: "conflict"; readonly message: string; readonly hint?: string }
  /** The client's generation is older than this one. */
  | { readonly kind: "stale"; readonly generation: number };

/** Services and instances that register themselves. Bodies are plain data, decoded behind the port. */
export interface RegistrationsPort {
  readonly services: () => readonly RegisteredServiceView[];
  readonly service: (host: string) => RegisteredServiceView | undefined;
  readonly instances: (host: string) => readonly RegisteredInstanceView[] | undefined;
  readonly putService: (host: string, body: unknown, by: string) => Promise<RegistrationOutcome<RegisteredServiceView>>;
  /** Gives what there was; undefined where it could not be read. */
  readonly deleteService: (
    host: string,
    options: { readonly cascade: boolean },
    by: string,
  ) => Promise<RegistrationOutcome<RegisteredServiceView | undefined>>;
  readonly putInstance: (
    host: string,
    id: string,
    body: unknown,
    by: string,
  ) => Promise<RegistrationOutcome<RegisteredInstanceView>>;
  readonly putInstances: (
    host: string,
    body: unknown,
    by: string,
  ) => Promise<RegistrationOutcome<readonly RegisteredInstanceView[]>>;
  readonly isRegistered: (host: string, id: string) => boolean;
  readonly heartbeat: (host: string, id: string, body: unknown) => RegistrationOutcome<RegisteredInstanceView>;
  readonly heartbeats: (host: string, body: unknown) => RegistrationOutcome<readonly HeartbeatView[]>;
  readonly drain: (
    host: string,
    id: string,
    body: unknown,
    by: string,
  ) => Promise<RegistrationOutcome<RegisteredInstanceView>>;
  readonly deleteInstance: (
    host: string,
    id: string,
    by: string,
  ) => Promise<RegistrationOutcome<RegisteredInstanceView | undefined>>;
  /** What the bodies look like. */
  readonly formats: {
    readonly service: Decoder<unknown>;
    readonly instance: Decoder<unknown>;
    readonly instances: Decoder<unknown>;
    readonly heartbeat: Decoder<unknown>;
    readonly heartbeats: Decoder<unknown>;
    readonly drain: Decoder<unknown>;
  };
}

export type ExplainOutcome =
  /** In the format of answers. */
  | { readonly kind: "done"; readonly explanation: object }
  | { readonly kind: "invalid"; readonly problems: readonly Problem[] }
  /** No proxy of that name is known, or it gets nothing yet. */
  | { readonly kind: "not-found"; readonly message: string; readonly hint: string }
  /** It cannot be said; why. */
  | { readonly kind: "unclear"; readonly message: string; readonly hint?: string };

/** Where a request goes that a proxy gets. The body is plain data, decoded behind the port. */
export interface ExplainPort {
  readonly explain: (body: unknown) => Promise<ExplainOutcome>;
  readonly formats: { readonly question: Decoder<unknown>; readonly answer: Decoder<unknown> };
}
