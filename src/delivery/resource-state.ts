import type { Resource } from "../envoy/resource-set.ts";
import { resourceType } from "../envoy/resource-types.ts";
import type { DeliveryStatus, ResourceReceipts } from "./receipts.ts";

/**
 * What a proxy said of a resource in exactly this version; undefined where it did not ask for the resource. Of types of which
 * every proxy gets everything, what was not sent yet is pending. A version that only shared a response with one that is at
 * fault was neither accepted nor refused: it is pending.
 */
export function resourceState(
  { type, version }: Pick<Resource, "type" | "version">,
  receipts: ResourceReceipts | undefined,
): DeliveryStatus | undefined {
  if (receipts === undefined) return resourceType(type).wildcard ? "pending" : undefined;
  const { sent, accepted, refused, leaving } = receipts;
  if (refused?.suspect === true && refused.version === version) return "refused";
  const isOnItsWay = leaving || (sent !== undefined && sent.version !== version);
  return accepted?.version === version && !isOnItsWay ? "accepted" : "pending";
}
