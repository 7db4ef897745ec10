/* Discovery responses, read without being decoded. Both forms have their common parts in the same fields. */

export type Variant = "delta" | "sotw";

/** What is kept of a response of any size. */
export interface Skimmed {
  version: string;
  typeUrl: string;
  nonce: string;
  resources: number;
  /** Removed names; only in a delta response. */
  removed: number;
}

const field = { version: 1, resource: 2, typeUrl: 4, nonce: 5, removed: 6 } as const;
const kept: ReadonlySet<number> = new Set([field.version, field.typeUrl, field.nonce]);

type Step = "tag" | "length" | "value" | "skip" | "keep";

/** Reads one message that comes in parts. */
export interface Skimmer {
  readonly feed: (chunk: Buffer, from: number, to: number) => void;
  readonly result: Skimmed;
}

export function createSkimmer(variant: Variant): Skimmer {
  const result: Skimmed = { version: "", typeUrl: "", nonce: "", resources: 0, removed: 0 };
  let step: Step = "tag";
  let number = 0;
  let value = 0;
  let shift = 0;
  let left = 0;
  let parts: string[] = [];

  const enter = (next: Step): void => {
    step = next;
    value = 0;
    shift = 0;
  };

  const tagged = (): void => {
    number = value >>> 3;
    if ((value & 7) === 2) enter("length");
    else if ((value & 7) === 0) enter("value");
    else throw new Error(`a response with a field of wire type ${value & 7}`);
  };

  const sized = (): void => {
    left = value;
    if (number === field.resource) result.resources++;
    else if (number === field.removed && variant === "delta") result.removed++;
    enter(kept.has(number) ? "keep" : "skip");
    if (left === 0) done();
  };

  const done = (): void => {
    if (step === "keep") {
      const text = parts.join("");
      parts = [];
      if (number === field.version) result.version = text;
      else if (number === field.typeUrl) result.typeUrl = text;
      else result.nonce = text;
    }
    enter("tag");
  };

  return {
    result,
    feed: (chunk, from, to) => {
      let at = from;
      while (at < to) {
        if (step === "skip" || step === "keep") {
          const until = Math.min(to, at + left);
          if (step === "keep") parts.push(chunk.toString("latin1", at, until));
          left -= until - at;
          at = until;
          if (left === 0) done();
          continue;
        }
        const byte = chunk[at++] ?? 0;
        value += (byte & 127) * 2 ** shift;
        shift += 7;
        if (byte >= 128) continue;
        if (step === "tag") tagged();
        else if (step === "length") sized();
        else enter("tag");
      }
    },
  };
}

/** One resource of a response that is there as a whole. */
export interface RawResource {
  readonly name: string;
  /** Empty in state-of-the-world responses. */
  readonly version: string;
  readonly body: Buffer;
}

/** Every resource of a whole response, and the names that it removes. */
export function resourcesIn(
  message: Buffer,
  variant: Variant,
): { readonly resources: readonly RawResource[]; readonly removed: readonly string[] } {
  const resources: RawResource[] = [];
  const removed: string[] = [];
  for (const { number, bytes } of fieldsOf(message)) {
    if (number === field.resource) resources.push(variant === "delta" ? wrapped(bytes) : unwrapped(bytes));
    else if (number === field.removed && variant === "delta") removed.push(bytes.toString());
  }
  return { resources, removed };
}

/** A `Resource`: version, body and name of its own. */
function wrapped(bytes: Buffer): RawResource {
  let [name, version] = ["", ""];
  let body: Buffer = Buffer.alloc(0);
  for (const { number, bytes: part } of fieldsOf(bytes)) {
    if (number === 1) version = part.toString();
    else if (number === 2) body = messageIn(part);
    else if (number === 3) name = part.toString();
  }
  return { name, version, body };
}

/** An `Any`: each of the types that the bench is about has its name as its first field. */
function unwrapped(bytes: Buffer): RawResource {
  const body = messageIn(bytes);
  const name = [...fieldsOf(body)].find(({ number }) => number === 1);
  return { name: name?.bytes.toString() ?? "", version: "", body };
}

function messageIn(any: Buffer): Buffer {
  for (const { number, bytes } of fieldsOf(any)) if (number === 2) return bytes;
  return Buffer.alloc(0);
}

/** The length-delimited fields of a message. */
function* fieldsOf(message: Buffer): Generator<{ readonly number: number; readonly bytes: Buffer }> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = message[at++] ?? 0;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  };
  const fixed: Readonly<Record<number, number>> = { 1: 8, 5: 4 };
  while (at < message.length) {
    const tag = varint();
    if ((tag & 7) === 2) {
      const length = varint();
      yield { number: Math.floor(tag / 8), bytes: message.subarray(at, at + length) };
      at += length;
    } else if ((tag & 7) === 0) varint();
    else at += fixed[tag & 7] ?? Number.POSITIVE_INFINITY;
  }
}
