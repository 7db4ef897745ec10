import { httpProxyRouteName } from "../envoy/names.ts";
import type { Resource } from "../envoy/resource-set.ts";
import { loopbackAddresses } from "../model/ip-families.ts";
import { compileHttpListener } from "./listeners.ts";
import { fromSetting } from "./origins.ts";
import type { OutboundPolicy, SidecarSettings } from "./sidecar-settings.ts";

const origin = fromSetting("proxyHttpPort");

/** What no registry knows gets no answer there, whatever the policy is: the proxy is told names, and looks up none. */
export const httpProxyPolicy: OutboundPolicy = { mode: "REGISTRY_ONLY", origin };

/** The listener for applications that call by an HTTP proxy; undefined where the mesh has none. */
export function compileHttpProxyListener({ mesh, families }: SidecarSettings): Resource | undefined {
  const port = mesh.proxyHttpPort;
  if (port === 0) return undefined;
  const [bind = "", ...others] = loopbackAddresses[families];
  return compileHttpListener({
    ...{ bind, others, port, direction: "outbound", edge: false, clusters: [], origin },
    routes: { kind: "rds", name: httpProxyRouteName },
  });
}
