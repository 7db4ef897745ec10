/** What holds for the whole mesh; names and defaults are those of Istio's MeshConfig. */
export interface MeshSettings {
  /** Rules in this namespace apply to all others. */
  readonly rootNamespace: string;
  /** The suffix of host names, `<service>.<namespace>.svc.<domain>`. */
  readonly domain: string;
  /** What a sidecar does with requests to hosts that no registry knows. */
  readonly outboundTrafficPolicy: "ALLOW_ANY" | "REGISTRY_ONLY";
  readonly connectTimeoutMs: number;
  /** How often a proxy resolves a host name whose answer carries no time to live. */
  readonly dnsRefreshRateMs: number;
}

export const defaultMeshSettings: MeshSettings = {
  rootNamespace: "istio-system",
  domain: "cluster.local",
  outboundTrafficPolicy: "ALLOW_ANY",
  connectTimeoutMs: 10_000,
  dnsRefreshRateMs: 60_000,
};
