import type { ExplainOutcome } from "../api/ports.ts";
import { MeshError } from "../base/errors.ts";
import type { RuleKey } from "../config/rule.ts";
import type { RuleSet } from "../config/rule-set.ts";
import { resourcesIn } from "../envoy/proxy-resources.ts";
import type { ResourceSet } from "../envoy/resource-set.ts";
import { Unsupported } from "../explain/condition.ts";
import { explain } from "../explain/explain.ts";
import type { Question } from "../explain/question.ts";
import { semanticsOfClient } from "../explain/semantics.ts";
import type { ProxyNode } from "../model/proxy.ts";

/** What becomes of a request that this proxy gets, by these resources. */
export function explained(question: Question, node: ProxyNode, set: ResourceSet, ruleSet: RuleSet): ExplainOutcome {
  const locate = (rule: string, pointer: string) => {
    const { pointer: _, ...place } = ruleSet.locate(rule as RuleKey, pointer);
    return place;
  };
  try {
    const answer = explain({ resources: resourcesIn(set), locate }, question, semanticsOfClient(node.client));
    return { kind: "done", explanation: answer };
  } catch (error) {
    if (error instanceof Unsupported) return { kind: "unclear", message: `It cannot be said: ${error.message}.` };
    if (!(error instanceof MeshError) || error.code !== "input/invalid") throw error;
    const message = `${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}.`;
    return { kind: "unclear", message, ...(error.hint !== undefined && { hint: error.hint }) };
  }
}
