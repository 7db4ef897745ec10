import type { Clock } from "../../src/base/clock.ts";
import { createLog } from "../../src/base/log.ts";
import { createMetrics } from "../../src/base/metrics.ts";
import { createSignal } from "../../src/base/signal.ts";
import { type Compiler, createCompiler } from "../../src/compile/compile.ts";
import type { World } from "../../src/compile/world.ts";
import type { ResourceSet } from "../../src/envoy/resource-set.ts";
import { createResourceCache } from "../../src/snapshot/resource-cache.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { sidecar } from "../support/mesh.ts";

/** A cache of the worlds that a test sets, whose turns it gives, and those who follow it. */
export function setUp(first?: World, compiler: Compiler = createCompiler()) {
  const turns: (() => void)[] = [];
  const after: Clock["after"] = (_delayMs, task) => {
    turns.push(task);
    return () => {};
  };
  const clock: Clock = { ...createFakeClock(), after };
  const current = createSignal<World | undefined>(first);
  const lines: string[] = [];
  let compiles = 0;
  const cache = createResourceCache({
    world: current,
    clock,
    compiler: {
      ...compiler,
      compile: (...args) => {
        compiles++;
        return compiler.compile(...args);
      },
    },
    log: createLog({ level: "info", format: "json", write: (line) => lines.push(line) }),
    metrics: createMetrics(),
  });
  const follow = (node = sidecar()) => {
    const heard: ResourceSet[] = [];
    const watch = cache.watch(node, (set) => heard.push(set));
    return { heard, watch };
  };
  return { current, cache, turns, follow, lines, compiles: () => compiles };
}
