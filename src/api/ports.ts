import type { FindingView, ProxyView, ReadyView, RuleView, ServiceView } from "./types.ts";

/** What the API asks of the rest of the house: the present, as plain values. Each call is answered from memory. */
export interface ApiPorts {
  readonly services: () => readonly ServiceView[];
  readonly rules: () => readonly RuleView[];
  readonly findings: () => readonly FindingView[];
  readonly proxies: () => readonly ProxyView[];
  readonly ready: () => ReadyView;
  /** Prometheus text exposition. */
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
}
