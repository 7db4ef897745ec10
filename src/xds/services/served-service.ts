import type { ServiceDefinition, UntypedServiceImplementation } from "@grpc/grpc-js";

/** A gRPC service, ready to be added to a server. */
export interface ServedService {
  readonly definition: ServiceDefinition<UntypedServiceImplementation>;
  readonly handlers: UntypedServiceImplementation;
}
