import type { Brand } from "../base/brand.ts";
import type { Labels } from "../model/labels.ts";
import type { DestinationRuleSpec } from "./kinds/destination-rule.ts";
import type { GatewaySpec } from "./kinds/gateway.ts";
import type { ServiceEntrySpec } from "./kinds/service-entry.ts";
import type { SidecarSpec } from "./kinds/sidecar.ts";
import type { VirtualServiceSpec } from "./kinds/virtual-service.ts";

/** `Kind/namespace/name`. */
export type RuleKey = Brand<string, "RuleKey">;

/** The typed spec of each kind: what is left of a document once it was decoded without errors. */
export interface RuleSpecs {
  readonly VirtualService: VirtualServiceSpec;
  readonly DestinationRule: DestinationRuleSpec;
  readonly Gateway: GatewaySpec;
  readonly ServiceEntry: ServiceEntrySpec;
  readonly Sidecar: SidecarSpec;
}

export type RuleKind = keyof RuleSpecs;

/** One valid rule. It knows nothing of files and lines, so that moving a document does not change it. */
export interface Rule<K extends RuleKind = RuleKind> {
  readonly key: RuleKey;
  readonly kind: K;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  /** Milliseconds since the epoch, from `metadata.creationTimestamp`; 0 when not given. Older rules win ties. */
  readonly createdAt: number;
  readonly spec: RuleSpecs[K];
}

export type AnyRule = { readonly [K in RuleKind]: Rule<K> }[RuleKind];

export function ruleKey(kind: RuleKind, namespace: string, name: string): RuleKey {
  return `${kind}/${namespace}/${name}` as RuleKey;
}
