import { count, type SourceTexts } from "./findings-text.ts";
import { originLines } from "./origin-lines.ts";
import {
  type Counts,
  countsOf,
  type Failure,
  type SuiteResult,
  type TestResult,
  unseenText,
} from "./route-test-results.ts";
import { formatExcerpt } from "./source-excerpt.ts";
import type { Style, Tone } from "./style.ts";
import { visibleText } from "./terminal-text.ts";

interface Shown {
  readonly blind: string;
  readonly ms: number;
  readonly sources: SourceTexts;
  readonly style: Style;
}

/** A line for each test, more for those that failed, and the sum at the end. */
export function formatResults(suites: readonly SuiteResult[], shown: Shown): string {
  const { style, blind, ms } = shown;
  const blocks = suites.map(({ name, file, tests }) => {
    const head = suites.length > 1 ? `${style("strong", visibleText(name))}\n` : "";
    return head + tests.map((test) => formatTest(test, file, shown)).join("");
  });
  const tests = suites.flatMap((suite) => suite.tests);
  const unseen = tests.reduce((sum, one) => sum + one.unseen.length, 0);
  const note = unseen === 0 ? "" : `${style("caution", "!")} ${count(unseen, "expectation")} ${blind}\n`;
  return `${blocks.join("\n")}\n${note}${formatCounts(countsOf(tests), ms, style)}`;
}

const marks: Readonly<Record<TestResult["verdict"], readonly [mark: string, tone: Tone]>> = {
  passed: ["✓", "good"],
  failed: ["✗", "bad"],
  skipped: ["–", "caution"],
};

function formatTest({ name, verdict, failures, reason, unseen }: TestResult, file: string, shown: Shown): string {
  const { style, blind } = shown;
  const [mark, tone] = marks[verdict];
  const said = reason ?? (unseen.length === 0 ? undefined : unseenText(unseen, blind));
  const note = said === undefined ? "" : style("quiet", `  (${visibleText(said)})`);
  return `${style(tone, mark)} ${visibleText(name)}${note}\n${failures.map((one) => formatFailure(one, file, shown)).join("")}`;
}

/** Where it was expected, what is found instead, and who is behind that. */
function formatFailure({ line, column, message, origins }: Failure, file: string, { sources, style }: Shown): string {
  const text = sources.get(file);
  const place = style("strong", visibleText(`${file}:${line}:${column}`));
  const excerpt = text === undefined ? undefined : formatExcerpt({ text, line, column, tone: "bad", style });
  const behind = originLines(origins, style).map(([, origin]) => `  ${origin}\n`);
  return `${[`${place}  ${visibleText(message)}\n`, excerpt ?? "", ...behind].join("").replace(/^(?=.)/gm, "  ")}`;
}

/** `3 tests: 2 passed, 1 failed (3 ms)` */
function formatCounts({ passed, failed, skipped }: Counts, ms: number, style: Style): string {
  const told = [
    ...(passed > 0 ? [style("good", `${passed} passed`)] : []),
    ...(failed > 0 ? [style("bad", `${failed} failed`)] : []),
    ...(skipped > 0 ? [style("caution", `${skipped} skipped`)] : []),
  ];
  return `${count(passed + failed + skipped, "test")}: ${told.join(", ")} (${ms} ms)\n`;
}
