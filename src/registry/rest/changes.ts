import type { Hostname } from "../../model/hostname.ts";
import type { InstanceRecord, ServiceRecord } from "./records.ts";

/** What was written, to be taken over into memory. */
export interface Changes {
  /** Goes before what is put, and takes the instances with it. */
  readonly deletedServices: ReadonlySet<Hostname>;
  readonly services: ReadonlyMap<Hostname, ServiceRecord>;
  readonly instances: ReadonlyMap<Hostname, ReadonlyMap<string, InstanceChange>>;
}

export type InstanceChange =
  /** It registered itself: its lease begins anew. */
  | { readonly kind: "put"; readonly record: InstanceRecord }
  /** Somebody else changed it; it may be gone meanwhile. */
  | { readonly kind: "amend"; readonly record: InstanceRecord }
  | { readonly kind: "delete" };

export interface InstanceName {
  readonly host: Hostname;
  readonly id: string;
}
