import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import { memoize } from "../base/memo.ts";

/** The message inside; undefined where it is of another type. Remembered with the Any. Throws where the bytes are none. */
export const unpacked = <D extends DescMessage>(schema: D, any: Any): MessageShape<D> | undefined =>
  unpackedOnce(any, schema) as MessageShape<D> | undefined;

const unpackedOnce = memoize((any: Any, schema: DescMessage) => anyUnpack(any, schema));
