import type { Clock } from "../base/clock.ts";

/** Notices a connection that takes none of the bytes that wait for it. */
export interface StallWatch {
  /** More bytes wait. */
  readonly waits: () => void;
  /** A whole response has left, and others wait. */
  readonly left: () => void;
  /** Nothing waits any more. */
  readonly idle: () => void;
  readonly close: () => void;
}

export interface StallWatchPorts {
  readonly clock: Clock;
  /** How long nothing may leave. */
  readonly stallMs: number;
  /** Bytes written to the socket so far. */
  readonly written: () => number;
  readonly onStall: () => void;
}

/** How often it is looked within the limit. */
const looks = 4;
/** Fewer bytes than these from one look to the next are pings and the like, which pass while responses do not. */
const noiseBytes = 1_024;

/** A long response shows as growing `written` long before it has left as a whole. Notices after 1 to 1.25 times the limit. */
export function createStallWatch({ clock, stallMs, written, onStall }: StallWatchPorts): StallWatch {
  let stop: (() => void) | undefined;
  let quietLooks = 0;
  let mark = 0;

  const wait = (): void => {
    stop = clock.after(stallMs / looks, look);
  };

  const look = (): void => {
    const quiet = written() - mark < noiseBytes;
    mark = written();
    quietLooks = quiet ? quietLooks + 1 : 0;
    if (quietLooks < looks) wait();
    else {
      stop = undefined;
      onStall();
    }
  };

  const idle = (): void => {
    stop?.();
    stop = undefined;
  };

  return {
    waits() {
      if (stop !== undefined) return;
      quietLooks = 0;
      mark = written();
      wait();
    },
    left() {
      // The next look is not a quiet one, whatever it finds.
      quietLooks = -1;
    },
    idle,
    close: idle,
  };
}
