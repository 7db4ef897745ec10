import { nobody, type ServeCall } from "../grpc/call.ts";
import type { ServedService } from "./served-service.ts";

const service = "/envoy.service.health.v3.HealthDiscoveryService";

const refuse: ServeCall = (call) => {
  call.end(
    "UNIMPLEMENTED",
    "health discovery (HDS) is not served here: the health of instances comes from the registries",
  );
  return nobody;
};

/** Health discovery is not served, and says so: its clients ask for it because somebody configured them to. */
export const createHds = (): ServedService => ({
  methods: { [`${service}/StreamHealthCheck`]: refuse, [`${service}/FetchHealthCheck`]: refuse },
});
