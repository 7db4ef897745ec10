import type { ServiceDefinition, UntypedServiceImplementation } from "@grpc/grpc-js";

/** A gRPC service that stands beside discovery on the xDS port. */
export interface ServedService {
  readonly definition: ServiceDefinition<UntypedServiceImplementation>;
  readonly handlers: UntypedServiceImplementation;
  /** Ends its open calls in peace, and refuses new ones: part of a drain. Absent where no call stays open. */
  readonly end?: () => void;
}
