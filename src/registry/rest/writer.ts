import type { Call } from "../../base/database.ts";
import { MeshError } from "../../base/errors.ts";
import type { Changes, InstanceName } from "./changes.ts";
import { createDraft, type Draft } from "./draft.ts";
import type { leaseProcedures, RowChanges } from "./lease-procedures.ts";
import type { Live } from "./live.ts";
import type { Operation, Scene } from "./operations.ts";
import type { Result } from "./registrations.ts";
import { instanceRow, serviceRow } from "./rows.ts";

/**
 * Writes one batch after the other: what waits meanwhile goes into the next one, so that many clients share one write. Memory takes
 * over what the database has taken, never before.
 */
export interface Writer {
  readonly submit: <T>(operation: Operation<T>) => Promise<Result<T>>;
  /** These are gone from memory; their rows follow with the next write that succeeds. */
  readonly forget: (names: readonly InstanceName[]) => void;
  /** After a failure: writes what is left over, or just tries. */
  readonly tryAgain: () => void;
  /** Resolves once nothing is under way, after a last try for rows that are left over; what waits is refused. */
  readonly close: () => Promise<void>;
}

export interface WriterOptions {
  readonly call: Call<typeof leaseProcedures>;
  readonly live: Live;
  readonly scene: () => Omit<Scene, "draft">;
  /** The registrations in memory have changed, or may have. */
  readonly onChange: () => void;
  readonly onWritten: (changes: Changes) => void;
  readonly onFailed: (error: MeshError) => void;
}

/** Beyond these, clients are told to come again. */
const maxWaiting = 10_000;
const maxBatch = 256;

interface Job {
  /** Works on the draft and keeps its answer until it is settled. */
  readonly run: (scene: Scene) => void;
  readonly settle: () => void;
  readonly reject: (error: unknown) => void;
}

export function createWriter({ call, live, scene, onChange, onWritten, onFailed }: WriterOptions): Writer {
  const waiting: Job[] = [];
  const forgotten = new Map<string, InstanceName>();
  let working = false;
  let idle = Promise.resolve();
  let failing = false;
  let trying = false;
  let closed = false;

  const runAlone = (job: Job, error: MeshError): void => {
    const draft = createDraft(live);
    job.run({ ...scene(), draft });
    if (draft.isEmpty()) job.settle();
    else job.reject(error);
  };

  const step = async (jobs: readonly Job[]): Promise<void> => {
    const draft = createDraft(live);
    const at = scene();
    for (const job of jobs) job.run({ ...at, draft });
    onChange();
    const gone = goneRows(forgotten, live, draft);
    const rows = rowsOf(draft, [...gone.values()]);
    const probe = trying;
    trying = false;
    try {
      if (!draft.isEmpty() || gone.size > 0) await call("writeRegistrations", rows);
      else if (probe) await call("tryRegistrations", undefined);
      else return settleAll(jobs);
    } catch (thrown) {
      const error = MeshError.from(thrown);
      failing = true;
      // What needs no write is done all the same: an instance that shows that it is alive must not fall for another's refusal.
      for (const job of jobs) runAlone(job, error);
      onChange();
      onFailed(error);
      return;
    }
    failing = false;
    for (const key of gone.keys()) forgotten.delete(key);
    live.apply(draft.changes);
    onChange();
    onWritten(draft.changes);
    settleAll(jobs);
  };

  /** Ends in the same turn in which nothing is left to do, so that no job can be forgotten in between. */
  const loop = async (): Promise<void> => {
    working = true;
    while (waiting.length > 0 || trying || (forgotten.size > 0 && !failing && !closed)) {
      const jobs = waiting.splice(0, maxBatch);
      try {
        await step(jobs);
      } catch (thrown) {
        failing = true;
        const error = MeshError.from(thrown);
        for (const { reject } of jobs) reject(error);
        onFailed(error);
      }
    }
    working = false;
  };

  const work = (): void => {
    if (!working) idle = loop();
  };

  return {
    submit: (operation) =>
      new Promise((resolve, reject) => {
        const refusal = closed ? isClosed() : waiting.length >= maxWaiting ? isBusy() : undefined;
        if (refusal !== undefined) return reject(refusal);
        let answer: Result<never> | undefined;
        waiting.push({
          run: (place) => {
            try {
              answer = operation(place) as Result<never>;
            } catch (error) {
              reject(error);
            }
          },
          settle: () => (answer === undefined ? reject(isClosed()) : resolve(answer)),
          reject,
        });
        work();
      }),
    forget: (names) => {
      for (const name of names) forgotten.set(`${name.host}/${name.id}`, name);
      if (names.length > 0 && !failing) work();
    },
    tryAgain: () => {
      trying = !closed;
      work();
    },
    close: async () => {
      closed = true;
      for (const { reject } of waiting.splice(0)) reject(isClosed());
      await idle;
      if (forgotten.size > 0) await step([]);
    },
  };
}

const settleAll = (jobs: readonly Job[]): void => {
  for (const { settle } of jobs) settle();
};

/** Rows whose instance did not come back meanwhile; what came back is not forgotten any more. */
function goneRows(forgotten: Map<string, InstanceName>, live: Live, draft: Draft): ReadonlyMap<string, InstanceName> {
  for (const [key, { host, id }] of forgotten) if (live.instance(host, id) !== undefined) forgotten.delete(key);
  return new Map([...forgotten].filter(([, { host, id }]) => draft.instance(host, id) === undefined));
}

function rowsOf({ changes }: Draft, gone: readonly InstanceName[]): RowChanges {
  const instances = [...changes.instances].flatMap(([host, byId]) =>
    [...byId].map(([id, change]) => ({ host, id, change })),
  );
  return {
    deletedServices: [...changes.deletedServices],
    deletedInstances: [
      ...gone,
      ...instances.flatMap(({ host, id, change }) => (change.kind === "delete" ? [{ host, id }] : [])),
    ],
    services: [...changes.services.values()].map(serviceRow),
    instances: instances.flatMap(({ host, change }) =>
      change.kind === "delete" ? [] : [instanceRow(host, change.record)],
    ),
  };
}

const isClosed = (): MeshError =>
  new MeshError("store/failed", "The registry takes no more registrations: it is closed.", {
    hint: "Try again once the server has started again.",
  });

const isBusy = (): MeshError =>
  new MeshError("store/busy", `${maxWaiting} registrations wait to be written already.`, {
    hint: "Try again in a few seconds.",
  });
