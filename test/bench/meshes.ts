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
import { createGoControlPlane } from "./servers/go-control-plane.ts";
import { createOutside } from "./servers/outside.ts";
import type { ServerKind } from "./servers/server.ts";

/** Runs the bench, prints what it found, and returns the exit code: 1 when a row that must hold does not. */
export async function benchMeshes(options: BenchOptions): Promise<0 | 1> {
  const say = (text: string): void => void process.stderr.write(`${text}\n`);
  checkLimits(options.proxies);
  const kinds = await kindsOf(options, say);
  const measurements = await runBench(options, kinds, say);
  const summary = summarize(measurements);
  const musts = judgeMusts(measurements);
  const aims = judgeAims(summary);
  console.log(reportText({ options, summary, musts, aims, measurements }));
  if (options.json !== undefined) {
    const { services, instances, proxies, pairs, full } = options;
    const asked = { services, instances, proxies, pairs, full, at: new Date().toISOString(), node: process.version };
    await writeFile(options.json, `${JSON.stringify({ asked, musts, aims, summary, measurements }, undefined, 2)}\n`);
  }
  if (options.picture !== undefined) await writeFile(options.picture, picture(aims));
  return musts.some(({ verdict }) => verdict === "missed") ? 1 : 0;
}

async function kindsOf(options: BenchOptions, say: (text: string) => void): Promise<readonly ServerKind[]> {
  const kinds: ServerKind[] = [];
  if (options.servers.has("fairway")) kinds.push(fairway);
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
