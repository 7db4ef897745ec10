import type { Labels } from "../../model/labels.ts";
import type { Protocol } from "../../model/port.ts";

export interface ServiceEntryPort {
  readonly number: number;
  readonly protocol: Protocol;
  readonly name: string;
  /** The number that the endpoints listen on, where it is another one. */
  readonly targetPort?: number;
}

export interface ServiceEntryEndpoint {
  /** An IP address; for resolution DNS also a host name. */
  readonly address: string;
  /** Port name to number, where it differs from the service's. */
  readonly ports: Readonly<Record<string, number>>;
  readonly labels: Labels;
  /** `region/zone/subzone`, or empty. */
  readonly locality: string;
  readonly weight: number;
}

/** A ServiceEntry (`networking.istio.io`): services that no registry reports. */
export interface ServiceEntrySpec {
  readonly hosts: readonly string[];
  readonly ports: readonly ServiceEntryPort[];
  readonly location: "MESH_EXTERNAL" | "MESH_INTERNAL";
  readonly resolution: "STATIC" | "DNS" | "DNS_ROUND_ROBIN";
  readonly endpoints: readonly ServiceEntryEndpoint[];
}
