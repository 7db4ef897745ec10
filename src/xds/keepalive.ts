import type { ServerHttp2Session } from "node:http2";
import type { Clock } from "../base/clock.ts";

/** What is used of a session: its pings and its end. */
export type Http2Session = Pick<ServerHttp2Session, "closed" | "ping" | "close">;

export interface KeepalivePorts {
  readonly clock: Clock;
  readonly session: Pick<Http2Session, "closed" | "ping">;
  /** From an answer to the next ping, and from a ping to its answer. */
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** A ping was not answered in time. */
  readonly onDead: () => void;
}

/**
 * Pings the peer until the returned function is called, or the session is closed: from its GOAWAY on HTTP/2 carries no more pings,
 * and one that is not answered then is no dead peer, whose streams are still to end in order.
 */
export function startKeepalive({ clock, session, intervalMs, timeoutMs, onDead }: KeepalivePorts): () => void {
  let stop = (): void => {};
  const wait = (): void => {
    stop = clock.after(intervalMs, beat);
  };
  const beat = (): void => {
    if (session.closed) return;
    const cancel = afterListening(clock, timeoutMs, onDead);
    stop = cancel;
    session.ping((error) => {
      // Stopped while the answer was on its way.
      if (stop !== cancel) return;
      cancel();
      if (error === null) wait();
    });
  };
  wait();
  return () => {
    stop();
    stop = () => {};
  };
}

/** Of the wait for an answer, a standstill of this process takes at most one. */
const parts = 4;

/**
 * After so long in which the process could have heard an answer: it waits in the socket while the process stands still (a
 * suspended machine, a long computation), and is read after the timers that fell due meanwhile.
 */
function afterListening(clock: Clock, delayMs: number, task: () => void): () => void {
  let left = parts;
  let stop = (): void => {};
  const wait = (): void => {
    stop = clock.after(delayMs / parts, () => (--left === 0 ? task() : wait()));
  };
  wait();
  return () => stop();
}
