import { nearest } from "../../base/nearest.ts";
import { ruleKey } from "../rule.ts";
import { rulesOfKind } from "../rule-set.ts";
import type { Check } from "./references.ts";

/** Gateways that a VirtualService is bound to and that do not exist. */
export const checkUnknownGateways: Check = ({ virtualServices, rules }) => {
  const gateways = rulesOfKind(rules.values(), "Gateway").map(({ namespace, name }) => `${namespace}/${name}`);
  return virtualServices.flatMap((rule) =>
    rule.spec.gateways.flatMap((text, index) => {
      if (text === "mesh") return [];
      const { namespace, name } = gatewayNamed(text, rule.namespace);
      if (rules.has(ruleKey("Gateway", namespace, name))) return [];
      const near = nearest(`${namespace}/${name}`, gateways);
      return [
        {
          rule: rule.key,
          pointer: `/spec/gateways/${index}`,
          code: "rule/unknown-gateway",
          message: `There is no Gateway ${name} in the namespace ${namespace}.`,
          hint: near === undefined ? "Write the Gateway, or remove its name here." : `Did you mean ${near}?`,
        },
      ];
    }),
  );
};

/** `name`, `namespace/name`, `./name`, or the old form `name.namespace.svc.…`, as a rule in `own` means it. */
function gatewayNamed(text: string, own: string): { readonly namespace: string; readonly name: string } {
  const [before = "", after] = text.split("/");
  if (after !== undefined) return { namespace: before === "." ? own : before, name: after };
  const [name = "", namespace = own] = text.split(".");
  return { namespace, name };
}
