import type { JsonPointer } from "../base/json-pointer.ts";
import type { TextPosition } from "../base/yaml-document.ts";
import type { Expectation, ExpectedField } from "../explain/expectation.ts";
import type { PlacedOrigin } from "../explain/places.ts";
import type { RouteTest } from "../explain/route-test.ts";
import type { SuiteDocument } from "./route-test-files.ts";

/** Who knows what becomes of requests: a configuration, or a proxy that is asked. */
export interface Judge {
  /** Does it see what this field of an expectation speaks of? */
  readonly sees: (field: ExpectedField) => boolean;
  /** Of what it does not see, in words that go on its name: `cannot be seen from outside`. */
  readonly blind: string;
  /** As many tests at a time. */
  readonly parallel: number;
  /** Throws where nothing can be said of a whole document. */
  readonly judgeFor: (document: SuiteDocument) => Promise<JudgeTest>;
}

/** `expect`: the part of the expectation that is seen. */
export type JudgeTest = (test: RouteTest, expect: Expectation) => Judgement | Promise<Judgement>;

export type Judgement =
  | { readonly kind: "compared"; readonly mismatches: readonly Discrepancy[] }
  /** Nothing can be said of such a request: a sentence without its full stop. */
  | { readonly kind: "failed" | "skipped"; readonly reason: string };

interface Discrepancy {
  readonly pointer: JsonPointer;
  readonly message: string;
  readonly origins: readonly PlacedOrigin[];
}

/** What is not as expected, at a place in the file with the tests. */
export interface Failure extends TextPosition, Discrepancy {}

export interface TestResult extends TextPosition {
  readonly name: string;
  readonly verdict: "passed" | "failed" | "skipped";
  readonly failures: readonly Failure[];
  /** Of a skipped one. */
  readonly reason?: string;
  /** Fields of the expectation that nobody looked at. */
  readonly unseen: readonly ExpectedField[];
  readonly ms: number;
}

export interface SuiteResult extends Pick<SuiteDocument, "name" | "file"> {
  readonly tests: readonly TestResult[];
}

/** Runs the tests of a document whose names `isWanted`. */
export async function runSuite(
  document: SuiteDocument,
  {
    judge,
    isWanted,
    now,
  }: { readonly judge: Judge; readonly isWanted: (name: string) => boolean; readonly now: () => number },
): Promise<SuiteResult> {
  const { name, file, suite } = document;
  const wanted = [...suite.tests.entries()].filter(([, test]) => isWanted(test.name));
  if (wanted.length === 0) return { name, file, tests: [] };
  const judgeTest = await judge.judgeFor(document);
  const results = new Map<number, TestResult>();
  const left = wanted.values();
  const worker = async (): Promise<void> => {
    for (const [index, test] of left) {
      const startedAt = now();
      const result = await resultOf(test, { index, document, judge, judgeTest });
      results.set(index, { ...result, ms: now() - startedAt });
    }
  };
  await Promise.all(Array.from({ length: judge.parallel }, worker));
  return { name, file, tests: wanted.flatMap(([index]) => results.get(index) ?? []) };
}

interface Around {
  readonly index: number;
  readonly document: SuiteDocument;
  readonly judge: Judge;
  readonly judgeTest: JudgeTest;
}

async function resultOf(
  test: RouteTest,
  { index, document: { locate }, judge, judgeTest }: Around,
): Promise<Omit<TestResult, "ms">> {
  const pointer = `/tests/${index}`;
  const [seen, unseen] = split(test.expect, judge.sees);
  const told = (verdict: TestResult["verdict"], failures: readonly Failure[] = []) => ({
    ...{ name: test.name, verdict, ...locate(pointer) },
    ...{ failures, unseen },
  });
  if (Object.keys(seen).length === 0) {
    return { ...told("skipped"), reason: unseenText(unseen, judge.blind) };
  }
  const judgement = await judgeTest(test, seen);
  switch (judgement.kind) {
    case "skipped":
      return { ...told("skipped"), reason: judgement.reason };
    case "failed": {
      const at = `${pointer}/request`;
      return told("failed", [{ ...locate(at), pointer: at, message: judgement.reason, origins: [] }]);
    }
    case "compared": {
      const failures = judgement.mismatches.map((mismatch): Failure => {
        const at = `${pointer}/expect${mismatch.pointer}`;
        return { ...locate(at), ...mismatch, pointer: at };
      });
      return told(failures.length === 0 ? "passed" : "failed", failures);
    }
  }
}

export const unseenText = (fields: readonly ExpectedField[], blind: string): string => `${fields.join(", ")} ${blind}`;

function split(
  expect: Expectation,
  sees: Judge["sees"],
): readonly [seen: Expectation, unseen: readonly ExpectedField[]] {
  const entries = Object.entries(expect) as (readonly [ExpectedField, unknown])[];
  return [
    Object.fromEntries(entries.filter(([field]) => sees(field))),
    entries.flatMap(([field]) => (sees(field) ? [] : [field])),
  ];
}

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export function countsOf(tests: readonly TestResult[]): Counts {
  const by = Map.groupBy(tests, ({ verdict }) => verdict);
  const number = (verdict: TestResult["verdict"]): number => by.get(verdict)?.length ?? 0;
  return { passed: number("passed"), failed: number("failed"), skipped: number("skipped") };
}
