import type { JsonPointer } from "../base/json-pointer.ts";
import type { Rule } from "../config/rule.ts";
import type { Origin } from "../envoy/provenance.ts";
import type { Instance } from "../model/instance.ts";
import type { Service } from "../model/service.ts";

export type RuleOrigin = Extract<Origin, { readonly kind: "rule" }>;

export const fromRule = ({ key }: Pick<Rule, "key">, pointer: JsonPointer): RuleOrigin => ({
  kind: "rule",
  rule: key,
  pointer,
});

/** A place further down in the same rule. */
export const below = (origin: RuleOrigin, path: string): RuleOrigin => ({
  ...origin,
  pointer: `${origin.pointer}${path}`,
});

export const fromSetting = (name: string): Origin => ({ kind: "setting", name });

/** A service that a ServiceEntry made comes from that rule. */
export function fromService({ origin, key }: Service): Origin {
  return origin.kind === "rule"
    ? { kind: "rule", rule: origin.rule, pointer: "/spec" }
    : { kind: "registry", registry: origin.registry, service: key };
}

export function fromInstance(service: Service, instance: Instance): Origin {
  if (service.origin.kind === "registry") {
    return { kind: "registry", registry: instance.registry, service: service.key, instance: instance.id };
  }
  const index = instance.id.slice(instance.id.lastIndexOf("/") + 1);
  return { kind: "rule", rule: service.origin.rule, pointer: `/spec/endpoints/${index}` };
}
