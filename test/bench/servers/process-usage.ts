import { readdirSync, readFileSync } from "node:fs";

/* What processes use, as Linux tells it. A process tree is the process and all that it started. */

/** Clock ticks of /proc a second: 100 on every Linux that Node runs on. */
const ticksPerSecond = 100;

export interface ProcessUsage {
  readonly userSeconds: number;
  readonly systemSeconds: number;
  readonly residentBytes: number;
  /** The most that was ever resident. */
  readonly peakBytes: number;
}

/** Of these processes and all that they started. */
export function usageOf(roots: readonly number[]): ProcessUsage {
  const all = roots.flatMap(treeOf).map(readUsage);
  const sum = (field: keyof ProcessUsage): number => all.reduce((total, each) => total + each[field], 0);
  return {
    userSeconds: sum("userSeconds"),
    systemSeconds: sum("systemSeconds"),
    residentBytes: sum("residentBytes"),
    peakBytes: sum("peakBytes"),
  };
}

function treeOf(pid: number): readonly number[] {
  const tasks = readOr(() => readdirSync(`/proc/${pid}/task`), []);
  const children = tasks.flatMap((task) =>
    readOr(() => readFileSync(`/proc/${pid}/task/${task}/children`, "utf8"), "")
      .split(" ")
      .filter((text) => text !== "")
      .map(Number),
  );
  return [pid, ...children.flatMap(treeOf)];
}

function readUsage(pid: number): ProcessUsage {
  const stat = readOr(() => readFileSync(`/proc/${pid}/stat`, "utf8"), "");
  // Behind the command, which may hold anything, the state is the first field.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const status = readOr(() => readFileSync(`/proc/${pid}/status`, "utf8"), "");
  const kilobytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? 0);
  return {
    userSeconds: Number(fields[11] ?? 0) / ticksPerSecond,
    systemSeconds: Number(fields[12] ?? 0) / ticksPerSecond,
    residentBytes: 1024 * kilobytes("VmRSS"),
    peakBytes: 1024 * kilobytes("VmHWM"),
  };
}

/** A process may end while it is looked at. */
function readOr<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
