import { type BenchType, perType } from "../fixture/types.ts";
import { monotonicMs } from "../monotonic.ts";
import type { LoadCounts } from "./commands.ts";
import type { Arrival } from "./message-reader.ts";

export interface Counter {
  readonly count: (stream: number, type: BenchType, arrival: Arrival) => void;
  readonly drop: (reason: string) => void;
  /** What was counted since the last reading. */
  readonly read: () => LoadCounts;
}

const nothing = () => perType(() => ({ bytes: 0, responses: 0, resources: 0, removed: 0 }));

export function createCounter(streams: number): Counter {
  let totals = nothing();
  let touched = new Uint8Array(streams);
  let drops: Record<string, number> = {};
  let cpu = process.cpuUsage();
  let since = monotonicMs();
  return {
    count: (stream, type, { bytes, resources, removed }) => {
      touched[stream] = 1;
      const mine = totals[type];
      mine.bytes += bytes;
      mine.responses++;
      mine.resources += resources;
      mine.removed += removed;
    },
    drop: (reason) => {
      drops[reason] = (drops[reason] ?? 0) + 1;
    },
    read: () => {
      const used = process.cpuUsage(cpu);
      const result: LoadCounts = {
        totals,
        touched: touched.reduce((sum, one) => sum + one, 0),
        drops,
        cpuMs: (used.user + used.system) / 1e3,
        wallMs: monotonicMs() - since,
      };
      totals = nothing();
      touched = new Uint8Array(streams);
      drops = {};
      cpu = process.cpuUsage();
      since = monotonicMs();
      return result;
    },
  };
}
