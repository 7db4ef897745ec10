import { writeFile } from "node:fs/promises";
import { MeshError } from "../base/errors.ts";
import { type CliIo, type CommandInput, type ExitCode, type FlagValues, flagValue } from "./command.ts";
import { junitReport } from "./junit.ts";
import { liveJudge } from "./live-judge.ts";
import { wantsJson, writeJson } from "./output.ts";
import { readSuites, type SuiteDocument } from "./route-test-files.ts";
import { dumpJudge, filesJudge, serverJudge } from "./route-test-judges.ts";
import { countsOf, type Judge, runSuite, type SuiteResult } from "./route-test-results.ts";
import { formatResults } from "./route-test-text.ts";
import { styleFor } from "./style.ts";

/** Runs the tests of files, and says what came of them. */
export async function testRoutes({ arguments: paths, flags }: CommandInput, io: CliIo): Promise<ExitCode> {
  const only = flagValue(flags, "only");
  const isWanted = (name: string): boolean => only === undefined || name.includes(only);
  const documents = await readSuites(paths);
  expectSome(documents, isWanted, only);
  const { judge, hasRefused } = await judgeOf(flags, io);
  const startedAt = io.now();
  const suites: SuiteResult[] = [];
  for (const document of documents) suites.push(await runSuite(document, { judge, isWanted, now: io.now }));
  await tell(
    suites.filter(({ tests }) => tests.length > 0),
    { documents, judge, ms: io.now() - startedAt, flags, io },
  );
  const { passed, failed } = countsOf(suites.flatMap(({ tests }) => tests));
  return failed > 0 || passed === 0 || hasRefused ? 1 : 0;
}

function expectSome(
  documents: readonly SuiteDocument[],
  isWanted: (name: string) => boolean,
  only: string | undefined,
): void {
  if (documents.some(({ suite }) => suite.tests.some(({ name }) => isWanted(name)))) return;
  throw new MeshError("usage/invalid", `no test has ${JSON.stringify(only)} in its name`);
}

/* Who is asked */

const isGiven = (flags: FlagValues, names: readonly string[]): boolean =>
  names.some((name) => flags[name] !== undefined);

async function judgeOf(flags: FlagValues, io: CliIo): Promise<{ readonly judge: Judge; readonly hasRefused: boolean }> {
  const hasFiles = isGiven(flags, ["rules", "catalog", "mesh"]);
  const dump = flagValue(flags, "configDump");
  const isLive = isGiven(flags, ["live"]);
  if ([hasFiles, dump !== undefined, isLive].filter(Boolean).length > 1) {
    throw new MeshError("usage/invalid", "it is not clear who is asked", {
      hint: "Give files (--rules, --catalog, --mesh), or --config-dump, or --live, or none of them for a server.",
    });
  }
  if (!isLive && isGiven(flags, ["insecure"])) {
    throw new MeshError("usage/invalid", "--insecure says nothing without --live");
  }
  if (isLive) return { judge: liveJudge(flags, io), hasRefused: false };
  if (dump !== undefined) return { judge: await dumpJudge(dump, io), hasRefused: false };
  if (!hasFiles) return { judge: await serverJudge(flags, io), hasRefused: false };
  const judge = await filesJudge(flags, io);
  return { judge, hasRefused: judge.hasRefused };
}

/* What is said */

interface Telling {
  readonly documents: readonly SuiteDocument[];
  readonly judge: Judge;
  readonly ms: number;
  readonly flags: FlagValues;
  readonly io: CliIo;
}

async function tell(
  suites: readonly SuiteResult[],
  { documents, judge: { blind }, ms, flags, io }: Telling,
): Promise<void> {
  const file = flagValue(flags, "junit");
  if (file !== undefined) await writeReport(file, junitReport(suites, { blind, ms }));
  if (wantsJson(flags)) {
    writeJson(io, { suites, ...countsOf(suites.flatMap(({ tests }) => tests)), ms });
  } else if (flagValue(flags, "output") === "junit") {
    io.out(junitReport(suites, { blind, ms }));
  } else {
    const sources = new Map(documents.map((document) => [document.file, document.text]));
    io.out(formatResults(suites, { blind, ms, sources, style: styleFor(io) }));
  }
}

async function writeReport(file: string, text: string): Promise<void> {
  await writeFile(file, text).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new MeshError("usage/invalid", `cannot write ${file}: ${reason}`, { cause });
  });
}
