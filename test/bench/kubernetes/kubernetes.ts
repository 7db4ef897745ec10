import { writeFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { systemClock as clock } from "../../../src/base/clock.ts";
import { createLog } from "../../../src/base/log.ts";
import { createKubeClient } from "../../../src/kube/client.ts";
import { createKubeConfigAccess } from "../../../src/kube/kube-config.ts";
import { findKubeBinaries } from "../../support/kube-binaries.ts";
import { startKubernetes } from "../../support/kube-lab.ts";
import { withCleanup } from "../../support/with-cleanup.ts";
import { monotonicMs } from "../monotonic.ts";
import { startFairway } from "../servers/fairway.ts";
import { usageOf } from "../servers/process-usage.ts";
import type { BenchServer } from "../servers/server.ts";
import { type Spread, spreadOf } from "../statistics.ts";
import { WrongUse } from "../wrong-use.ts";
import { type WrittenMesh, writeMesh } from "./objects.ts";

export const kubernetesHelp = `Usage: npm run bench -- kubernetes [options]

Writes a mesh through a real API server, and prints what \`fairway serve\` needs for it, without any proxies: the time from its
start to the first complete world, the memory that it has then, and the CPU of a pod's restart.

Options:
  --services N    (default 1000)
  --pods N        of each service (default 10)
  --starts N      of the server, of which medians are printed (default 5)
  --restarts N    of pods, one after the other (default 200)
  --json FILE     everything measured, as JSON
  -h, --help      show this help

Examples:
  # a quick look
  npm run bench -- kubernetes --services 100 --starts 1 --restarts 50`;

interface KubernetesOptions {
  readonly services: number;
  readonly pods: number;
  readonly starts: number;
  readonly restarts: number;
  readonly json: string | undefined;
}

interface Started {
  /** From the start of the process to the first complete world. */
  readonly readyMs: number;
  /** User and system time until then. */
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly peakBytes: number;
  /** Heap and buffers after a forced collection. */
  readonly heldBytes: number;
}

interface Restarted {
  /** User and system time of one restart, with everything that it does to the process. */
  readonly cpuMs: number;
  readonly count: number;
}

/** What the process may do behind what it was told, before it is looked at. */
const settleMs = 2_000;

/** Returns the exit code. */
export async function kubernetesBench(args: readonly string[]): Promise<0 | 1> {
  const options = readOptions(args);
  if (options === undefined) {
    console.log(kubernetesHelp);
    return 0;
  }
  const say = (text: string): void => void process.stderr.write(`${text}\n`);
  const binaries = await findKubeBinaries({ env: process.env, onProgress: say });
  await withCleanup(async (cleanup) => {
    const { kubeconfig } = await startKubernetes({ binaries, cleanup });
    const file = kubeconfig();
    const log = createLog({ level: "warn", format: "text", write: say });
    const access = createKubeConfigAccess({ source: { kind: "file", file }, clock, log });
    const client = createKubeClient({ access, clock, userAgent: "fairway/bench" });
    cleanup(async () => client.close());
    const begun = monotonicMs();
    const mesh = await writeMesh(client, { services: options.services, podsOfEach: options.pods });
    say(`wrote ${options.services * options.pods} pods in ${((monotonicMs() - begun) / 1_000).toFixed(0)} s`);

    const started: Started[] = [];
    for (let start = 1; start < options.starts; start++) {
      started.push(await withServer(file, (server) => lookAt(server, options)));
    }
    const restarted = await withServer(file, async (server) => {
      started.push(await lookAt(server, options));
      return restartPods(server, mesh, options);
    });
    console.log(report(options, started, restarted));
    if (options.json !== undefined) {
      await writeFile(options.json, `${JSON.stringify({ options, started, restarted }, undefined, 2)}\n`);
    }
  });
  return 0;
}

async function withServer<T>(kubeconfig: string, work: (server: BenchServer) => Promise<T>): Promise<T> {
  const server = await startFairway({ flags: ["--kubeconfig", kubeconfig] });
  try {
    return await work(server);
  } finally {
    await server.stop();
  }
}

async function lookAt(server: BenchServer, { services, pods }: KubernetesOptions): Promise<Started> {
  const cpuSeconds = cpuOf(server);
  await delay(settleMs);
  const { residentBytes, peakBytes } = usageOf(server.pids());
  const held = await server.inside?.held();
  const metric = await server.inside?.metrics();
  const instances = metric?.("fairway_registry_instances");
  // The API server has one of its own.
  if (instances === undefined || instances < services * pods) {
    throw new Error(`the world has ${instances} instances of ${services * pods}`);
  }
  const heldBytes = (held?.heapBytes ?? Number.NaN) + (held?.bufferBytes ?? Number.NaN);
  return { readyMs: server.readyMs(), cpuSeconds, residentBytes, peakBytes, heldBytes };
}

function cpuOf(server: BenchServer): number {
  const { userSeconds, systemSeconds } = usageOf(server.pids());
  return userSeconds + systemSeconds;
}

/** Restarts that do not count: code that has hardly run is slow. */
const warmUp = 50;

/** One after the other, as fast as the API server takes them. */
async function restartPods(server: BenchServer, mesh: WrittenMesh, options: KubernetesOptions): Promise<Restarted> {
  const count = options.restarts;
  const restart = (index: number) => mesh.restart((7 * index) % options.services);
  for (let index = 0; index < warmUp; index++) await restart(index);
  await delay(settleMs);
  const before = cpuOf(server);
  for (let index = 0; index < count; index++) await restart(warmUp + index);
  return { cpuMs: (1_000 * (cpuOf(server) - before)) / count, count };
}

function report({ services, pods }: KubernetesOptions, started: readonly Started[], restarted: Restarted): string {
  const row = (title: string, of: (one: Started) => number, text: (value: number) => string): string => {
    const { median, min, max }: Spread = spreadOf(started.map(of));
    return line(title, `${text(median)} (${text(min)} to ${text(max)})`);
  };
  const line = (title: string, text: string): string => `  ${title.padEnd(44)}${text}`;
  return [
    `Kubernetes: ${services} services with ${services * pods} pods, ${started.length} starts`,
    row(
      "first complete world after",
      ({ readyMs }) => readyMs,
      (ms) => `${(ms / 1_000).toFixed(2)} s`,
    ),
    row(
      "CPU until then",
      ({ cpuSeconds }) => cpuSeconds,
      (seconds) => `${seconds.toFixed(2)} s`,
    ),
    row("resident memory", ({ residentBytes }) => residentBytes, megabytes),
    row("the most that was resident", ({ peakBytes }) => peakBytes, megabytes),
    row("held after a collection", ({ heldBytes }) => heldBytes, megabytes),
    line(`CPU of a pod's restart, mean of ${restarted.count}`, `${restarted.cpuMs.toFixed(1)} ms`),
  ].join("\n");
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;

function readOptions(args: readonly string[]): KubernetesOptions | undefined {
  const number = (fallback: string) => ({ type: "string", default: fallback }) as const;
  const { values } = parsed(() =>
    parseArgs({
      args: [...args],
      options: {
        services: number("1000"),
        pods: number("10"),
        starts: number("5"),
        restarts: number("200"),
        json: { type: "string" },
        help: { type: "boolean", short: "h", default: false },
      },
    }),
  );
  if (values.help) return undefined;
  const read = (name: "services" | "pods" | "starts" | "restarts"): number => {
    const text = values[name];
    if (/^[1-9][0-9]{0,5}$/.test(text)) return Number(text);
    throw new WrongUse(`--${name} wants a number from 1 on, found ${text}`);
  };
  return {
    ...{ services: read("services"), pods: read("pods"), starts: read("starts"), restarts: read("restarts") },
    json: values.json,
  };
}

function parsed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new WrongUse(error instanceof Error ? error.message : String(error));
  }
}
