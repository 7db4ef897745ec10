import type { Exit } from "../child.ts";

/** A process that runs beside this one. */
export interface Member {
  readonly name: string;
  readonly exited: Promise<Exit>;
  readonly stop: (options?: { readonly graceMs?: number }) => Promise<unknown>;
}

/** Processes that live and end together. */
export interface ProcessGroup {
  /**
   * Starts a member. While the group stops, nothing new starts, and what is starting is stopped as soon as it can be;
   * either way the call rejects.
   */
  readonly start: <T extends Member>(start: () => Promise<T>) => Promise<T>;
  /** Stops all members at once, each with this grace; resolves when all are gone. May be called again, with less patience too. */
  readonly stop: (options?: { readonly graceMs?: number }) => Promise<void>;
}

/** `onLoss` hears of each member that ends without being asked to. */
export function createProcessGroup(onLoss: (name: string, exit: Exit) => void): ProcessGroup {
  const members = new Set<Member>();
  const starting = new Set<Promise<unknown>>();
  let stopping = false;

  const refuseWhenStopping = () => {
    if (stopping) throw new Error("it is about to stop");
  };
  const admit = async <T extends Member>(start: () => Promise<T>): Promise<T> => {
    const member = await start();
    members.add(member);
    void member.exited.then((exit) => {
      members.delete(member);
      if (!stopping) onLoss(member.name, exit);
    });
    return member;
  };

  return {
    async start(start) {
      refuseWhenStopping();
      const admitted = admit(start);
      starting.add(admitted);
      try {
        const member = await admitted;
        refuseWhenStopping();
        return member;
      } finally {
        starting.delete(admitted);
      }
    },
    async stop(options) {
      stopping = true;
      const stopAll = () => Promise.all([...members].map((member) => member.stop(options)));
      await Promise.all([stopAll(), ...[...starting].map((start) => start.catch(() => {}))]);
      await stopAll();
    },
  };
}
