import type { Repair } from "../envoy/resource-set.ts";
import type { Reachable } from "./scope.ts";

/** A port of a service in words: `reviews.shop.svc.cluster.local (http)`. */
export const portText = ({ service, port }: Reachable): string => `${service.hostname} (${port.protocol})`;

/** Tells that some services had to give way at a listener; `reason`: a sentence without its full stop. */
export const conflictAt = (listener: string, reason: string): Repair => ({
  type: "LDS",
  name: listener,
  kind: "conflict",
  reason,
});
