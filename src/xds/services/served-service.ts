import type { ServeCall } from "../grpc/call.ts";

/** A gRPC service that stands beside discovery on the xDS port. */
export interface ServedService {
  /** Who serves which path, `/package.Service/Method`. */
  readonly methods: Readonly<Record<string, ServeCall>>;
  /** Ends its open calls in peace, and refuses new ones: part of a drain. Absent where no call stays open. */
  readonly end?: () => void;
}
