import type { Profiler } from "node:inspector";
import { basename } from "node:path";
import type { ProfileRow } from "./server.ts";

const rows = 20;
const idle: ReadonlySet<string> = new Set(["(idle)", "(root)"]);
/** The profiler's own. */
const own = "node:inspector";
/** Twice what the profiler was asked for: a longer wait for a sample is time in which nothing ran. */
const longestUs = 1_000;

/** The functions that took most time themselves, as shares of all that was not idle. */
export function profileRows({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): readonly ProfileRow[] {
  const byId = new Map(nodes.map((node) => [node.id, node.callFrame]));
  const times = new Map<string, { readonly name: string; readonly place: string; time: number }>();
  let busy = 0;
  for (const [index, id] of samples.entries()) {
    const frame = byId.get(id);
    const time = Math.min(longestUs, timeDeltas[index] ?? 0);
    if (frame === undefined || idle.has(frame.functionName) || frame.url === own) continue;
    busy += time;
    const place = frame.url === "" ? "" : `${shortPath(frame.url)}:${frame.lineNumber + 1}`;
    const key = `${frame.functionName} ${place}`;
    const row = times.get(key) ?? { name: frame.functionName || "(anonymous)", place, time: 0 };
    row.time += time;
    times.set(key, row);
  }
  return [...times.values()]
    .sort((a, b) => b.time - a.time)
    .slice(0, rows)
    .map(({ name, place, time }) => ({ name, place, share: time / busy }));
}

/** From `src` or `node_modules` on. */
function shortPath(url: string): string {
  const found = /(?:src|node_modules)\/.*$/.exec(url);
  return found?.[0] ?? basename(url);
}
