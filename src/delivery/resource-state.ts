import type { Resource } from "../envoy/resource-set.ts";
import { resourceType } from "../envoy/resource-types.ts";
import type { Entry } from "./history.ts";

export type DeliveryStatus = "pending" | "accepted" | "refused";

/** Where the resource stands in the version last sent. */
export function statusOf({ sent, accepted, refused, leaving }: Entry): DeliveryStatus {
  if (refused?.version === sent) return "refused";
  return accepted === sent && !leaving ? "accepted" : "pending";
}

/**
 * What a proxy said of a resource in exactly this version; undefined where it did not ask for the resource. Of types of which
 * every proxy gets everything, what was not sent yet is pending. A version that only shared a response with one that is at
 * fault was neither accepted nor refused: it is pending.
 */
export function resourceState(
  { type, version }: Pick<Resource, "type" | "version">,
  entry: Entry | undefined,
): DeliveryStatus | undefined {
  if (entry === undefined) return resourceType(type).wildcard ? "pending" : undefined;
  const { sent, accepted, refused, leaving } = entry;
  if (refused?.suspect === true && refused.version === version) return "refused";
  return accepted === version && sent === version && !leaving ? "accepted" : "pending";
}

export interface Counts {
  readonly resources: number;
  /** Sent, not answered yet; removals too. */
  readonly pending: number;
  /** Refused in the version last sent, and suspected of being at fault. */
  readonly refused: number;
}

export function countsIn(entries: Iterable<Entry>): Counts {
  let [resources, pending, refused] = [0, 0, 0];
  for (const entry of entries) {
    const status = statusOf(entry);
    resources++;
    if (status === "pending") pending++;
    if (status === "refused" && entry.refused?.suspect === true) refused++;
  }
  return { resources, pending, refused };
}
