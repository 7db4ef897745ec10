import { parseArgs } from "node:util";
import { logVerbosity, setLogVerbosity } from "@grpc/grpc-js";
import { allCases } from "./cases/all.ts";
import { matrixOf } from "./report/matrix.ts";
import { failuresText, matrixText } from "./report/text.ts";
import { runSuite } from "./run-suite.ts";
import { chooseTarget } from "./targets/choose.ts";

const help = `Asks a control plane about the 100 statements of the suite, and prints what holds.

    node test/conformance/main.ts --target fairway
    node test/conformance/main.ts --target go-control-plane:ordered
    node test/conformance/main.ts --target grpc://127.0.0.1:15010
    node test/conformance/main.ts --target fairway --only ACK --failures

    --target TEXT     fairway | go-control-plane[:plain|ordered|no-legacy-wildcard|linear] | grpc://HOST:PORT
    --only TEXT       only cells whose id contains this, for example ACK-04/ads-delta/CDS
    --failures        each failure with its reason
    -o json           the matrix as JSON
    --concurrency N   cells at the same time; default 24

Exit status: 0 nothing unexpected, 1 a cell failed, or passed that was expected to fail, 2 wrong use.
`;

const { values } = parseArgs({
  options: {
    target: { type: "string", default: "fairway" },
    only: { type: "string", default: "" },
    failures: { type: "boolean", default: false },
    output: { type: "string", short: "o", default: "text" },
    concurrency: { type: "string", default: "24" },
    help: { type: "boolean", default: false },
  },
});

setLogVerbosity(logVerbosity.NONE);
if (values.help) console.log(help);
else process.exitCode = await run();

async function run(): Promise<number> {
  const { target, expectations } = await chooseTarget(values.target, process.env);
  const begun = performance.now();
  try {
    const { only, concurrency } = values;
    const results = await runSuite({ target, cases: allCases, expectations, only, concurrency: Number(concurrency) });
    const matrix = matrixOf(target.name, allCases, results, performance.now() - begun);
    if (values.output === "json") console.log(JSON.stringify(matrix, undefined, 2));
    else {
      if (values.failures) console.log(failuresText(results));
      console.log(matrixText(matrix));
    }
    return matrix.cells.fail + matrix.cells.xpass === 0 ? 0 : 1;
  } finally {
    await target.close();
  }
}
