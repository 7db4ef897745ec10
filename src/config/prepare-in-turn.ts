import type { Clock } from "../base/clock.ts";
import { createTurns } from "../base/turns.ts";
import type { PreparedChange, ProposedChange } from "./change.ts";
import type { ChangeDocument } from "./change-document.ts";
import { providerKinds } from "./checks/introduced.ts";
import { type ChangeContext, prepareChange, type ReadChange, readDocumentsOf } from "./prepare-change.ts";

/**
 * Decodes a change, checks it against what is there, and hands it to `use`. Until that has ended no other change is checked for which
 * this one matters: what was checked holds when it is written.
 */
export type Prepare = <T>(proposed: ProposedChange, use: (prepared: PreparedChange) => Promise<T>) => Promise<T>;

/**
 * `context`: what is there now; it has followed a change when `use` has ended. `isAlone`: each change matters for each other one, as
 * `use` looks at all rules together.
 */
export function createPrepare(context: () => ChangeContext, clock: Clock, isAlone = () => false): Prepare {
  const turns = createTurns();
  return async (proposed, use) => {
    const read = await readInSlices(proposed, clock);
    const task = () => use(prepareChange(read, context()));
    return isAlone() || mayTakeAway(read) ? turns.alone(task) : turns.together(task);
  };
}

/** Decoding goes on for this long, then others have their turn. */
const sliceMs = 8;

async function readInSlices(proposed: ProposedChange, clock: Clock): Promise<ReadChange> {
  const documents: ChangeDocument[] = [];
  let since = clock.monotonic();
  for (const document of readDocumentsOf(proposed)) {
    documents.push(document);
    if (clock.monotonic() - since < sliceMs) continue;
    await new Promise<void>((resolve) => clock.after(0, resolve));
    since = clock.monotonic();
  }
  return { proposed, documents };
}

/** Changes that only refer to things cannot be in each other's way; those of what is referred to can. */
const mayTakeAway = ({ proposed, documents }: ReadChange): boolean =>
  [...documents, ...proposed.deletes].some(({ key }) => providerKinds.has(key?.split("/")[0] ?? ""));
