import { randomInt } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { MeshError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { createSignal, type Signal } from "../base/signal.ts";
import { directoryJournal } from "../config/directory-journal.ts";
import type { RuleSet } from "../config/rule-set.ts";
import type { RuleStore } from "../config/store.ts";

export interface JournalParts {
  readonly directory: Signal<RuleSet>;
  readonly store: Pick<RuleStore, "record">;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Journal {
  /** Why the store does not have what the directories hold, as a sentence. */
  readonly trouble: Signal<string | undefined>;
  readonly close: () => void;
}

/** Writes down what the directories hold, now and whenever it changes. What cannot be written is tried again until it is, or old. */
export function keepJournal({ directory, store, clock, log }: JournalParts): Journal {
  const trouble = createSignal<string | undefined>(undefined);
  let failures = 0;
  let isWriting = false;
  let isClosed = false;
  let cancelRetry = () => {};

  const write = async (): Promise<void> => {
    cancelRetry();
    // Whoever writes looks again when it is done.
    if (isWriting || isClosed) return;
    isWriting = true;
    const ruleSet = directory.value;
    try {
      await store.record(directoryJournal(ruleSet));
      failures = 0;
      trouble.set(undefined);
    } catch (cause) {
      failures++;
      const error = MeshError.from(cause);
      log.error({ err: error }, "cannot write down the rules of the directories; it is tried again");
      trouble.set(`The rules of the directories cannot be written down: ${error.message}.`);
    }
    isWriting = false;
    if (directory.value !== ruleSet) void write();
    else if (failures > 0 && !isClosed) cancelRetry = clock.after(retryDelay(failures), () => void write());
  };

  void write();
  const unsubscribe = directory.subscribe(() => void write());
  return {
    trouble,
    close: () => {
      isClosed = true;
      unsubscribe();
      cancelRetry();
    },
  };
}

const firstDelayMs = 1_000;
const maxDelayMs = 60_000;

/** Twice as long each time; not for all servers at the same moment. */
function retryDelay(failures: number): number {
  const delayMs = Math.min(maxDelayMs, firstDelayMs * 2 ** (failures - 1));
  return randomInt(delayMs / 2, delayMs + 1);
}
