import type { ExplainPort } from "../api/ports.ts";
import { decode } from "../base/decode.ts";
import type { Signal } from "../base/signal.ts";
import type { World } from "../compile/world.ts";
import type { RuleSet } from "../config/rule-set.ts";
import type { Ledger } from "../delivery/ledger.ts";
import { proxyQuestion } from "../explain/question.ts";
import { explanation } from "../explain/shapes.ts";
import type { ProxyNode } from "../model/proxy.ts";
import type { ResourceCache } from "../snapshot/resource-cache.ts";

export interface ExplainInput {
  readonly ruleSet: Signal<RuleSet>;
  readonly ledger: Pick<Ledger, "proxies" | "receiptsOf">;
  readonly resources: Pick<ResourceCache, "resourcesOf">;
  /** undefined until the registries have all reported. */
  readonly world: Signal<World | undefined>;
}

export const explainFormats: ExplainPort["formats"] = { question: proxyQuestion, answer: explanation };

/** Explains by what a proxy would get now. */
export const createExplainPort = ({ ruleSet, ledger, resources, world }: ExplainInput): ExplainPort => ({
  formats: explainFormats,
  async explain(body) {
    const decoded = decode(proxyQuestion, body);
    if (!decoded.ok) return { kind: "invalid", problems: decoded.problems };
    const { proxy, question } = decoded.value;
    const [node, ...others] = nodesNamed(proxy, ledger);
    if (node === undefined) {
      return { kind: "not-found", message: "No such proxy is known.", hint: "GET /api/v1/proxies lists all." };
    }
    if (others.length > 0) {
      const hint = `Name one by its node.id, such as ${node.id}.`;
      return { kind: "unclear", message: `${1 + others.length} proxies have this name.`, hint };
    }
    const set = resources.resourcesOf(node);
    const present = world.value;
    if (set === undefined || present === undefined) {
      const hint = "Ask again when GET /readyz says so.";
      return { kind: "not-found", message: "The registries have not all reported yet.", hint };
    }
    // The matcher takes time to load, which a start does not have.
    const { explained } = await import("./explain-answer.ts");
    return explained(question, { node, set, world: present, ruleSet: ruleSet.value });
  },
});

/** Who asks much asks by the node.id, which costs no look at all proxies. */
function nodesNamed(wanted: string, { receiptsOf, proxies }: ExplainInput["ledger"]): readonly ProxyNode[] {
  const own = receiptsOf(wanted)?.node;
  if (own !== undefined) return [own];
  const nodes = proxies().map(({ node }) => node);
  return nodes.filter(({ name, namespace }) => wanted === name || wanted === `${name}.${namespace}`);
}
