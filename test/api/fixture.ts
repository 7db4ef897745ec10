import type { ApiPorts } from "../../src/api/ports.ts";
import type { FindingView, ProxyView, RuleView, ServiceView, VersionView } from "../../src/api/types.ts";
import { createLog } from "../../src/base/log.ts";

export const version: VersionView = { name: "fairway", version: "0.0.0-test", node: "24.0.0" };

export const silent = createLog({ level: "silent", format: "json", write: () => {} });

export const service = (namespace: string, name: string): ServiceView => ({
  host: `${name}.${namespace}.svc.cluster.local`,
  namespace,
  ports: [{ name: "http", number: 9080, protocol: "http" }],
  resolution: "instances",
  external: false,
  origin: { kind: "registry", registry: "file" },
  instances: [],
});

export const proxy = (id: string, part: Partial<ProxyView> = {}): ProxyView => ({
  id,
  kind: "sidecar",
  name: id,
  namespace: "shop",
  client: { name: "envoy", version: "1.40.0" },
  connectedSince: "2026-11-22T05:00:00.000Z",
  streams: 1,
  types: {},
  refusals: [],
  ...part,
});

export const rule = (part: Partial<RuleView> = {}): RuleView => ({
  kind: "VirtualService",
  namespace: "shop",
  name: "reviews",
  verdict: "valid",
  inForce: "current",
  findings: [],
  ...part,
});

export const finding = (part: Partial<FindingView> = {}): FindingView => ({
  about: { kind: "VirtualService", namespace: "shop", name: "reviews" },
  code: "rule/invalid-value",
  severity: "error",
  pointer: "/spec",
  message: "It is wrong.",
  ...part,
});

export const ports = (part: Partial<ApiPorts> = {}): ApiPorts => ({
  services: () => [],
  rules: () => [],
  findings: () => [],
  proxies: () => [],
  ready: () => ({ ready: true, reasons: [] }),
  metrics: async () => ({ contentType: "text/plain; version=0.0.4; charset=utf-8", text: "fairway_up 1\n" }),
  ...part,
});
