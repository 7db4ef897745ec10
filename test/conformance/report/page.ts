import { type StatementId, statements } from "../statements.ts";
import { variants } from "../variants.ts";
import type { Matrix, Standing } from "./matrix.ts";
import { headline } from "./matrix.ts";

const begin = "<!-- begin: written by `npm run conformance -- --write` -->";
const end = "<!-- end -->";

/** The page with its written part replaced by what these runs saw; throws when it has no such part. */
export function withMatrices(page: string, matrices: readonly Matrix[], date: string): string {
  const [head, rest] = page.split(begin);
  const tail = rest?.split(end)[1];
  if (head === undefined || tail === undefined) throw new Error(`the page has no part between ${begin} and ${end}`);
  return `${head}${begin}\n\n${written(matrices, date)}\n${end}${tail}`;
}

function written(matrices: readonly Matrix[], date: string): string {
  const names = matrices.map(({ target }) => `\`${target}\``);
  const rows = statements.map(([id, level, text]) => [
    id,
    level,
    text,
    ...matrices.map((matrix) => cellOf(matrix, id)),
  ]);
  return [
    `Seen on ${date}:`,
    "",
    ...matrices.map((matrix) => `- ${headline(matrix)} (${Math.round(matrix.tookMs / 1_000)} s).`),
    "",
    `| statement | level | in a few words | ${names.join(" | ")} |`,
    `|${" --- |".repeat(matrices.length + 3)}`,
    ...rows.map((row) => `| ${row.join(" | ")} |`),
    "",
    "### Not applicable",
    "",
    ...matrices.flatMap(notApplicableOf),
    "",
    "### Failures",
    "",
    ...matrices.flatMap(failuresOf),
  ].join("\n");
}

const words: Readonly<Record<Standing, string>> = {
  pass: "holds",
  fail: "**fails**",
  xfail: "fails, as known",
  xpass: "**holds, against what is known**",
  "n/a": "n/a",
  planned: "planned",
  open: "no case yet",
};

/** One word where all variants agree, else a word for each. */
function cellOf({ rows }: Matrix, id: StatementId): string {
  const row = rows.find(({ statement }) => statement === id);
  if (row === undefined) return "";
  if (row.standing === "planned" || row.standing === "open") return words[row.standing];
  const standings = variants.flatMap(({ name }) => {
    const standing = row.cells[name];
    return standing === undefined || standing === "n/a" ? [] : [{ name, standing }];
  });
  if (standings.length === 0) return words["n/a"];
  if (standings.every(({ standing }) => standing === row.standing)) return words[row.standing];
  return standings.map(({ name, standing }) => `${name}: ${words[standing]}`).join("; ");
}

/** By reason: the same one stands for many statements. */
function notApplicableOf({ target, rows }: Matrix): readonly string[] {
  const byReason = Map.groupBy(
    rows.flatMap(({ statement, notApplicable }) => notApplicable.map((reason) => ({ statement, reason }))),
    ({ reason }) => reason,
  );
  return [...byReason].map(
    ([reason, found]) => `- \`${target}\`: ${reason} (${found.map(({ statement }) => statement).join(", ")}).`,
  );
}

/** Of one statement, so many reasons are enough. */
const maxReasons = 3;

function failuresOf({ target, rows }: Matrix): readonly string[] {
  const lines = rows.flatMap(({ statement, reasons }) => {
    // The first line says what was wrong; what follows it are the messages of that one run.
    const texts = new Set(reasons.map((reason) => (reason.split("\n")[0] ?? "").slice(0, 240)));
    return [...texts].slice(0, maxReasons).map((text) => `- ${statement}: ${text}`);
  });
  return lines.length === 0 ? [`\`${target}\`: none.`, ""] : [`\`${target}\`:`, "", ...lines, ""];
}
