import type { Metrics } from "../base/metrics.ts";
import type { ChangeOutcome } from "./store.ts";

export type WriteResult = ChangeOutcome["kind"] | "failed";

/** What a rule store counts. */
export interface StoreMeter {
  readonly write: (result: WriteResult, tookMs: number) => void;
  readonly present: (revision: number, documents: number) => void;
}

const seconds = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];

export function createStoreMeter(metrics: Metrics): StoreMeter {
  const took = metrics.histogram(
    "fairway_rule_store_write_seconds",
    "Changes of stored rules, from the call until they were on the disk and in memory.",
    seconds,
    ["result"],
  );
  const revision = metrics.gauge("fairway_rule_store_revision", "The last revision of the rule store.");
  const documents = metrics.gauge("fairway_rule_store_documents", "Documents present in the rule store.");
  return {
    write: (result, tookMs) => took.observe({ result }, tookMs / 1_000),
    present: (last, count) => {
      revision.set(last);
      documents.set(count);
    },
  };
}
