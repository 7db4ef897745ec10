import { expect, test } from "vitest";
import { logFindings } from "../../src/app/log-findings.ts";
import { createLog } from "../../src/base/log.ts";
import { createSignal } from "../../src/base/signal.ts";
import { emptyRuleSet, type RuleDocument, type RuleSet } from "../../src/config/rule-set.ts";

const document = (name: string, message?: string): RuleDocument => ({
  ...{ kind: "VirtualService", namespace: "shop", name },
  verdict: message === undefined ? "valid" : "refused",
  findings:
    message === undefined
      ? []
      : [{ severity: "error", code: "rule/invalid-value", pointer: "/spec", line: 7, message }],
});
const ruleSet = (...documents: readonly RuleDocument[]): RuleSet => ({ ...emptyRuleSet, documents });

test("each finding is logged once, however often other rules change", () => {
  const lines: Record<string, unknown>[] = [];
  const log = createLog({ level: "info", format: "json", write: (line) => lines.push(JSON.parse(line)) });
  const told = () => lines.splice(0).map(({ level, rule, line, problem }) => [level, rule, line, problem]);
  const broken = document("a", "It is wrong.");
  const rules = createSignal(ruleSet(broken, document("b")));

  const stop = logFindings(rules, log);
  expect(told()).toEqual([["error", "VirtualService/shop/a", 7, "It is wrong."]]);
  rules.set(ruleSet(broken, document("b"), document("c")));
  expect(told()).toEqual([]);
  rules.set(ruleSet(document("a", "It is worse.")));
  expect(told()).toEqual([["error", "VirtualService/shop/a", 7, "It is worse."]]);
  stop();
  rules.set(ruleSet(broken));
  expect(told()).toEqual([]);
});
