import type { JsonPointer } from "../../base/json-pointer.ts";
import { memoize } from "../../base/memo.ts";
import { expandShortName, type Hostname, parseHostname } from "../../model/hostname.ts";
import { type AnyRule, type Rule, type RuleKey, ruleKey } from "../rule.ts";

/** What a rule refers to. Equal targets have equal labels, which are for people too. */
export type Target = { readonly label: string } & (
  | /** `written`: the host; where it is no host name (an IP address), the text of the rule. */
  { readonly kind: "host"; readonly host: Hostname | undefined; readonly written: string }
  | { readonly kind: "subset"; readonly host: Hostname; readonly subset: string }
  | { readonly kind: "gateway"; readonly gateway: RuleKey; readonly namespace: string; readonly name: string }
);

export type TargetOf<K extends Target["kind"]> = Extract<Target, { readonly kind: K }>;

/** A field of a rule that names something else. */
export interface Reference {
  readonly pointer: JsonPointer;
  readonly target: Target;
}

/** What a rule refers to: hosts, then subsets, then gateways, each in the order of the document. Remembered by the rule. */
export const referencesOf: (rule: AnyRule, domain: string) => readonly Reference[] = memoize((rule, domain) => {
  if (rule.kind === "VirtualService") return virtualServiceReferences(rule, domain);
  return rule.kind === "DestinationRule"
    ? [{ pointer: "/spec/host", target: hostTarget(rule.spec.host, rule, domain) }]
    : none;
});

const none: readonly Reference[] = Object.freeze([]);

function hostTarget(text: string, { namespace }: Rule, domain: string): TargetOf<"host"> {
  const host = parseHostname(expandShortName(text, namespace, domain));
  const written = host ?? text;
  return { kind: "host", host, written, label: `the host ${written}` };
}

export const subsetTarget = (host: Hostname, subset: string): TargetOf<"subset"> => ({
  kind: "subset",
  host,
  subset,
  label: `the subset ${subset} of ${host}`,
});

function virtualServiceReferences(rule: Rule<"VirtualService">, domain: string): readonly Reference[] {
  const destinations = rule.spec.http.flatMap(({ route }, i) =>
    route.map((destination, j) => ({
      pointer: `/spec/http/${i}/route/${j}/destination`,
      target: hostTarget(destination.host, rule, domain),
      subset: destination.subset,
    })),
  );
  return [
    ...destinations.map(({ pointer, target }): Reference => ({ pointer: `${pointer}/host`, target })),
    ...destinations.flatMap(({ pointer, target: { host }, subset }): readonly Reference[] =>
      host === undefined || subset === undefined
        ? []
        : [{ pointer: `${pointer}/subset`, target: subsetTarget(host, subset) }],
    ),
    ...rule.spec.gateways.flatMap((text, index): readonly Reference[] => {
      if (text === "mesh") return [];
      const { namespace, name } = gatewayNamed(text, rule.namespace);
      const gateway = ruleKey("Gateway", namespace, name);
      return [
        { pointer: `/spec/gateways/${index}`, target: { kind: "gateway", gateway, namespace, name, label: gateway } },
      ];
    }),
  ];
}

/** `name`, `namespace/name`, `./name`, or the old form `name.namespace.svc.…`, as a rule in `own` means it. */
function gatewayNamed(text: string, own: string): { readonly namespace: string; readonly name: string } {
  const [before = "", after] = text.split("/");
  if (after !== undefined) return { namespace: before === "." ? own : before, name: after };
  const [name = "", namespace = own] = text.split(".");
  return { namespace, name };
}
