import { anything, boolean, type Decoder, described, failed, integer, list, mapOf, schemaOf } from "../base/decode.ts";
import { oneOfKinds, optional, required } from "../base/decode-object.ts";
import { anyText, many, number, placeFields, positive, shape, texts, time, word } from "../base/shape.ts";
import { pageFields } from "./page-shape.ts";
import { repairFields, repairView, rulePlaceView } from "./repair-shapes.ts";
import type {
  ChangeResultView,
  ChangeSetView,
  ConditionView,
  FindingView,
  HeartbeatView,
  InstanceView,
  LeaseView,
  ManagerView,
  NewTokenView,
  OriginView,
  PortView,
  ProblemDetailView,
  ProblemView,
  ProxyConfigView,
  ProxyResourceView,
  ProxyView,
  ReadyView,
  RefusalView,
  RegisteredInstanceView,
  RegisteredServiceView,
  Role,
  RuleDeliveryView,
  RuleFindingView,
  RuleListView,
  RuleMetadataView,
  RuleObjectView,
  RuleRefusalView,
  RuleStatusView,
  RuleView,
  ServiceView,
  TokenView,
  TypeDeliveryView,
  VersionView,
  WatchEventView,
  WhoAmIView,
} from "./types.ts";

/**
 * The runtime form of `types.ts`: a decoder for each answer of the API. Clients read answers with them, and the published
 * document says what they say.
 */

/* Services */

const portNumber = integer({ min: 1, max: 65_535 });
const portView = shape<PortView>({
  name: required(anyText),
  number: required(portNumber),
  protocol: required(anyText),
});
const ports = list(portView);
const portNumbers = mapOf(portNumber);
const health = word("healthy", "unhealthy", "draining");

const originView: Decoder<OriginView> = oneOfKinds<OriginView>("kind", {
  registry: shape<Extract<OriginView, { readonly kind: "registry" }>>({
    kind: required(word("registry")),
    registry: required(anyText),
  }),
  rule: shape<Extract<OriginView, { readonly kind: "rule" }>>({
    kind: required(word("rule")),
    rule: required(anyText),
  }),
});

const instanceView = shape<InstanceView>({
  id: required(anyText),
  address: required(anyText),
  ports: required(portNumbers),
  labels: required(texts),
  locality: required(anyText),
  weight: required(number),
  health: required(health),
  registry: required(anyText),
});

export const serviceView: Decoder<ServiceView> = shape<ServiceView>({
  host: required(anyText),
  namespace: required(anyText),
  ports: required(ports),
  resolution: required(word("instances", "dns", "dns-round-robin")),
  external: required(boolean),
  origin: required(originView),
  instances: required(list(instanceView, many)),
});

export const registeredServiceView: Decoder<RegisteredServiceView> = shape<RegisteredServiceView>({
  host: required(anyText),
  namespace: required(anyText),
  ports: required(ports),
  external: required(boolean),
  registeredAt: required(time),
  registeredBy: required(anyText),
});

const leaseView = shape<LeaseView>({
  ttlMs: required(positive),
  expiresAt: required(time),
  state: required(word("live", "missed")),
});

export const registeredInstanceView: Decoder<RegisteredInstanceView> = shape<RegisteredInstanceView>({
  id: required(anyText),
  address: required(anyText),
  ports: required(portNumbers),
  labels: required(texts),
  locality: required(anyText),
  weight: required(number),
  health: required(health),
  registeredAt: required(time),
  registeredBy: required(anyText),
  generation: required(number),
  lease: optional(leaseView),
  draining: optional(
    shape<NonNullable<RegisteredInstanceView["draining"]>>({ since: required(time), until: required(time) }),
  ),
});

export const heartbeatView: Decoder<HeartbeatView> = shape<HeartbeatView>({
  id: required(anyText),
  state: required(word("live", "not-found", "stale")),
});

/* Rules */

const findingFields = {
  code: required(anyText),
  severity: required(word("error", "warning")),
  pointer: required(anyText),
  ...placeFields,
  message: required(anyText),
  hint: optional(anyText),
};

const ruleFindingView = shape<RuleFindingView>(findingFields);
const findings = list(ruleFindingView);

const namedFields = { kind: required(anyText), namespace: required(anyText), name: required(anyText) };

export const findingView: Decoder<FindingView> = shape<FindingView>({
  ...findingFields,
  about: required(shape<FindingView["about"]>(namedFields)),
});

const verdict = word("valid", "warned", "refused");
const inForce = word("current", "previous", "none");

export const ruleView: Decoder<RuleView> = shape<RuleView>({
  ...namedFields,
  verdict: required(verdict),
  inForce: required(inForce),
  file: optional(anyText),
  line: optional(positive),
  findings: required(findings),
});

const managerView = shape<ManagerView>({
  kind: required(word("directory")),
  file: optional(anyText),
  line: optional(positive),
});

const completedMetadata = shape<RuleMetadataView>({
  name: required(anyText),
  namespace: required(anyText),
  uid: required(anyText),
  generation: required(number),
  revision: required(number),
  createdAt: required(time),
  createdBy: required(anyText),
  updatedAt: required(time),
  updatedBy: required(anyText),
  appliedFrom: optional(
    shape<{ readonly file: string; readonly line: number }>({ file: required(anyText), line: required(positive) }),
  ),
  managedBy: optional(managerView),
});

/** The author's own fields stay beside ours. */
const metadataView: Decoder<RuleObjectView["metadata"]> = described(
  (value, site) => {
    const ours = completedMetadata(value, site);
    return ours === failed ? failed : { ...(value as Readonly<Record<string, unknown>>), ...ours };
  },
  () => schemaOf(completedMetadata),
);

const conditionView = shape<ConditionView>({
  type: required(word("Accepted", "InForce")),
  status: required(word("True", "False", "Unknown")),
  reason: required(anyText),
  message: required(anyText),
});

const ruleDeliveryView = shape<RuleDeliveryView>({
  targeted: required(number),
  acked: required(number),
  pending: required(number),
  refused: required(number),
});

const ruleRefusalView = shape<RuleRefusalView>({
  proxy: required(anyText),
  type: required(anyText),
  resource: required(anyText),
  reason: required(anyText),
  at: required(time),
  pointer: required(anyText),
  ...placeFields,
});

export const ruleStatusView: Decoder<RuleStatusView> = shape<RuleStatusView>({
  observedGeneration: required(number),
  verdict: required(verdict),
  inForce: required(inForce),
  conditions: required(list(conditionView)),
  delivery: required(ruleDeliveryView),
  findings: required(findings),
  refusals: required(list(ruleRefusalView)),
});

export const ruleObjectView: Decoder<RuleObjectView> = shape<RuleObjectView>({
  apiVersion: required(anyText),
  kind: required(anyText),
  metadata: required(metadataView),
  spec: required(anything),
  status: required(ruleStatusView),
});

export const changeSetView: Decoder<ChangeSetView> = shape<ChangeSetView>({
  revision: required(number),
  dryRun: required(boolean),
  results: required(
    list(
      shape<ChangeResultView>({
        ...namedFields,
        action: required(word("created", "configured", "unchanged", "deleted")),
        generation: optional(number),
        findings: required(findings),
      }),
      many,
    ),
  ),
});

export const watchEventView: Decoder<WatchEventView> = shape<WatchEventView>({
  type: required(word("ADDED", "MODIFIED", "DELETED", "BOOKMARK")),
  revision: required(number),
  object: optional(ruleObjectView),
});

/* Proxies */

const typeDeliveryView = shape<TypeDeliveryView>({
  resources: required(number),
  pending: required(number),
  refused: required(number),
  lastAckAt: optional(time),
});

const refusalView = shape<RefusalView>({
  type: required(anyText),
  resource: required(anyText),
  reason: required(anyText),
  at: required(time),
  rules: optional(list(rulePlaceView)),
});

export const proxyView: Decoder<ProxyView> = shape<ProxyView>({
  id: required(anyText),
  kind: required(word("sidecar", "gateway", "proxyless")),
  name: required(anyText),
  namespace: required(anyText),
  client: required(shape<ProxyView["client"]>({ name: required(anyText), version: required(anyText) })),
  connectedSince: optional(time),
  streams: required(number),
  types: required(mapOf(typeDeliveryView)),
  refusals: required(list(refusalView, many)),
  repairs: optional(list(repairView)),
});

export const proxyConfigView: Decoder<ProxyConfigView> = shape<ProxyConfigView>({
  proxy: required(anyText),
  resources: required(
    list(
      shape<ProxyResourceView>({
        type: required(anyText),
        name: required(anyText),
        version: required(anyText),
        state: optional(word("pending", "accepted", "refused")),
        config: required(anything),
        rules: required(list(rulePlaceView)),
        repair: optional(shape<NonNullable<ProxyResourceView["repair"]>>(repairFields)),
      }),
      many,
    ),
  ),
});

/* The server */

const role = word<Role>("viewer", "editor", "admin");

const tokenFields = {
  id: required(anyText),
  name: required(anyText),
  role: required(role),
  createdAt: required(time),
  createdBy: required(anyText),
  expiresAt: optional(time),
  lastUsedAt: optional(time),
};

export const tokenView: Decoder<TokenView> = shape<TokenView>(tokenFields);
export const newTokenView: Decoder<NewTokenView> = shape<NewTokenView>({ ...tokenFields, token: required(anyText) });
export const whoAmIView: Decoder<WhoAmIView> = shape<WhoAmIView>({ name: required(anyText), role: required(role) });
export const readyView: Decoder<ReadyView> = shape<ReadyView>({
  ready: required(boolean),
  reasons: required(list(anyText)),
});
export const versionView: Decoder<VersionView> = shape<VersionView>({
  name: required(anyText),
  version: required(anyText),
  node: required(anyText),
});

const problemDetailView = shape<ProblemDetailView>({
  parameter: optional(anyText),
  code: optional(anyText),
  severity: optional(word("error", "warning")),
  pointer: optional(anyText),
  message: required(anyText),
  hint: optional(anyText),
  rule: optional(anyText),
  document: optional(number),
  source: optional(
    shape<NonNullable<ProblemDetailView["source"]>>({
      file: optional(anyText),
      line: required(positive),
      column: required(positive),
    }),
  ),
});

export const problemView: Decoder<ProblemView> = shape<ProblemView>({
  type: required(anyText),
  title: required(anyText),
  status: required(integer({ min: 400, max: 599 })),
  detail: required(anyText),
  instance: required(anyText),
  requestId: required(anyText),
  code: required(anyText),
  hint: optional(anyText),
  errors: optional(list(problemDetailView, many)),
});

export const ruleListView: Decoder<RuleListView> = shape<RuleListView>({
  items: required(list(ruleObjectView)),
  ...pageFields,
  revision: required(number),
});

/** The shapes that have a name of their own in the published document; others stand where they are used. */
export const namedShapes: Readonly<Record<string, Decoder<unknown>>> = {
  ChangeSet: changeSetView,
  Condition: conditionView,
  Finding: findingView,
  Instance: instanceView,
  Manager: managerView,
  NewToken: newTokenView,
  Origin: originView,
  Port: portView,
  Problem: problemView,
  ProblemDetail: problemDetailView,
  Proxy: proxyView,
  ProxyConfig: proxyConfigView,
  Ready: readyView,
  Refusal: refusalView,
  RegisteredInstance: registeredInstanceView,
  RegisteredService: registeredServiceView,
  Repair: repairView,
  Rule: ruleObjectView,
  RuleFinding: ruleFindingView,
  RuleList: ruleListView,
  RulePlace: rulePlaceView,
  RuleRefusal: ruleRefusalView,
  RuleStatus: ruleStatusView,
  RuleSummary: ruleView,
  Service: serviceView,
  Token: tokenView,
  TypeDelivery: typeDeliveryView,
  Version: versionView,
  WatchEvent: watchEventView,
  WhoAmI: whoAmIView,
};
