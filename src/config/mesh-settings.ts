import { choice, type Decoder, decode, fail, mapped, parsed } from "../base/decode.ts";
import { object, required, withDefault } from "../base/decode-object.ts";
import { parseDurationMs } from "../base/duration.ts";
import { parseDocuments, type TextDocument } from "../base/yaml-document.ts";
import { defaultMeshSettings, type MeshSettings } from "../model/mesh-settings.ts";
import { dnsLabel, dnsSubdomain } from "./fields.ts";
import type { Finding } from "./finding.ts";
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
const meshFields = object(
  {
    rootNamespace: withDefault(dnsLabel, defaultMeshSettings.rootNamespace),
    domain: withDefault(dnsSubdomain, defaultMeshSettings.domain),
    outboundTrafficPolicy: withDefault(object({ mode: required(trafficPolicyModes) }), {
      mode: defaultMeshSettings.outboundTrafficPolicy,
    }),
    connectTimeout: withDefault(duration(1, hourMs), defaultMeshSettings.connectTimeoutMs),
    dnsRefreshRate: withDefault(duration(1, hourMs), defaultMeshSettings.dnsRefreshRateMs),
  },
  {
    unsupported: [
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
      "discoverySelectors",
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
      "protocolDetectionTimeout",
      "proxyHttpPort",
      "proxyInboundListenPort",
      "proxyListenPort",
      "serviceEntryVisibility",
      "serviceScopeConfigs",
      "serviceSettings",
      "tcpKeepalive",
      "tlsDefaults",
      "trustDomain",
      "trustDomainAliases",
      "verifyCertificateAtClient",
    ],
  },
);

const meshSettings: Decoder<MeshSettings> = mapped(
  meshFields,
  ({ rootNamespace, domain, outboundTrafficPolicy, connectTimeout, dnsRefreshRate }) => ({
    rootNamespace,
    domain,
    outboundTrafficPolicy: outboundTrafficPolicy.mode,
    connectTimeoutMs: connectTimeout,
    dnsRefreshRateMs: dnsRefreshRate,
    proxyListenPort: defaultMeshSettings.proxyListenPort,
    proxyInboundListenPort: defaultMeshSettings.proxyInboundListenPort,
    proxyHttpPort: defaultMeshSettings.proxyHttpPort,
    protocolDetectionTimeoutMs: defaultMeshSettings.protocolDetectionTimeoutMs,
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
