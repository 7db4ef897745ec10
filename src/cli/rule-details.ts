import type { ConditionView, RuleObjectView, RuleRefusalView } from "../api/types/rules.ts";
import { formatAge } from "./age.ts";
import type { CliIo } from "./command.ts";
import { formatFindingList } from "./findings-text.ts";
import { type Style, styleFor, type Tone } from "./style.ts";
import { type Cell, formatTable } from "./table.ts";
import { visibleText, wrapText } from "./terminal-text.ts";

const tones: Readonly<Record<ConditionView["status"], Tone>> = { True: "good", False: "bad", Unknown: "caution" };

/** What the server says of one rule, below its row: conditions, findings, and who refused what. */
export function formatRuleDetails(
  { status: { conditions, findings, refusals } }: RuleObjectView,
  io: Pick<CliIo, "now" | "terminal" | "env">,
): string {
  const style = styleFor(io);
  return [
    formatConditions(conditions, io.terminal?.columns, style),
    ...(findings.length === 0 ? [] : [formatFindingList(findings, new Map(), style)]),
    ...refusals.map((one) => formatRefusedBy(one, io.now(), style)),
  ].join("\n");
}

/** Narrower than this no message is readable. */
const minMessageWidth = 30;

/** A table; messages are sentences, and go on below where the terminal ends. */
function formatConditions(conditions: readonly ConditionView[], width: number | undefined, style: Style): string {
  const titles = ["CONDITION", "STATUS", "REASON", "MESSAGE"];
  const heads = conditions.map(({ type, status, reason }) => [type, status, reason]);
  const before = [0, 1, 2].reduce(
    (sum, column) => sum + 2 + Math.max(...[titles, ...heads].map((row) => (row[column] ?? "").length)),
    0,
  );
  const room = width === undefined ? Number.POSITIVE_INFINITY : Math.max(minMessageWidth, width - before);
  const rows = conditions.flatMap(({ type, status, reason, message }) => {
    const [first = "", ...more] = wrapText(visibleText(message), room);
    const row: readonly Cell[] = [type, { text: status, tone: tones[status] }, reason, first];
    return [row, ...more.map((line) => ["", "", "", line])];
  });
  return formatTable(
    titles.map((title) => ({ title })),
    rows,
    style,
  );
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
