import type { ExplainOutcome } from "../api/ports.ts";
import { workloadIn } from "../compile/dialled.ts";
import type { World } from "../compile/world.ts";
import { placesIn, type RuleSet } from "../config/rule-set.ts";
import { resourcesIn } from "../envoy/proxy-resources.ts";
import type { ResourceSet } from "../envoy/resource-set.ts";
import { answerTo } from "../explain/answer.ts";
import type { Question } from "../explain/question.ts";
import { semanticsOfClient } from "../explain/semantics.ts";
import type { ProxyNode } from "../model/proxy.ts";

/** What is known of a proxy. */
export interface KnownProxy {
  readonly node: ProxyNode;
  readonly set: ResourceSet;
  readonly world: World;
  readonly ruleSet: RuleSet;
}

/** What becomes of a request that this proxy gets. */
export function explained(question: Question, { node, set, world, ruleSet }: KnownProxy): ExplainOutcome {
  const configuration = { resources: resourcesIn(set), locate: placesIn(ruleSet), workload: workloadIn(world, node) };
  const answer = answerTo(configuration, question, semanticsOfClient(node.client));
  if (answer.kind === "told") return { kind: "done", explanation: answer.explanation };
  const { message, hint } = answer;
  const sentence = `${message.charAt(0).toUpperCase()}${message.slice(1)}.`;
  return { kind: "unclear", message: sentence, ...(hint !== undefined && { hint }) };
}
