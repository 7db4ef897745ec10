// A mutation run over the state machines of the wire and the push plan: how many small faults in them a test notices.
//
//     node test/mutation/run.mjs [FILE...]      files of src/xds, without `.ts`; default: all of them
//
// Prints the score of each file, and what survived with the reason. FAIRWAY_MUTATION_JOBS: how many at a time; default 2. Exit
// status 1 below the score that is demanded.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Stryker } from "@stryker-mutator/core";
import { knownSurvivors } from "./survivors.mjs";

const repository = join(dirname(fileURLToPath(import.meta.url)), "../..");

const machines = [
  ...["stream", "settle", "push-plan", "owed", "sotw", "delta"],
  ...["subscription", "retries", "fit", "heartbeat", "resource-map", "at-rest"],
];

/** Of all mutants that are tried, the percentage that a test has to notice. */
const demanded = 95;

const files = process.argv.length > 2 ? process.argv.slice(2) : machines;
process.chdir(repository);
const tempDirName = await mkdtemp(join(tmpdir(), "fairway-mutation-"));
try {
  await report(await mutate(files));
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
    logLevel: "error",
  });
  return (await stryker.runMutationTest()).filter(({ status }) => status !== "Ignored");
}

async function report(mutants) {
  const isKilled = ({ status }) => status === "Killed" || status === "Timeout";
  const score = (some) => (100 * some.filter(isKilled).length) / some.length;
  const line = (some, what) => `${score(some).toFixed(1).padStart(5)} % of ${String(some.length).padStart(4)}  ${what}`;
  for (const [file, some] of Map.groupBy(mutants, machineOf)) console.log(line(some, file));
  console.log(line(mutants, "all of them"));
  const survivors = mutants.filter((mutant) => !isKilled(mutant));
  if (survivors.length > 0) console.log("\nNot noticed:");
  for (const mutant of survivors) {
    const { location, mutatorName, replacement } = mutant;
    const file = machineOf(mutant);
    const code = await lineOf(mutant);
    const known = knownSurvivors.find((one) => one.file === file && code.includes(one.at));
    const text = (replacement ?? "").replaceAll(/\s+/g, " ").slice(0, 60);
    console.log(`${file}:${location.start.line}:${location.start.column} ${mutatorName} ${text}`);
    console.log(`    ${code}\n    ${known === undefined ? "NOT LOOKED AT" : known.why}`);
  }
  process.exitCode = score(mutants) >= demanded ? 0 : 1;
}

function machineOf({ fileName }) {
  return basename(fileName, ".ts");
}

async function lineOf({ fileName, location }) {
  const lines = (await readFile(fileName, "utf8")).split("\n");
  return lines[location.start.line - 1]?.trim() ?? "";
}
