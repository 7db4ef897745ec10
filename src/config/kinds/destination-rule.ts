import { choice, type Decoder, fail, list, refined } from "../../base/decode.ts";
import { object, optional, required, withDefault } from "../../base/decode-object.ts";
import { hasField } from "../../base/json-schema.ts";
import type { Labels } from "../../model/labels.ts";
import { dnsLabel, hostOrWildcard, labels } from "../fields.ts";
import { checkUnique } from "../unique.ts";

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

const simple = choice<SimpleLoadBalancer>({
  LEAST_REQUEST: "LEAST_REQUEST",
  RANDOM: "RANDOM",
  ROUND_ROBIN: "ROUND_ROBIN",
  PASSTHROUGH: "PASSTHROUGH",
  // The old name, and the word for "the default".
  LEAST_CONN: "LEAST_REQUEST",
  UNSPECIFIED: "LEAST_REQUEST",
});

const loadBalancer = object(
  { simple: withDefault(simple, "LEAST_REQUEST") },
  { unsupported: ["consistentHash", "localityLbSetting", "warmupDurationSecs", "warmup", "zoneAwareLbSetting"] },
);

const trafficPolicy: Decoder<TrafficPolicy> = refined(
  object(
    { loadBalancer: optional(loadBalancer) },
    {
      unsupported: [
        "connectionPool",
        "outlierDetection",
        "tls",
        "portLevelSettings",
        "tunnel",
        "proxyProtocol",
        "retryBudget",
      ],
    },
  ),
  (policy, site) => {
    if (Object.keys(policy).length > 0) return;
    fail(site, "invalid-value", "The traffic policy says nothing.", "Fill it in, or remove it.");
  },
  { anyOf: [hasField("loadBalancer", { type: "object" })] },
);

const subset: Decoder<Subset> = object({
  name: required(dnsLabel),
  labels: withDefault(labels, {}),
  trafficPolicy: optional(trafficPolicy),
});

const subsets = refined(
  list(subset),
  (items, site) => checkUnique(items, ({ name }) => name, { site, step: ["name"], what: "subset" }),
  { uniqueItems: true },
);

export const destinationRule: Decoder<DestinationRuleSpec> = object(
  { host: required(hostOrWildcard), trafficPolicy: optional(trafficPolicy), subsets: withDefault(subsets, []) },
  { unsupported: ["exportTo", "workloadSelector"] },
);
