import { originLines } from "./origin-lines.ts";
import { countsOf, type Failure, type SuiteResult, type TestResult, unseenText } from "./route-test-results.ts";
import { plainStyle } from "./style.ts";

/** The results as JUnit's XML, as build servers read it: a suite for each document. */
export function junitReport(
  suites: readonly SuiteResult[],
  { blind, ms }: { readonly blind: string; readonly ms: number },
): string {
  const all = suites.flatMap(({ tests }) => tests);
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${attributes({ name: "fairway test", ...sums(all), time: seconds(ms) })}>`,
    ...suites.flatMap((suite) => suiteLines(suite, blind)).map((line) => `  ${line}`),
    "</testsuites>",
  ];
  return `${lines.join("\n")}\n`;
}

function suiteLines({ name, file, tests }: SuiteResult, blind: string): readonly string[] {
  const time = tests.reduce((sum, { ms }) => sum + ms, 0);
  return [
    `<testsuite ${attributes({ name, file, ...sums(tests), time: seconds(time) })}>`,
    ...tests.flatMap((test) => caseLines(test, { name, file }, blind)).map((line) => `  ${line}`),
    "</testsuite>",
  ];
}

function caseLines(
  { name, verdict, failures, reason, unseen, line, ms }: TestResult,
  { name: suite, file }: Pick<SuiteResult, "name" | "file">,
  blind: string,
): readonly string[] {
  const head = attributes({ name, classname: suite, file, line, time: seconds(ms) });
  const inside = [
    ...(verdict === "skipped" ? [`<skipped ${attributes({ message: reason ?? "" })}/>`] : []),
    ...(failures.length > 0 ? [failureElement(failures, file)] : []),
    ...(verdict !== "skipped" && unseen.length > 0
      ? [`<system-out>${escaped(unseenText(unseen, blind))}</system-out>`]
      : []),
  ];
  if (inside.length === 0) return [`<testcase ${head}/>`];
  return [`<testcase ${head}>`, ...inside.map((one) => `  ${one}`), "</testcase>"];
}

/** One for all that is not as expected, as many readers show no more than one; its text has the places. */
function failureElement(failures: readonly Failure[], file: string): string {
  const [first, ...others] = failures;
  const more = others.length === 0 ? "" : `, and ${others.length} more`;
  const text = failures.flatMap(({ message, origins, line, column }) => [
    `${file}:${line}:${column}: ${message}`,
    ...originLines(origins, plainStyle).map(([, origin]) => `  ${origin}`),
  ]);
  const head = attributes({ message: `${first?.message ?? ""}${more}`, type: "expectation" });
  return `<failure ${head}>${escaped(text.join("\n"))}</failure>`;
}

function sums(tests: readonly TestResult[]): Readonly<Record<string, number>> {
  const { failed, skipped } = countsOf(tests);
  return { tests: tests.length, failures: failed, errors: 0, skipped };
}

const seconds = (ms: number): string => (ms / 1_000).toFixed(3);

const attributes = (values: Readonly<Record<string, string | number>>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name}="${escaped(String(value)).replace(/[\t\n]/g, codeOf)}"`)
    .join(" ");

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Readers make a space of what is only white space in an attribute. */
const codeOf = (sign: string): string => `&#${sign.charCodeAt(0)};`;

/** What XML cannot say at all is replaced. */
const escaped = (text: string): string =>
  text
    .toWellFormed()
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what XML has no way to write
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd")
    .replace(/[&<>"\r]/g, (sign) => entities[sign] ?? codeOf(sign));
