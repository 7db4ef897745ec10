import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";

/** One request that was not let in. Never holds anything that the client sent. */
export interface Failure {
  readonly peer: string;
  readonly reason: string;
  /** The name of the token, where its secret was right. */
  readonly token?: string;
}

interface Window {
  readonly failure: Failure;
  readonly attempts: number;
}

const windowMs = 1_000;
/** More peers at a time share a line. */
const maxPeers = 100;
const otherPeers = "others";

/** Logs the first failure of a peer at once, and those that follow as one line a second, with their number. */
export function createFailureLog({ clock, log }: { readonly clock: Clock; readonly log: Log }): (f: Failure) => void {
  const open = new Map<string, Window | undefined>();

  const tell = ({ failure, attempts }: Window): void =>
    log.warn({ ...failure, attempts }, attempts === 1 ? "request not let in" : "requests not let in");

  const openWindow = (peer: string): void => {
    open.set(peer, undefined);
    clock.after(windowMs, () => {
      const gathered = open.get(peer);
      open.delete(peer);
      if (gathered === undefined) return;
      tell(gathered);
      openWindow(peer);
    });
  };

  return (failure) => {
    const peer = open.has(failure.peer) || open.size < maxPeers ? failure.peer : otherPeers;
    const own = { ...failure, peer };
    if (open.has(peer)) {
      open.set(peer, { failure: own, attempts: (open.get(peer)?.attempts ?? 0) + 1 });
    } else {
      tell({ failure: own, attempts: 1 });
      openWindow(peer);
    }
  };
}
