// Puts each mutant of bug-classes.ts into a copy of the tree, and demands that a test notices it.
//
//     node test/mutation/bug-classes.mjs [CLASS...]      numbers of classes; default: all of them
//
// Prints a line for each: the class, what goes wrong, and the first test that failed. Exit status 1 when one survived.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { bugMutants, plannedClasses } from "./bug-classes.ts";

const repository = join(dirname(fileURLToPath(import.meta.url)), "../..");
const wanted = process.argv.slice(2).map(Number);
const mutants = bugMutants.filter((mutant) => wanted.length === 0 || wanted.includes(mutant.class));

const copy = await mkdtemp(join(tmpdir(), "fairway-bug-classes-"));
let survivors = 0;
try {
  for (const name of ["src", "test", "proto", "package.json", "tsconfig.json", "vitest.config.ts"]) {
    await cp(join(repository, name), join(copy, name), { recursive: true });
  }
  await symlink(join(repository, "node_modules"), join(copy, "node_modules"));
  const healthy = await failuresOf([...new Set(mutants.flatMap(({ killedBy }) => killedBy))]);
  if (healthy.length > 0) throw new Error(`without a mutant these fail already: ${healthy.join("; ")}`);
  for (const mutant of mutants) await judge(mutant);
} finally {
  await rm(copy, { recursive: true, force: true });
}
for (const [number, reason] of Object.entries(plannedClasses)) console.log(`${number.padStart(2)}  planned: ${reason}`);
console.log(`${mutants.length - survivors} of ${mutants.length} mutants noticed`);
process.exitCode = survivors === 0 ? 0 : 1;

async function judge({ class: number, what, file, find, replace, killedBy }) {
  const path = join(copy, file);
  const source = await readFile(path, "utf8");
  if (source.split(find).length !== 2) throw new Error(`class ${number}: its place does not stand once in ${file}`);
  await writeFile(
    path,
    source.replace(find, () => replace),
  );
  const failures = await failuresOf(killedBy);
  await writeFile(path, source);
  if (failures.length === 0) survivors++;
  console.log(`${String(number).padStart(2)}  ${what}\n      ${failures[0] ?? "SURVIVED"}`);
}

/** Names of the tests that fail. A file that does not load at all is no proof, and an error. */
async function failuresOf(files) {
  const report = join(copy, "report.json");
  await rm(report, { force: true });
  const args = [
    join(copy, "node_modules/vitest/vitest.mjs"),
    "run",
    ...files,
    "--reporter=json",
    `--outputFile=${report}`,
  ];
  const env = { ...process.env, FAIRWAY_MODEL_RUNS: "60" };
  await once(spawn(process.execPath, args, { cwd: copy, stdio: "ignore", env }), "close");
  const { testResults } = JSON.parse(await readFile(report, "utf8"));
  const unloaded = testResults.filter(
    ({ status, assertionResults }) => status === "failed" && assertionResults.length === 0,
  );
  if (unloaded.length > 0) throw new Error(`${unloaded.map(({ name, message }) => `${name}: ${message}`).join("; ")}`);
  return testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => status === "failed").map(({ fullName }) => fullName),
  );
}
