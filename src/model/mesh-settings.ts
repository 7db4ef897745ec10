import type { LabelSelector } from "./label-selector.ts";

/** What holds for the whole mesh; names and defaults are those of Istio's MeshConfig. */
export interface MeshSettings {
  /** Rules in this namespace apply to all others. */
  readonly rootNamespace: string;
  /** The suffix of host names, `<service>.<namespace>.svc.<domain>`. */
  readonly domain: string;
  /** Of a platform whose namespaces have labels: those of which anything is taken are selected by one of these. None: all of them. */
  readonly discoverySelectors: readonly LabelSelector[];
  /** What a sidecar does with requests to hosts that no registry knows. */
  readonly outboundTrafficPolicy: "ALLOW_ANY" | "REGISTRY_ONLY";
  readonly connectTimeoutMs: number;
  /** How often a proxy resolves a host name whose answer carries no time to live. */
  readonly dnsRefreshRateMs: number;
  /** Where captured connections come in, from the workload and to it. */
  readonly proxyListenPort: number;
  readonly proxyInboundListenPort: number;
  /** The port of each sidecar's loopback address where applications find an HTTP proxy; 0: none. */
  readonly proxyHttpPort: number;
  /** How long a proxy waits for the first bytes by which it recognises a protocol; then it is taken for TCP. 0: for ever. */
  readonly protocolDetectionTimeoutMs: number;
}

export const defaultMeshSettings: MeshSettings = {
  rootNamespace: "istio-system",
  domain: "cluster.local",
  discoverySelectors: [],
  outboundTrafficPolicy: "ALLOW_ANY",
  connectTimeoutMs: 10_000,
  dnsRefreshRateMs: 60_000,
  proxyListenPort: 15_001,
  proxyInboundListenPort: 15_006,
  proxyHttpPort: 0,
  protocolDetectionTimeoutMs: 0,
};
