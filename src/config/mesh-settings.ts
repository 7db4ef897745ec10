import {
  below,
  choice,
  type Decoder,
  decode,
  fail,
  integer,
  list,
  mapped,
  parsed,
  refined,
  type Site,
} from "../base/decode.ts";
import { type ObjectOf, object, required, withDefault } from "../base/decode-object.ts";
import { parseDurationMs } from "../base/duration.ts";
import { parseDocuments, type TextDocument } from "../base/yaml-document.ts";
import { defaultMeshSettings, type MeshSettings } from "../model/mesh-settings.ts";
import { dnsLabel, dnsSubdomain, portNumber } from "./fields.ts";
import type { Finding } from "./finding.ts";
import { labelSelector } from "./label-selector-fields.ts";
import { findingsOf, textFinding } from "./text-findings.ts";

/** A duration within bounds, in milliseconds. */
function duration(minMs: number, maxMs: number): Decoder<number> {
  return mapped(parsed(parseDurationMs, "a duration such as 10s or 1m30s"), (ms, site) => {
    if (ms >= minMs && ms <= maxMs) return ms;
    return fail(site, "invalid-value", `Expected a duration from ${minMs}ms to ${maxMs / 1000}s, found ${ms}ms.`);
  });
}

const hourMs = 3_600_000;

const trafficPolicyModes = choice({ ALLOW_ANY: "ALLOW_ANY", REGISTRY_ONLY: "REGISTRY_ONLY" } as const, {
  unsupported: ["ALLOW_ANY_DYNAMIC_DNS"],
});

/** The settings of Istio's MeshConfig that are carried out; `domain` is ours (Istio takes it from a flag). */
const meshFields = {
  rootNamespace: withDefault(dnsLabel, defaultMeshSettings.rootNamespace),
  discoverySelectors: withDefault(list(labelSelector, { max: 100 }), []),
  domain: withDefault(dnsSubdomain, defaultMeshSettings.domain),
  outboundTrafficPolicy: withDefault(object({ mode: required(trafficPolicyModes) }), {
    mode: defaultMeshSettings.outboundTrafficPolicy,
  }),
  connectTimeout: withDefault(duration(1, hourMs), defaultMeshSettings.connectTimeoutMs),
  dnsRefreshRate: withDefault(duration(1, hourMs), defaultMeshSettings.dnsRefreshRateMs),
  protocolDetectionTimeout: withDefault(duration(0, hourMs), defaultMeshSettings.protocolDetectionTimeoutMs),
  proxyListenPort: withDefault(portNumber, defaultMeshSettings.proxyListenPort),
  proxyInboundListenPort: withDefault(portNumber, defaultMeshSettings.proxyInboundListenPort),
  proxyHttpPort: withDefault(integer({ min: 0, max: 65_535 }), defaultMeshSettings.proxyHttpPort),
} as const;

const unsupportedFields = [
  "accessLogEncoding",
  "accessLogFile",
  "accessLogFormat",
  "ca",
  "caCertificates",
  "certificates",
  "configSources",
  "defaultConfig",
  "defaultDestinationRuleExportTo",
  "defaultHttpRetryPolicy",
  "defaultInboundHttpRetryPolicy",
  "defaultProviders",
  "defaultServiceExportTo",
  "defaultTrafficPolicy",
  "defaultVirtualServiceExportTo",
  "disableEnvoyListenerLog",
  "dnsRefreshRateJitter",
  "enableAutoMtls",
  "enableEnvoyAccessLogService",
  "enablePrometheusMerge",
  "enableTracing",
  "extensionProviders",
  "h2UpgradePolicy",
  "hboneIdleTimeout",
  "inboundClusterStatName",
  "inboundTrafficPolicy",
  "ingressClass",
  "ingressControllerMode",
  "ingressSelector",
  "ingressService",
  "localityLbSetting",
  "meshMTLS",
  "outboundClusterStatName",
  "pathNormalization",
  "serviceEntryVisibility",
  "serviceScopeConfigs",
  "serviceSettings",
  "tcpKeepalive",
  "tlsDefaults",
  "trustDomain",
  "trustDomainAliases",
  "verifyCertificateAtClient",
] as const;

const portFields = ["proxyListenPort", "proxyInboundListenPort", "proxyHttpPort"] as const;

/** One proxy listens on all of them. */
function checkPorts(fields: ObjectOf<typeof meshFields>, site: Site): void {
  const taken = new Map<number, string>();
  for (const name of portFields) {
    const number = fields[name];
    const other = number === 0 ? undefined : taken.get(number);
    taken.set(number, name);
    if (other === undefined) continue;
    fail(below(site, name), "conflict", `${other} has the port ${number} already.`, "Give each its own.");
  }
}

const meshSettings: Decoder<MeshSettings> = mapped(
  refined(object(meshFields, { unsupported: unsupportedFields }), checkPorts),
  ({ outboundTrafficPolicy, connectTimeout, dnsRefreshRate, protocolDetectionTimeout, ...settings }) => ({
    ...settings,
    outboundTrafficPolicy: outboundTrafficPolicy.mode,
    connectTimeoutMs: connectTimeout,
    dnsRefreshRateMs: dnsRefreshRate,
    protocolDetectionTimeoutMs: protocolDetectionTimeout,
  }),
);

export type MeshSettingsRead =
  | { readonly ok: true; readonly settings: MeshSettings; readonly findings: readonly Finding[] }
  | { readonly ok: false; readonly findings: readonly Finding[] };

/** Reads a mesh file: one YAML or JSON document with Istio's field names; an empty text is all defaults. */
export function readMeshSettings(file: string, text: string): MeshSettingsRead {
  const [document, second] = parseDocuments(text);
  if (document === undefined) return { ok: true, settings: defaultMeshSettings, findings: [] };
  const problems = [document, ...(second ? [second] : [])].flatMap((each) => each.problems);
  if (problems.length > 0) return { ok: false, findings: problems.map((problem) => textFinding(problem, file)) };
  if (second !== undefined) return { ok: false, findings: [secondDocument(second, file)] };
  const result = decode(meshSettings, document.value);
  const findings = findingsOf(result.problems, { text: document, file });
  return result.ok ? { ok: true, settings: result.value, findings } : { ok: false, findings };
}

const secondDocument = ({ start }: TextDocument, file: string): Finding => ({
  severity: "error",
  code: "rule/duplicate-document",
  pointer: "",
  file,
  ...start,
  message: "The mesh settings are one document, and this is a second one.",
  hint: "Put all settings into the first.",
});
