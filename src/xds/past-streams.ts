import type { Clock } from "../base/clock.ts";
import type { XdsOptions } from "./options.ts";
import type { Offered } from "./push-plan.ts";
import type { StreamKind } from "./stream-kind.ts";

/**
 * What the streams of a node have on offer, or had when they ended. A proxy that comes back still runs it, and a
 * state-of-the-world client cannot say so. Kept by reference, for a time, of so many streams.
 */
export interface PastStreams {
  /** What the node's latest stream of this kind has or had; undefined when there is none, or for delta, whose clients tell. */
  readonly of: (node: string, kind: StreamKind) => Offered | undefined;
  /** A stream stands: the old one of a proxy that comes back may be half open. The returned function ends it. */
  readonly stand: (node: string, kind: StreamKind, offered: () => Offered | undefined) => () => void;
  readonly close: () => void;
}

interface Past {
  readonly offered: Offered;
  readonly untilMs: number;
}

export function createPastStreams(
  clock: Clock,
  { rememberMs, maxRememberedStreams }: Pick<XdsOptions, "rememberMs" | "maxRememberedStreams">,
): PastStreams {
  /** The latest is the last. */
  const standing = new Map<string, Set<() => Offered | undefined>>();
  /** Those that go first are first. */
  const past = new Map<string, Past>();
  let stopSweep: (() => void) | undefined;

  const sweep = (): void => {
    stopSweep = undefined;
    const now = clock.monotonic();
    for (const [key, { untilMs }] of past) {
      if (untilMs > now) {
        stopSweep = clock.after(untilMs - now, sweep);
        return;
      }
      past.delete(key);
    }
  };

  const remember = (key: string, offered: Offered): void => {
    past.delete(key);
    past.set(key, { offered, untilMs: clock.monotonic() + rememberMs });
    const [oldest] = past.keys();
    if (past.size > maxRememberedStreams && oldest !== undefined) past.delete(oldest);
    stopSweep ??= clock.after(rememberMs, sweep);
  };

  return {
    of(node, kind) {
      if (kind.variant !== "sotw") return undefined;
      const key = keyOf(node, kind);
      const present = [...(standing.get(key) ?? [])].at(-1)?.();
      if (present !== undefined) return present;
      const found = past.get(key);
      return found !== undefined && found.untilMs > clock.monotonic() ? found.offered : undefined;
    },

    stand(node, kind, offered) {
      if (kind.variant !== "sotw") return () => {};
      const key = keyOf(node, kind);
      const streams = standing.get(key) ?? new Set();
      standing.set(key, streams.add(offered));
      return () => {
        streams.delete(offered);
        if (streams.size === 0) standing.delete(key);
        const last = offered();
        if (last !== undefined) remember(key, last);
      };
    },

    close() {
      stopSweep?.();
      past.clear();
    },
  };
}

const keyOf = (node: string, { only }: StreamKind): string => `${only ?? "ADS"} ${node}`;
