import type { Labels } from "../../model/labels.ts";

export type SimpleLoadBalancer = "LEAST_REQUEST" | "RANDOM" | "ROUND_ROBIN" | "PASSTHROUGH";

export interface TrafficPolicy {
  readonly loadBalancer?: { readonly simple: SimpleLoadBalancer };
}

/** A named group of a service's instances, in everyday words a version. */
export interface Subset {
  readonly name: string;
  readonly labels: Labels;
  /** Its blocks replace those of the rule, block by block. */
  readonly trafficPolicy?: TrafficPolicy;
}

/** A DestinationRule (`networking.istio.io`): subsets of a host, and how clients connect to it. */
export interface DestinationRuleSpec {
  /** As written; may be a wildcard. */
  readonly host: string;
  readonly trafficPolicy?: TrafficPolicy;
  readonly subsets: readonly Subset[];
}
