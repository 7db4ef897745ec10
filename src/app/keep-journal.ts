import type { Signal } from "../base/signal.ts";
import { directoryJournal } from "../config/directory-journal.ts";
import type { RuleSet } from "../config/rule-set.ts";
import type { RuleStore } from "../config/store.ts";

/** Writes down what the directories hold, now and whenever it changes. What cannot be written is logged there and tried again. */
export function keepJournal(directory: Signal<RuleSet>, store: Pick<RuleStore, "record">): () => void {
  const record = (ruleSet: RuleSet): void => void store.record(directoryJournal(ruleSet));
  record(directory.value);
  return directory.subscribe(record);
}
