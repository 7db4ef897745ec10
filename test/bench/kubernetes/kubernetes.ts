import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
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
import { usageOf } from "../servers/process-usage.ts";
import { stopChild } from "../servers/running.ts";
import { ascending, quantile, type Spread, spreadOf } from "../statistics.ts";
import { WrongUse } from "../wrong-use.ts";
import { type WrittenMesh, writeMesh } from "./objects.ts";

export const kubernetesHelp = `Usage: npm run bench -- kubernetes [options]

Writes a mesh through a real API server, and prints what the registry needs for it: the time from the start of its process to the
first complete world, the memory that it has then, and the CPU of a pod's restart.

Options:
  --services N    (default 1000)
  --pods N        of each service (default 10)
  --starts N      of the process, of which medians are printed (default 5)
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

/** What the process sends. */
interface FirstWorld {
  readonly worldMs: number;
  readonly services: number;
  readonly instances: number;
}

interface Started extends FirstWorld {
  readonly residentBytes: number;
  readonly peakBytes: number;
  readonly heldBytes: number;
  readonly cpuSeconds: number;
}

interface Restarted {
  /** User and system time of one restart, with everything that it does to the process. */
  readonly cpuMs: number;
  /** From the last thing that was written of it to the world that has it, each. */
  readonly latencyMs: readonly number[];
}

/** What the process may do behind its first world, before its memory is looked at. */
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
    for (let start = 1; start < options.starts; start++) started.push(await withProcess(file, lookAt));
    const restarted = await withProcess(file, async (child) => {
      started.push(await lookAt(child));
      return restartPods(child, mesh, options);
    });
    console.log(report(options, started, restarted));
    if (options.json !== undefined) {
      await writeFile(options.json, `${JSON.stringify({ options, started, restarted }, undefined, 2)}\n`);
    }
  });
  return 0;
}

async function withProcess<T>(kubeconfig: string, work: (child: ChildProcess) => Promise<T>): Promise<T> {
  const child = fork(join(import.meta.dirname, "registry.ts"), [kubeconfig]);
  try {
    return await work(child);
  } finally {
    await stopChild(child);
  }
}

async function next<T>(child: ChildProcess): Promise<T> {
  const ended = new AbortController();
  const end = once(child, "exit", { signal: ended.signal }).then(([code]) => {
    throw new Error(`the registry's process ended with ${code}`);
  });
  try {
    const [message] = await Promise.race([once(child, "message", { signal: ended.signal }), end]);
    return message as T;
  } finally {
    ended.abort();
    await end.catch(() => {});
  }
}

async function lookAt(child: ChildProcess): Promise<Started> {
  const first = await next<FirstWorld>(child);
  const cpuSeconds = cpuOf(child);
  await delay(settleMs);
  const { residentBytes, peakBytes } = usageOf([child.pid ?? 0]);
  child.send("held");
  const { heldBytes } = await next<{ readonly heldBytes: number }>(child);
  return { ...first, cpuSeconds, residentBytes, peakBytes, heldBytes };
}

function cpuOf(child: ChildProcess): number {
  const { userSeconds, systemSeconds } = usageOf([child.pid ?? 0]);
  return userSeconds + systemSeconds;
}

async function restartPods(child: ChildProcess, mesh: WrittenMesh, options: KubernetesOptions): Promise<Restarted> {
  const latencyMs: number[] = [];
  const before = cpuOf(child);
  for (let index = 0; index < options.restarts; index++) {
    const { address, done } = mesh.restart((7 * index) % options.services);
    child.send(address);
    const seen = next(child).then(monotonicMs);
    await done;
    const written = monotonicMs();
    latencyMs.push(Math.max(0, (await seen) - written));
  }
  return { cpuMs: (1_000 * (cpuOf(child) - before)) / options.restarts, latencyMs };
}

function report({ services, pods }: KubernetesOptions, started: readonly Started[], restarted: Restarted): string {
  const row = (title: string, of: (one: Started) => number, text: (value: number) => string): string => {
    const { median, min, max }: Spread = spreadOf(started.map(of));
    return line(title, `${text(median)} (${text(min)} to ${text(max)})`);
  };
  const line = (title: string, text: string): string => `  ${title.padEnd(44)}${text}`;
  const latencies = ascending(restarted.latencyMs);
  return [
    `Kubernetes: ${services} services with ${services * pods} pods, ${started.length} starts`,
    row(
      "first complete world after",
      ({ worldMs }) => worldMs,
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
    line(`CPU of a pod's restart (mean of ${latencies.length})`, `${restarted.cpuMs.toFixed(1)} ms`),
    line(
      "from its last event written to its world",
      `p50 ${ms(quantile(latencies, 0.5))}, p99 ${ms(quantile(latencies, 0.99))}`,
    ),
  ].join("\n");
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
const ms = (value: number): string => `${value.toFixed(1)} ms`;

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
