import { formatHostPort } from "../base/host-port.ts";
import type { DialledAddress } from "./capture.ts";
import type { Outcome } from "./explanation.ts";

/** What the listener knows of where the client dialled, with what is known of it here. */
export type KnownDestination =
  | { readonly kind: "unknown" }
  | { readonly kind: "known"; readonly dialled?: DialledAddress };

/** A cluster that leads to where the client dialled leads to that address, or, where nobody knows it, to nobody. */
export function dialledOutcome(outcome: Outcome, known: KnownDestination): Outcome {
  const { result } = outcome;
  if (!("leadsTo" in result) || result.leadsTo.kind !== "original-destination") return outcome;
  const isKnown = known.kind === "known";
  const { address: host, port = 0 } = (isKnown && known.dialled) || {};
  const address = host === undefined ? {} : { address: formatHostPort({ host, port }) };
  return { ...outcome, result: { ...result, leadsTo: { ...result.leadsTo, isKnown, ...address } } };
}
