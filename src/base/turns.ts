/** Who works beside others, and who alone. */
export interface Turns {
  /** Runs the task beside others of its like, once all that had to be alone and came before are done. */
  readonly together: <T>(task: () => Promise<T>) => Promise<T>;
  /** Runs the task once all that came before are done; those that come later wait for it. */
  readonly alone: <T>(task: () => Promise<T>) => Promise<T>;
}

/** Turns go by the order of the calls. A task that fails keeps nobody waiting. */
export function createTurns(): Turns {
  let lastAlone: Promise<unknown> = Promise.resolve();
  /** Since then; those that are done leave. */
  const beside = new Set<Promise<unknown>>();

  return {
    together: (task) => {
      const done = lastAlone.then(task);
      const quiet = done.then(ignore, ignore);
      beside.add(quiet);
      void quiet.then(() => beside.delete(quiet));
      return done;
    },
    alone: (task) => {
      const done = Promise.all([lastAlone, ...beside]).then(task);
      beside.clear();
      lastAlone = done.then(ignore, ignore);
      return done;
    },
  };
}

const ignore = () => {};
