import { markerPrefix } from "../fixture/edits.ts";

/** Which event of a run of endpoint changes has arrived where, read from the addresses in the responses. */
export interface ChurnWatch {
  readonly scan: (stream: number, message: Buffer, at: number) => void;
  /** A response that was too large to be looked at: the stream's figures do not count. */
  readonly blind: (stream: number) => void;
  readonly isBlind: (stream: number) => boolean;
  /** Has it every event? */
  readonly isComplete: (stream: number) => boolean;
  /** When event `event` or a later one of its service arrived at the stream; undefined: never. */
  readonly arrivedAt: (stream: number, event: number) => number | undefined;
}

const prefix = Buffer.from(markerPrefix);

/** `previous`: for each event the one before it at the same service, or -1. Events before `first` are of an earlier run. */
export function watchChurn(streams: number, first: number, previous: readonly number[]): ChurnWatch {
  const times = new Float64Array(streams * previous.length);
  const blind = new Set<number>();
  const mark = (stream: number, marker: number, at: number): void => {
    // Who has a later event has the earlier ones of its service too.
    for (let event = marker - first; event >= 0 && event < previous.length; event = previous[event] ?? -1) {
      const slot = stream * previous.length + event;
      if (times[slot] !== 0) return;
      times[slot] = at;
    }
  };
  return {
    scan: (stream, message, at) => {
      for (let found = message.indexOf(prefix); found >= 0; found = message.indexOf(prefix, found + 1)) {
        mark(stream, markerAt(message, found + prefix.length), at);
      }
    },
    blind: (stream) => {
      blind.add(stream);
    },
    isBlind: (stream) => blind.has(stream),
    isComplete: (stream) => !times.subarray(stream * previous.length, (stream + 1) * previous.length).includes(0),
    arrivedAt: (stream, event) => times[stream * previous.length + event] || undefined,
  };
}

/** The last two numbers of an address, as one. */
function markerAt(message: Buffer, from: number): number {
  const [high = "0", low = "0"] = message.toString("latin1", from, from + 7).split(/[^0-9]/);
  return Number(high) * 256 + Number(low);
}
