import { choice, type Decoder } from "../../base/decode.ts";
import type { Distribution } from "../../model/service.ts";

/** On services, and on namespaces for all services of theirs that say nothing. */
export const distributionAnnotation = "networking.istio.io/traffic-distribution";

/** `Any` takes back what the namespace says. */
export type TrafficDistribution = Exclude<Distribution, "same-node"> | "any";

const values: Readonly<Record<string, TrafficDistribution>> = {
  PreferClose: "prefer-same-zone",
  PreferSameZone: "prefer-same-zone",
  PreferSameNode: "prefer-same-node",
};

/** `spec.trafficDistribution`. */
export const trafficDistribution: Decoder<TrafficDistribution> = choice(values);
export const annotatedDistribution: Decoder<TrafficDistribution> = choice(
  { ...values, Any: "any" },
  { ignoreCase: true },
);
