import { type Decoder, show } from "../base/decode.ts";
import { nearest } from "../base/nearest.ts";
import type { FindingCode } from "./finding.ts";
import { destinationRule } from "./kinds/destination-rule.ts";
import { gateway } from "./kinds/gateway.ts";
import { serviceEntry } from "./kinds/service-entry.ts";
import { sidecar } from "./kinds/sidecar.ts";
import { virtualService } from "./kinds/virtual-service.ts";
import type { RuleKind, RuleSpecs } from "./rule.ts";

/** The kinds of rules that are carried out, and how the spec of each is decoded. */
export const ruleKinds: { readonly [K in RuleKind]: Decoder<RuleSpecs[K]> } = {
  VirtualService: virtualService,
  DestinationRule: destinationRule,
  Gateway: gateway,
  ServiceEntry: serviceEntry,
  Sidecar: sidecar,
};

const plurals: Readonly<Record<RuleKind, string>> = {
  VirtualService: "virtualservices",
  DestinationRule: "destinationrules",
  Gateway: "gateways",
  ServiceEntry: "serviceentries",
  Sidecar: "sidecars",
};

/** The kind's word in URLs. */
export const pluralOf = (kind: RuleKind): string => plurals[kind];

const ours = `These are carried out: ${Object.keys(ruleKinds).join(", ")}.`;

const group = "networking.istio.io";

/** Newest first; the schemas are the same. */
export const apiVersions: readonly string[] = ["v1", "v1beta1", "v1alpha3"].map((version) => `${group}/${version}`);

/** Kinds of these APIs that are not carried out yet, by API group. */
const unsupportedKinds: Readonly<Record<string, readonly string[]>> = {
  [group]: ["EnvoyFilter", "ProxyConfig", "WorkloadEntry", "WorkloadGroup"],
  "security.istio.io": ["AuthorizationPolicy", "PeerAuthentication", "RequestAuthentication"],
  "telemetry.istio.io": ["Telemetry"],
  "extensions.istio.io": ["TrafficExtension", "WasmPlugin"],
  "gateway.networking.k8s.io": [
    "BackendTLSPolicy",
    "Gateway",
    "GatewayClass",
    "GRPCRoute",
    "HTTPRoute",
    "ListenerSet",
    "ReferenceGrant",
    "TCPRoute",
    "TLSRoute",
    "UDPRoute",
  ],
  "gateway.networking.x-k8s.io": ["XBackend", "XBackendTrafficPolicy", "XListenerSet", "XMesh"],
  "networking.k8s.io": ["Ingress", "IngressClass"],
};

export type KindLookup =
  | { readonly known: true; readonly kind: RuleKind }
  | {
      readonly known: false;
      /** Where the fault is. */
      readonly pointer: "/kind" | "/apiVersion";
      readonly code: Extract<FindingCode, "rule/unknown-kind" | "rule/unsupported-kind">;
      readonly message: string;
      readonly hint?: string;
      /** It may be a rule of ours with a slip of the pen in its kind. */
      readonly misspelt: boolean;
    };

const isRuleKind = (kind: string): kind is RuleKind => Object.hasOwn(ruleKinds, kind);

/** What a document is, by its `apiVersion` and `kind`. */
export function lookUpKind(apiVersion: string, kind: string): KindLookup {
  const [theirGroup = ""] = apiVersion.split("/");
  if (isRuleKind(kind) && apiVersions.includes(apiVersion)) return { known: true, kind };
  if (Object.hasOwn(unsupportedKinds, theirGroup) && unsupportedKinds[theirGroup]?.includes(kind)) {
    const message = `The kind ${kind} of ${theirGroup} is not carried out yet.`;
    return { known: false, pointer: "/kind", code: "rule/unsupported-kind", message, hint: ours, misspelt: false };
  }
  return isRuleKind(kind) ? unknownVersion(apiVersion, kind) : unknownKind(apiVersion, kind);
}

function unknownVersion(apiVersion: string, kind: RuleKind): KindLookup {
  return {
    known: false,
    pointer: "/apiVersion",
    code: "rule/unknown-kind",
    message: `There is no ${kind} in ${show(apiVersion)}.`,
    hint: `Did you mean ${nearest(apiVersion, apiVersions) ?? apiVersions[0]}?`,
    misspelt: true,
  };
}

function unknownKind(apiVersion: string, kind: string): KindLookup {
  const near = nearest(kind, [...Object.keys(ruleKinds), ...Object.values(unsupportedKinds).flat()]);
  return {
    known: false,
    pointer: "/kind",
    code: "rule/unknown-kind",
    message: `${show(kind)} of ${show(apiVersion)} is no kind of rule.`,
    hint: near === undefined ? ours : `Did you mean ${near}?`,
    misspelt: near !== undefined,
  };
}
