import type { Clock } from "../base/clock.ts";
import type { Http2Session } from "./http2-sessions.ts";

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
 * Pings the peer until the returned function is called, or the session is closed: from its GOAWAY on HTTP/2 carries no more pings.
 * grpc-js's own keepalive takes that for a dead peer, and destroys the connection under streams that are to end in order.
 */
export function startKeepalive({ clock, session, intervalMs, timeoutMs, onDead }: KeepalivePorts): () => void {
  let stop = (): void => {};
  const wait = (): void => {
    stop = clock.after(intervalMs, beat);
  };
  const beat = (): void => {
    if (session.closed) return;
    const cancel = clock.after(timeoutMs, onDead);
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
