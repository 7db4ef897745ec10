import type { Selector } from "../../model/labels.ts";
import type { HttpPortProtocol } from "./gateway.ts";

interface SidecarPort {
  readonly number: number;
  readonly protocol: HttpPortProtocol;
  readonly name: string;
}

/** A listener for calls to this workload. */
export interface IngressListener {
  readonly port: SidecarPort;
  /** An IP address; the workload's own address when not given. */
  readonly bind?: string;
  /** Where the application listens: `127.0.0.1:PORT`, `[::1]:PORT`, `0.0.0.0:PORT` or `[::]:PORT` (the workload's own address). */
  readonly defaultEndpoint: { readonly address: string; readonly port: number };
}

/** A listener that the application calls other services through. */
export interface EgressListener {
  /** Services with this port number are reached through it. */
  readonly port: SidecarPort;
  /** An IP address; 127.0.0.1 when not given. */
  readonly bind?: string;
  /** As written: `namespace/host`, where namespace may be `*`, `.` or `~` (none) and host may be a wildcard. */
  readonly hosts: readonly string[];
}

/** A Sidecar (`networking.istio.io`): what a workload's proxy opens and what it may see. Without packet capture only. */
export interface SidecarSpec {
  /** Labels of the workloads; none: the default of its namespace (or, in the root namespace, of the mesh). */
  readonly workloadSelector?: Selector;
  readonly ingress: readonly IngressListener[];
  /** None: every service of the mesh is visible, and no listener is opened. */
  readonly egress: readonly EgressListener[];
}
