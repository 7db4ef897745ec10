import { writeFile } from "node:fs/promises";
import { NotBuilt } from "../support/go-program.ts";
import { checkLimits } from "./limits.ts";
import type { BenchOptions } from "./options.ts";
import { judgeAims } from "./report/aims.ts";
import { judgeMusts } from "./report/musts.ts";
import { picture } from "./report/picture.ts";
import { summarize } from "./report/summary.ts";
import { reportText } from "./report/text.ts";
import { runBench } from "./run.ts";
import { fairway } from "./servers/fairway.ts";
import { fairwayTwo } from "./servers/fairway-two.ts";
import { createGoControlPlane } from "./servers/go-control-plane.ts";
import { createOutside } from "./servers/outside.ts";
import type { ServerKind } from "./servers/server.ts";

/** What `--full` measures where no size is given: services and proxies. */
const allSizes = [
  [1_000, 100],
  [1_000, 1_000],
  [1_000, 5_000],
  [5_000, 1_000],
  [10_000, 1_000],
] as const;

/** Runs the bench, prints what it found, and returns the exit code: 1 when a row that must hold does not, or a server failed. */
export async function benchMeshes(options: BenchOptions): Promise<0 | 1> {
  const say = (text: string): void => void process.stderr.write(`${text}\n`);
  const sizes = options.isSized ? [[options.services, options.proxies] as const] : allSizes;
  checkLimits(Math.max(...sizes.map(([, proxies]) => proxies)));
  const kinds = await kindsOf(options, say);
  const runs: Awaited<ReturnType<typeof benchOneSize>>[] = [];
  for (const [services, proxies] of sizes) {
    const run = await benchOneSize({ ...options, services, proxies }, kinds, say);
    runs.push(run);
    if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify({ runs }, undefined, 2)}\n`);
    if (options.picture !== undefined) await writeFile(options.picture, picture(run.aims));
  }
  const isBad = ({ musts, failures }: (typeof runs)[number]): boolean =>
    failures.length > 0 || musts.some(({ verdict }) => verdict === "missed");
  return runs.some(isBad) ? 1 : 0;
}

async function benchOneSize(options: BenchOptions, kinds: readonly ServerKind[], say: (text: string) => void) {
  const { services, instances, proxies, pairs, full } = options;
  const { measurements, failures } = await runBench(options, kinds, say);
  const summary = summarize(measurements);
  const musts = judgeMusts(measurements);
  const aims = judgeAims(summary);
  console.log(reportText({ options, summary, musts, aims, measurements, failures }));
  const asked = { services, instances, proxies, pairs, full, at: new Date().toISOString(), node: process.version };
  return { asked, musts, aims, failures, summary, measurements };
}

async function kindsOf(options: BenchOptions, say: (text: string) => void): Promise<readonly ServerKind[]> {
  const kinds: ServerKind[] = [];
  if (options.servers.has("fairway")) kinds.push(fairway);
  if (options.servers.has("fairway-two")) kinds.push(fairwayTwo);
  if (options.outside !== undefined) kinds.push(createOutside(options.outside));
  else if (options.servers.has("go-control-plane")) {
    try {
      kinds.push(await createGoControlPlane({ cache: options.gcpCache, keys: options.gcpKeys }));
    } catch (error) {
      if (!(error instanceof NotBuilt)) throw error;
      say(`skipped: ${error.message}`);
    }
  }
  return kinds;
}
