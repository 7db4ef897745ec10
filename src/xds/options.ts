/** Times and limits of the xDS server. */
export interface XdsOptions {
  /** How long to wait for an ACK before the next response of the type goes out, and before listeners and routes move on. */
  readonly ackTimeoutMs: number;
  /** How long a removed resource stays after the proxy confirmed its users' new state: an ACK comes before it is applied. */
  readonly removalGraceMs: number;
  /** How long a stream may wait for the first complete world before it ends with UNAVAILABLE. */
  readonly worldTimeoutMs: number;
  /** Largest request, in bytes. */
  readonly maxRequestBytes: number;
  /** Encoded responses kept for other streams, in bytes. */
  readonly maxCachedBytes: number;
  /** HTTP/2 pings find dead peers: how often, and how long for the answer. */
  readonly keepaliveIntervalMs: number;
  readonly keepaliveTimeoutMs: number;
  readonly maxStreamsPerConnection: number;
}

const mebibyte = 1024 * 1024;

export const defaultXdsOptions: XdsOptions = {
  ackTimeoutMs: 5_000,
  removalGraceMs: 1_000,
  worldTimeoutMs: 30_000,
  maxRequestBytes: 16 * mebibyte,
  maxCachedBytes: 64 * mebibyte,
  keepaliveIntervalMs: 30_000,
  keepaliveTimeoutMs: 20_000,
  maxStreamsPerConnection: 100_000,
};
