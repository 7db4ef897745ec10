import { encodeEmptyResource, type ResponseContent } from "../envoy/discovery-response.ts";
import type { Resource, ResourceMap } from "../envoy/resource-set.ts";
import type { ResourceType } from "../envoy/resource-types.ts";
import type { ClientTraits } from "./client-traits.ts";
import type { Offered, PushPlan } from "./push-plan.ts";
import type { AskedType, TypeState } from "./stream-state.ts";

/** What the two variants of the protocol have in common of a request. */
export interface CommonRequest {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly error?: string;
}

/** Where the two variants differ. */
export interface Dialect<Request extends CommonRequest> {
  readonly variant: "sotw" | "delta";
  /** Takes the names of any request, be it an ACK, a NACK, stale or neither. */
  readonly subscribe: (state: TypeState, request: Request) => AskedType;
  /** The plan for a proxy that is at work on what an earlier stream gave it: for one type, from its first request of it. */
  readonly resumePlan: (plan: PushPlan, state: AskedType, past: Offered | undefined) => PushPlan;
  /** What is to be sent now of what is on offer, and which names that are still to come stay asked for. */
  readonly compose: (
    state: AskedType,
    offered: ResourceMap,
    target: ResourceMap,
    broken: ReadonlySet<string>,
    traits: ClientTraits,
  ) => Outgoing;
}

export type Outgoing =
  | { readonly kind: "nothing"; readonly pending: ReadonlySet<string> }
  /** Something is owed, and must wait for what is still to come. */
  | { readonly kind: "wait" }
  | {
      readonly kind: "send";
      readonly pending: ReadonlySet<string>;
      readonly content: ResponseContent;
      /** Those of its resources that the proxy did not have in this version, or asked for again. */
      readonly renewed: readonly Resource[];
      /** It may go out in parts. */
      readonly isDivisible: boolean;
    };

/** These are still to come, and there is nothing to say now. */
export const onlyPending = (pending: ReadonlySet<string>): Outgoing => ({ kind: "nothing", pending });

export const emptyContent: ResponseContent = {
  resources: [],
  removed: [],
  missing: [],
  unavailable: [],
  bodiless: [],
  heartbeats: [],
  ttl: false,
};

/** A proxy that waits for something of this name is told that there is nothing in it, lest it wait for ever. */
export const emptyResource = ({ short }: ResourceType, name: string): Resource => ({
  type: short,
  name,
  version: "absent",
  bytes: encodeEmptyResource(name),
  references: [],
  provenance: () => [{ pointer: "", origins: [{ kind: "repair", reason: "nothing of this name is known" }] }],
});
