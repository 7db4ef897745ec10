import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { Random } from "./random.ts";

/** Takes a message, and other messages to take parts from; gives what may be no message any more. */
type Mutation = (bytes: Buffer, random: Random, others: readonly Buffer[]) => Buffer;

const someOther = (random: Random, others: readonly Buffer[]): Buffer =>
  others[random.int(others.length)] ?? Buffer.alloc(0);

/** Field by field; the rest, where it is no message, is the last one. */
function fieldsOf(bytes: Buffer): readonly Buffer[] {
  const fields: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const next = fieldEnd(bytes, at);
    fields.push(bytes.subarray(at, next));
    at = next;
  }
  return fields;
}

/** Where the field that begins at `at` ends; the end of all where it is no field. */
function fieldEnd(bytes: Buffer, at: number): number {
  const [tag, afterTag] = varintAt(bytes, at);
  const wireType = tag % 8;
  if (wireType === WireType.Varint) return varintAt(bytes, afterTag)[1];
  if (wireType === WireType.Bit64) return Math.min(bytes.length, afterTag + 8);
  if (wireType === WireType.Bit32) return Math.min(bytes.length, afterTag + 4);
  if (wireType !== WireType.LengthDelimited) return bytes.length;
  const [length, start] = varintAt(bytes, afterTag);
  return Math.min(bytes.length, start + length);
}

function varintAt(bytes: Buffer, at: number): readonly [value: number, end: number] {
  let value = 0;
  for (let i = 0; i < 10 && at + i < bytes.length; i++) {
    const byte = bytes[at + i] ?? 0;
    value += (byte % 128) * 2 ** (7 * i);
    if (byte < 128) return [value, at + i + 1];
  }
  return [value, bytes.length];
}

const hugeVarints = [
  Buffer.from("ffffffffffffffffff01", "hex"),
  Buffer.from("ffffffffffffffffffffffff01", "hex"),
  Buffer.from("ffffffff0f", "hex"),
  Buffer.from("ffffffff07", "hex"),
  Buffer.from("80808080808080808000", "hex"),
] as const;

const notUtf8 = [
  Buffer.from("ff", "hex"),
  Buffer.from("c080", "hex"),
  Buffer.from("eda080", "hex"),
  Buffer.from("f8888080", "hex"),
  Buffer.from("e282", "hex"),
] as const;

const insertedAt = (bytes: Buffer, at: number, piece: Buffer): Buffer =>
  Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]);

/** A message in a message in a message; or, of wire type 3, groups that are never closed. */
function nested(random: Random): Buffer {
  const depth = random.pick([3, 50, 99, 101, 500, 5_000]);
  const field = random.pick([1, 2, 3, 5, 6, 15, 1_000]);
  if (random.chance(0.3)) {
    const open = new BinaryWriter().tag(field, WireType.StartGroup).finish();
    const close = new BinaryWriter().tag(field, WireType.EndGroup).finish();
    return Buffer.concat(Array.from({ length: depth * 2 }, (_, i) => (i < depth ? open : close)));
  }
  // From the inside out: lengths are known only then.
  const heads: Uint8Array[] = [];
  let length = 0;
  for (let i = 0; i < depth; i++) {
    const head = new BinaryWriter().tag(field, WireType.LengthDelimited).uint32(length).finish();
    heads.push(head);
    length += head.length;
  }
  return Buffer.concat(heads.reverse());
}

const mutations: readonly (readonly [weight: number, Mutation])[] = [
  [
    4,
    function flipBits(bytes, random) {
      const flipped = Buffer.from(bytes);
      for (let i = random.int(8); i >= 0 && bytes.length > 0; i--) {
        const at = random.int(bytes.length);
        flipped[at] = (flipped[at] ?? 0) ^ (1 << random.int(8));
      }
      return flipped;
    },
  ],
  [2, (bytes, random) => bytes.subarray(0, random.int(bytes.length + 1))],
  [
    2,
    function splice(bytes, random, others) {
      const other = someOther(random, others);
      const [from, to] = [random.int(bytes.length + 1), random.int(other.length + 1)];
      return Buffer.concat([bytes.subarray(0, from), other.subarray(to)]);
    },
  ],
  [
    3,
    function takeFields(bytes, random, others) {
      const foreign = fieldsOf(someOther(random, others)).filter(() => random.chance(0.5));
      return Buffer.concat([bytes, ...foreign]);
    },
  ],
  [
    3,
    function repeatField(bytes, random) {
      const fields = fieldsOf(bytes);
      const one = fields[random.int(fields.length)] ?? bytes;
      return Buffer.concat([bytes, ...Array.from({ length: random.pick([1, 2, 20, 300]) }, () => one)]);
    },
  ],
  [2, (bytes, random) => Buffer.concat(fieldsOf(bytes).filter(() => random.chance(0.7)))],
  [1, (bytes, random) => Buffer.concat([...fieldsOf(bytes)].sort(() => random.int(3) - 1))],
  [2, (bytes, random) => insertedAt(bytes, random.int(bytes.length + 1), random.pick(hugeVarints))],
  [2, (bytes, random) => insertedAt(bytes, random.int(bytes.length + 1), random.pick(notUtf8))],
  [1, (bytes, random) => insertedAt(bytes, random.int(bytes.length + 1), random.bytes(random.int(40)))],
  [1, (bytes, random) => Buffer.concat([bytes, nested(random)])],
  [1, (_, random) => random.bytes(random.int(200))],
];

/** The message with one to three things wrong with it. */
export function mutated(bytes: Buffer, random: Random, others: readonly Buffer[]): Buffer {
  let result = bytes;
  for (
    let left = random.weighted([
      [6, 1],
      [2, 2],
      [1, 3],
    ] as const);
    left > 0;
    left--
  ) {
    result = random.weighted(mutations)(result, random, others);
  }
  return result;
}
