/** An IP family, as the flag `--families` calls it. */
export type Family = "ipv4" | "ipv6";

export const families: readonly Family[] = ["ipv4", "ipv6"];

/** `first` to `last`, both among them, each 1 to 65535. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** `10.0.0.0/8`, `2001:db8::/32`. */
export interface AddressRange {
  readonly family: Family;
  readonly text: string;
}

/** What is captured of inbound connections: `redirect` rewrites their destination, `tproxy` leaves both addresses as they are. Outbound ones are always rewritten. */
export type CaptureMode = "redirect" | "tproxy";

export interface CaptureOptions {
  readonly mode: CaptureMode;
  /** Where the proxy listens for connections to this workload. */
  readonly inboundPort: number;
  /** Where the proxy listens for connections of this workload. */
  readonly outboundPort: number;
  readonly includeInboundPorts: "all" | readonly PortRange[];
  /** An exclusion goes before an inclusion, here and below. */
  readonly excludeInboundPorts: readonly PortRange[];
  /** Captured whatever the address is, beside `includeOutboundRanges`. */
  readonly includeOutboundPorts: readonly PortRange[];
  readonly excludeOutboundPorts: readonly PortRange[];
  readonly includeOutboundRanges: "all" | readonly AddressRange[];
  readonly excludeOutboundRanges: readonly AddressRange[];
  readonly excludeInterfaces: readonly string[];
  /** The user and the group that the proxy runs as: what it sends itself is not captured. */
  readonly proxyUid: number;
  readonly proxyGid: number;
  readonly excludeUids: readonly number[];
  readonly excludeGids: readonly number[];
  /** The mark of the proxy's connections that bear a client's address (`original_src` of Envoy); `tproxy` only. */
  readonly mark: number;
  readonly families: readonly Family[];
}

/** Ports, user, group and mark are Istio's. */
export const defaultCaptureOptions: CaptureOptions = {
  mode: "redirect",
  inboundPort: 15_006,
  outboundPort: 15_001,
  includeInboundPorts: "all",
  excludeInboundPorts: [],
  includeOutboundPorts: [],
  excludeOutboundPorts: [],
  includeOutboundRanges: "all",
  excludeOutboundRanges: [],
  excludeInterfaces: [],
  proxyUid: 1337,
  proxyGid: 1337,
  excludeUids: [],
  excludeGids: [],
  mark: 1337,
  families,
};
