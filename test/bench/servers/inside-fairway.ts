import { Session } from "node:inspector/promises";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { profileRows } from "./profile.ts";

/*
 * Loaded into a server of ours before its own code (`node --import`): answers what cannot be seen from outside, by messages. It adds
 * a timer that ticks every 10 ms, and nothing else.
 */

const resolutionMs = 10;
const delay = monitorEventLoopDelay({ resolution: resolutionMs });
delay.enable();
const session = new Session();

const late = (ns: number): number => Math.max(0, ns / 1e6 - resolutionMs);

/** Those that were set since the first look, and have not fired: Node tells only of the ones that keep the process alive. */
let timers: Set<NodeJS.Timeout> | undefined;

function countTimers(): Set<NodeJS.Timeout> {
  const waiting = new Set<NodeJS.Timeout>();
  const { setTimeout: set, clearTimeout: clear } = globalThis;
  const counting = (task: (...args: unknown[]) => void, ms?: number, ...args: unknown[]): NodeJS.Timeout => {
    const timer = set(() => {
      waiting.delete(timer);
      task(...args);
    }, ms);
    waiting.add(timer);
    return timer;
  };
  globalThis.setTimeout = Object.assign(counting, set);
  globalThis.clearTimeout = (timer) => {
    if (typeof timer === "object") waiting.delete(timer as NodeJS.Timeout);
    clear(timer);
  };
  return waiting;
}

const questions: Readonly<Record<string, () => unknown>> = {
  "loop-delay": () => {
    const [p50Ms, p99Ms, maxMs] = [delay.percentile(50), delay.percentile(99), delay.max].map(late);
    delay.reset();
    return { p50Ms, p99Ms, maxMs };
  },
  held: async () => {
    timers ??= countTimers();
    session.connect();
    await session.post("HeapProfiler.collectGarbage");
    session.disconnect();
    const { heapUsed: heapBytes, arrayBuffers: bufferBytes } = process.memoryUsage();
    return { heapBytes, bufferBytes, timers: timers.size };
  },
  "start-profile": async () => {
    session.connect();
    await session.post("Profiler.enable");
    await session.post("Profiler.setSamplingInterval", { interval: 500 });
    await session.post("Profiler.start");
  },
  "stop-profile": async () => {
    const { profile } = await session.post("Profiler.stop");
    session.disconnect();
    return profileRows(profile);
  },
};

process.on("message", async (question: string) => {
  process.send?.({ question, answer: await questions[question]?.() });
});
// Who started it is gone: nobody else will end it.
process.on("disconnect", () => process.exit(1));
// It must not keep the server alive.
process.channel?.unref();
