import { type ServerDuplexStream, status } from "@grpc/grpc-js";
import { bytesMethod } from "./bytes-method.ts";
import type { ServedService } from "./served-service.ts";

const service = "/envoy.service.health.v3.HealthDiscoveryService";
/** Health discovery is not served, and says so: its clients ask for it because somebody configured them to. */
export function createHds(): ServedService {
  const refuse = (stream: ServerDuplexStream<Buffer, Buffer>): void => {
    const details = "health discovery (HDS) is not served here: the health of instances comes from the registries";
    stream.emit("error", { code: status.UNIMPLEMENTED, details });
  };
  return {
    definition: {
      streamHealthCheck: bytesMethod(`${service}/StreamHealthCheck`),
      fetchHealthCheck: bytesMethod(`${service}/FetchHealthCheck`),
    },
    handlers: { streamHealthCheck: refuse, fetchHealthCheck: refuse },
  };
}
