import { createSkimmer, type Skimmed, type Skimmer, type Variant } from "./skim.ts";

/** One response as it arrived. */
export interface Arrival extends Readonly<Skimmed> {
  /** With the five bytes before the message. */
  readonly bytes: number;
  /** The message itself, where it was kept; only valid during the call unless `keep` was asked for. */
  readonly whole?: Buffer;
}

export interface MessageReaderOptions {
  readonly variant: Variant;
  /** Larger messages are only skimmed. */
  readonly wholeUpTo: number;
  readonly onResponse: (arrival: Arrival) => void;
}

const prefixBytes = 5;

/** Cuts the payload of DATA frames into gRPC messages. */
export function createMessageReader(options: MessageReaderOptions): (chunk: Buffer, from: number, to: number) => void {
  const { variant, wholeUpTo, onResponse } = options;
  const prefix = Buffer.alloc(prefixBytes);
  let prefixHas = 0;
  let length = 0;
  let left = 0;
  let skimmer: Skimmer | undefined;
  let whole: Buffer | undefined;

  const emit = (message: Buffer | undefined): void => {
    const done = skimmer ?? skimmerOf(message);
    const arrival = { ...done.result, bytes: length + prefixBytes };
    skimmer = undefined;
    whole = undefined;
    prefixHas = 0;
    onResponse(message === undefined ? arrival : { ...arrival, whole: message });
  };

  const skimmerOf = (message: Buffer | undefined): Skimmer => {
    const made = createSkimmer(variant);
    if (message !== undefined) made.feed(message, 0, message.length);
    return made;
  };

  const begin = (): void => {
    if (prefix[0] !== 0) throw new Error("the server compresses its messages, which the bench does not read");
    length = prefix.readUInt32BE(1);
    left = length;
    if (length > wholeUpTo) skimmer = createSkimmer(variant);
  };

  return (chunk, from, to) => {
    let at = from;
    while (at < to || (prefixHas === prefixBytes && left === 0)) {
      if (prefixHas < prefixBytes) {
        const taken = chunk.copy(prefix, prefixHas, at, Math.min(to, at + prefixBytes - prefixHas));
        prefixHas += taken;
        at += taken;
        if (prefixHas < prefixBytes) return;
        begin();
      }
      const until = Math.min(to, at + left);
      if (skimmer !== undefined) skimmer.feed(chunk, at, until);
      else if (until - at < length) {
        // In parts: a buffer of its own.
        whole ??= Buffer.allocUnsafe(length);
        chunk.copy(whole, length - left, at, until);
      }
      const message = skimmer === undefined ? (whole ?? chunk.subarray(at, until)) : undefined;
      left -= until - at;
      at = until;
      if (left === 0) emit(message);
    }
  };
}
