import type { Log } from "../base/log.ts";
import type { Signal } from "../base/signal.ts";
import type { RuleDocument, RuleSet } from "../config/rule-set.ts";

/** Logs what is wrong with rules, now and whenever a document comes to have something wrong; once each. */
export function logFindings(ruleSet: Signal<RuleSet>, log: Log): () => void {
  let before: readonly RuleDocument[] = [];
  const tell = ({ documents }: RuleSet): void => {
    if (documents === before) return;
    const known = new Set(before.filter(hasFindings));
    before = documents;
    for (const document of documents) if (hasFindings(document) && !known.has(document)) logDocument(document, log);
  };
  tell(ruleSet.value);
  return ruleSet.subscribe(tell);
}

const hasFindings = ({ findings }: RuleDocument): boolean => findings.length > 0;

function logDocument({ findings, kind, namespace, name }: RuleDocument, log: Log): void {
  for (const { severity, message, ...finding } of findings) {
    const fields = { ...finding, rule: `${kind}/${namespace}/${name}`, problem: message };
    log[severity === "error" ? "error" : "warn"](fields, "finding in a rule");
  }
}
