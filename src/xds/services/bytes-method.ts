import type { MethodDefinition } from "@grpc/grpc-js";

const asIs = (bytes: Buffer): Buffer => bytes;

/**
 * A method whose messages pass as bytes, with a stream each way. On the wire a unary call is no other: one message each way; as a
 * stream, it can be told when its answer has left. `path`: `/package.Service/Method`.
 */
export const bytesMethod = (path: string): MethodDefinition<Buffer, Buffer> => ({
  path,
  requestStream: true,
  responseStream: true,
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
});
