// A mutation run over the state machines of the wire and the push plan: how many small faults in them a test notices.
//
//     node test/mutation/run.mjs [FILE...]      files of src/xds, without `.ts`; default: all of them
//
// Prints the score of each file and what survived, in the form that docs/proof.md takes. FAIRWAY_MUTATION_JSON: a file for the
// survivors as data. Exit status 1 below the score that is demanded.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { Stryker } from "@stryker-mutator/core";

const repository = join(dirname(fileURLToPath(import.meta.url)), "../..");

const machines = [
  ...["stream", "settle", "push-plan", "owed", "sotw", "delta"],
  ...["subscription", "retries", "fit", "heartbeat", "resource-map"],
];

/** Of all mutants that are tried, the percentage that a test has to notice. */
const demanded = 95;

const files = process.argv.length > 2 ? process.argv.slice(2) : machines;
process.chdir(repository);
const tempDirName = await mkdtemp(join(tmpdir(), "fairway-mutation-"));
try {
  report(await mutate(files));
} finally {
  await rm(tempDirName, { recursive: true, force: true });
}

async function mutate(names) {
  const stryker = new Stryker({
    mutate: names.map((name) => `src/xds/${name}.ts`),
    testRunner: "vitest",
    plugins: ["@stryker-mutator/vitest-runner", "./test/mutation/texts.mjs"],
    vitest: { configFile: "test/mutation/vitest.config.ts", related: false },
    // The compiler has no interface for programs: there is nothing to be rewritten for a folder elsewhere either.
    tsconfigFile: "none",
    checkers: [],
    ignorers: ["texts"],
    // What is evaluated once, when a module is loaded, would cost a new process for each mutant.
    ignoreStatic: true,
    coverageAnalysis: "perTest",
    concurrency: Number(process.env.FAIRWAY_MUTATION_JOBS ?? 2),
    timeoutMS: 20_000,
    ignorePatterns: ["/docs", "/dist", "/test/golden", "/test/envoy"],
    tempDirName,
    reporters: [],
    logLevel: "warn",
  });
  return (await stryker.runMutationTest()).filter(({ status }) => status !== "Ignored");
}

function report(mutants) {
  const isKilled = ({ status }) => status === "Killed" || status === "Timeout";
  const score = (some) => (100 * some.filter(isKilled).length) / some.length;
  const byFile = Map.groupBy(mutants, ({ fileName }) => relative(repository, fileName));
  for (const [file, some] of byFile) {
    const left = some.filter((mutant) => !isKilled(mutant)).length;
    console.log(`${score(some).toFixed(1).padStart(5)} % of ${String(some.length).padStart(3)}, ${left} left  ${file}`);
  }
  const survivors = mutants.filter((mutant) => !isKilled(mutant));
  console.log(`${score(mutants).toFixed(1).padStart(5)} % of ${mutants.length} killed; left:`);
  for (const { fileName, location, mutatorName, replacement } of survivors) {
    const text = (replacement ?? "").replaceAll(/\s+/g, " ").slice(0, 90);
    console.log(
      `  ${relative(repository, fileName)}:${location.start.line}:${location.start.column} ${mutatorName}: ${text}`,
    );
  }
  const json = process.env.FAIRWAY_MUTATION_JSON;
  if (json !== undefined) void writeFile(json, JSON.stringify(survivors, undefined, 1));
  process.exitCode = score(mutants) >= demanded ? 0 : 1;
}
