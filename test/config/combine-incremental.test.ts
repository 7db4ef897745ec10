import fc from "fast-check";
import { expect, test } from "vitest";
import { providersOf } from "../../src/config/checks/providers.ts";
import { combineRuleSets } from "../../src/config/combine-rule-sets.ts";
import { loadRuleSet } from "../../src/config/load.ts";
import type { RuleKey } from "../../src/config/rule.ts";
import { emptyRuleSet, type RuleDocument, type RuleSet } from "../../src/config/rule-set.ts";
import { file } from "./support.ts";

const domain = "cluster.local";
const kinds = ["VirtualService", "DestinationRule", "ServiceEntry", "Gateway"] as const;
const hosts = ["reviews", "api.example.com", '"*.example.com"'] as const;

const specs: Readonly<Record<(typeof kinds)[number], (host: string) => string>> = {
  VirtualService: (host) => `{hosts: [a], http: [{route: [{destination: {host: ${host}}}]}]}`,
  DestinationRule: (host) => `{host: ${host}, subsets: [{name: v1, labels: {version: v1}}]}`,
  ServiceEntry: (host) => `{hosts: [${host}, other.example.com], resolution: STATIC, endpoints: [{address: 10.0.0.9}]}`,
  Gateway: (host) => `{servers: [{port: {number: 80, name: a, protocol: HTTP}, hosts: [${host}]}]}`,
};

const identity = fc.record({ kind: fc.constantFrom(...kinds), name: fc.constantFrom("a", "b", "c") });
const document = fc
  .record({ identity, host: fc.constantFrom(...hosts, undefined) })
  .map(({ identity: { kind, name }, host }) => {
    const spec = host === undefined ? "{broken: 7}" : specs[kind](host);
    return `apiVersion: networking.istio.io/v1\nkind: ${kind}\nmetadata: {name: ${name}, namespace: shop}\nspec: ${spec}\n`;
  });
/** What one of the sources says next. */
const step = fc.record({
  source: fc.nat(2),
  text: fc.array(document, { maxLength: 6 }).map((all) => all.join("---\n")),
});

const keyOf = ({ kind, namespace, name }: RuleDocument): RuleKey => `${kind}/${namespace}/${name}` as RuleKey;

const hasKey = ({ rules, documentsOf }: RuleSet, key: RuleKey): boolean =>
  rules.has(key) || documentsOf(key).length > 0;

const keysIn = (sources: readonly RuleSet[]): readonly RuleKey[] => [
  ...new Set(sources.flatMap(({ rules, documents }) => [...rules.keys(), ...documents.map(keyOf)])),
];

test("after any changes rules, documents and what they provide are those of the sources as they are", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
      let sources: readonly RuleSet[] = [emptyRuleSet, emptyRuleSet, emptyRuleSet];
      let combined = combineRuleSets(emptyRuleSet, sources);
      for (const { source, text } of steps) {
        const before = combined;
        // From here on it is carried along.
        providersOf(before.rules, domain);
        sources = sources.map((one, index) =>
          index === source ? loadRuleSet(one, [file(`${source}.yaml`, text)]) : one,
        );
        combined = combineRuleSets(before, sources);

        const keys = keysIn(sources);
        const expected = keys.flatMap((key) => sources.find((one) => hasKey(one, key))?.rules.get(key) ?? []);
        expect([...combined.rules.values()]).toEqual(expected.sort((a, b) => (a.key < b.key ? -1 : 1)));
        const anew = combineRuleSets(emptyRuleSet, sources);
        expect(combined.documents).toEqual(anew.documents);
        expect(combined.documents.map(({ findings }) => findings[0]?.code === "rule/managed-elsewhere")).toEqual(
          sources.flatMap(({ documents }, index) =>
            documents.map((one) => sources.slice(0, index).some((earlier) => hasKey(earlier, keyOf(one)))),
          ),
        );
        for (const key of keys) {
          expect(combined.documentsOf(key)).toEqual(combined.documents.filter((one) => keyOf(one) === key));
        }
        for (const rule of expected) {
          if (before.rules.get(rule.key) === rule) expect(combined.rules.get(rule.key)).toBe(rule);
        }
        expect(providersOf(combined.rules, domain)).toEqual(providersOf(new Map(combined.rules), domain));
      }
    }),
    { numRuns: 60 },
  );
});
