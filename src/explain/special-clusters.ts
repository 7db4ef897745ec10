import { blackHoleCluster, inboundPassthroughCluster, passthroughCluster } from "../envoy/names.ts";
import type { PlacedOrigin } from "./places.ts";

const ownPorts: ReadonlySet<string> = new Set(["proxyListenPort", "proxyInboundListenPort"]);

/** Of clusters that stand for no service: what they are for, in words that go on the name. */
const meanings: Readonly<Record<string, (origins: readonly PlacedOrigin[]) => string>> = {
  [passthroughCluster]: () => "to where it was dialled, as no registry knows that (outboundTrafficPolicy ALLOW_ANY)",
  [blackHoleCluster]: (origins) =>
    origins.some((origin) => origin.kind === "setting" && ownPorts.has(origin.name))
      ? "to nobody, as the port is the proxy's own and calls to it would go round in circles"
      : "to nobody, as no registry knows where it was dialled (outboundTrafficPolicy REGISTRY_ONLY)",
  [inboundPassthroughCluster]: () => "to the workload as it is, as no service of it has the port",
};

export const meaningOf = (cluster: string, origins: readonly PlacedOrigin[]): string | undefined =>
  meanings[cluster]?.(origins);
