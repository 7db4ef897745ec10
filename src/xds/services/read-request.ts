import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { MeshError } from "../../base/errors.ts";

/** Throws `input/invalid` for bytes that are no such message. */
export function readRequest<D extends DescMessage>(schema: D, bytes: Uint8Array): MessageShape<D> {
  try {
    return fromBinary(schema, bytes);
  } catch (cause) {
    throw new MeshError("input/invalid", `the request is no ${schema.name}`, { cause });
  }
}
