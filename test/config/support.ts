import { decode } from "../../src/base/decode.ts";
import type { FileText } from "../../src/base/read-files.ts";
import type { Finding } from "../../src/config/finding.ts";
import { loadRuleSet } from "../../src/config/load.ts";
import type { RuleKind } from "../../src/config/rule.ts";
import { ruleKinds } from "../../src/config/rule-kinds.ts";
import { emptyRuleSet, type RuleSet } from "../../src/config/rule-set.ts";

export const file = (name: string, text: string): FileText => ({ kind: "text", file: name, text });

/** The rules of one file, read for the first time. */
export const rulesOf = (text: string, name = "rules.yaml"): RuleSet => loadRuleSet(emptyRuleSet, [file(name, text)]);

/** A finding as `fairway check` prints it. */
export const line = ({ file, line, column, severity, code, pointer, message, hint }: Finding): string =>
  `${file}:${line}:${column} ${severity} ${code} ${pointer} ${message}${hint === undefined ? "" : ` ${hint}`}`;

export const findings = (ruleSet: Pick<RuleSet, "documents">): readonly string[] =>
  ruleSet.documents.flatMap((document) => document.findings.map(line));

/** What a spec decodes to, or `code pointer message hint` of each problem; warnings come before the value. */
export function decodeSpec(kind: RuleKind, spec: unknown): unknown {
  const result = decode<unknown>(ruleKinds[kind], spec, "/spec");
  const problems = result.problems.map(({ severity, code, pointer, message, hint }) =>
    [
      ...(severity === "warning" ? ["warning:"] : []),
      code,
      pointer,
      message,
      ...(hint === undefined ? [] : [hint]),
    ].join(" "),
  );
  return problems.length === 0 && result.ok ? result.value : result.ok ? [...problems, result.value] : problems;
}

/** A small valid VirtualService. */
export const virtualService = (name: string, { namespace = "default", host = name, extra = "" } = {}): string =>
  [
    "apiVersion: networking.istio.io/v1",
    "kind: VirtualService",
    `metadata: {name: ${name}, namespace: ${namespace}}`,
    "spec:",
    `  hosts: [${host}]`,
    "  http:",
    `    - route: [{destination: {host: ${host}}}]`,
    ...(extra === "" ? [] : [`      ${extra}`]),
    "",
  ].join("\n");
