import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { logVerbosity, setLogVerbosity } from "@grpc/grpc-js";
import { NotBuilt } from "../support/go-program.ts";
import { allCases } from "./cases/all.ts";
import { headline, type Matrix, matrixOf } from "./report/matrix.ts";
import { withMatrices } from "./report/page.ts";
import { failuresText, matrixText } from "./report/text.ts";
import { type CellResult, runSuite } from "./run-suite.ts";
import { chooseTarget } from "./targets/choose.ts";
import { configs } from "./targets/go-control-plane/target.ts";

const help = `Asks a control plane about the 100 statements of the suite, and prints what holds.

    node test/conformance/main.ts --target fairway
    node test/conformance/main.ts --target go-control-plane:ordered
    node test/conformance/main.ts --target grpc://127.0.0.1:15010
    node test/conformance/main.ts --target fairway --only ACK --failures

    --target TEXT     fairway | go-control-plane[:plain|ordered|no-legacy-wildcard|linear] | grpc://HOST:PORT; may repeat
    --only TEXT       only cells whose id contains this, for example ACK-04/ads-delta/CDS
    --failures        each failure with its reason
    -o json           the matrix as JSON
    -o brief          one line a target
    --write           runs Fairway and all configurations of go-control-plane, and writes what it saw into docs/conformance.md
    --concurrency N   cells at the same time; default 32

go-control-plane is built with Go. Where there is none it is left out, and said so; with CI=true that is a failure.

Exit status: 0 nothing unexpected, 1 a cell failed, or passed that was expected to fail, 2 wrong use.
`;

const { values } = parseArgs({
  options: {
    target: { type: "string", multiple: true, default: ["fairway"] },
    only: { type: "string", default: "" },
    failures: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
    output: { type: "string", short: "o", default: "text" },
    concurrency: { type: "string", default: "32" },
    help: { type: "boolean", default: false },
  },
});

const page = "docs/conformance.md";
const pageTargets = ["fairway", ...configs.map((config) => `go-control-plane:${config}`)];

setLogVerbosity(logVerbosity.NONE);
if (values.help) console.log(help);
else if (values.write) process.exitCode = await write();
else process.exitCode = await showAll(values.target);

/** The worst of the targets' statuses. */
async function showAll(targets: readonly string[]): Promise<number> {
  const statuses: number[] = [];
  for (const text of targets) statuses.push(await show(text).catch(explain));
  return Math.max(...statuses);
}

/** A part that cannot be had is left out by name; in CI that is a failure. */
function explain(error: unknown): number {
  const text = error instanceof Error ? error.message : String(error);
  if (!(error instanceof NotBuilt)) {
    console.error(text);
    return 2;
  }
  const isFailure = process.env["CI"] === "true";
  console.error(`${isFailure ? "failed" : "skipped"}: ${text}`);
  return isFailure ? 1 : 0;
}

async function show(text: string): Promise<number> {
  const { matrix, results } = await run(text, values.only);
  if (values.output === "json") console.log(JSON.stringify(matrix, undefined, 2));
  else {
    if (values.failures) process.stdout.write(failuresText(results));
    console.log(values.output === "brief" ? headline(matrix) : matrixText(matrix));
  }
  return isAsKnown(matrix) ? 0 : 1;
}

async function write(): Promise<number> {
  const matrices: Matrix[] = [];
  for (const text of pageTargets) {
    const { matrix } = await run(text, "");
    console.log(headline(matrix));
    matrices.push(matrix);
  }
  const date = new Date().toISOString().slice(0, 10);
  writeFileSync(page, withMatrices(readFileSync(page, "utf8"), matrices, date));
  return matrices.every(isAsKnown) ? 0 : 1;
}

function isAsKnown({ cells }: Matrix): boolean {
  return cells.fail + cells.xpass === 0;
}

async function run(
  text: string,
  only: string,
): Promise<{ readonly matrix: Matrix; readonly results: readonly CellResult[] }> {
  const { target, expectations } = await chooseTarget(text, process.env);
  const begun = performance.now();
  try {
    const concurrency = Number(values.concurrency);
    const isSelected = (id: string): boolean => id.includes(only);
    const results = await runSuite({ target, cases: allCases, expectations, isSelected, concurrency });
    return { matrix: matrixOf(target.name, allCases, results, performance.now() - begun), results };
  } finally {
    await target.close();
  }
}
