import type { ConditionView, RuleObjectView, RuleRefusalView } from "../api/types.ts";
import { formatAge } from "./age.ts";
import { formatFindingList } from "./findings-text.ts";
import type { Style, Tone } from "./style.ts";
import { formatTable } from "./table.ts";
import { visibleText } from "./terminal-text.ts";

const tones: Readonly<Record<ConditionView["status"], Tone>> = { True: "good", False: "bad", Unknown: "caution" };

/** What the server says of one rule, below its row: conditions, findings, and who refused what. */
export function formatRuleDetails({ status }: RuleObjectView, nowMs: number, style: Style): string {
  const conditions = formatTable(
    ["CONDITION", "STATUS", "REASON", "MESSAGE"].map((title) => ({ title })),
    status.conditions.map(({ type, status: is, reason, message }) => [
      type,
      { text: is, tone: tones[is] },
      reason,
      message,
    ]),
    style,
  );
  const findings = status.findings.length === 0 ? [] : [formatFindingList(status.findings, new Map(), style)];
  return [conditions, ...findings, ...status.refusals.map((one) => formatRefusedBy(one, nowMs, style))].join("\n");
}

function formatRefusedBy(
  { proxy, type, resource, reason, at, pointer, file, line, column }: RuleRefusalView,
  nowMs: number,
  style: Style,
): string {
  const place = [file, line, column].filter((part) => part !== undefined).join(":");
  const head = `${style("bad", "refused")} ${type} ${visibleText(resource)} by ${visibleText(proxy)} ${formatAge(Date.parse(at), nowMs)} ago`;
  const where = [place === "" ? "" : style("strong", visibleText(place)), style("quiet", visibleText(pointer))];
  return `${head}\n  ${visibleText(reason)}\n  ${where.filter((part) => part !== "").join("  ")}\n`;
}
