/** The statuses with which a call may end, and their codes on the wire; the others of gRPC are never said by us. */
const codes = {
  OK: 0,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  RESOURCE_EXHAUSTED: 8,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
} as const;

export type GrpcStatus = keyof typeof codes;

/** Clients bound their headers, some at 8 KiB, and a character may take nine bytes. */
const maxDetails = 800;

/** The trailers that end a call. */
export const statusHeaders = (status: GrpcStatus, details: string): Readonly<Record<string, string>> => ({
  "grpc-status": String(codes[status]),
  // A cut may part the two halves of a character.
  ...(details === "" ? {} : { "grpc-message": encodeURI(details.slice(0, maxDetails).toWellFormed()) }),
});
