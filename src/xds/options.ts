/** Times and limits of the xDS server; docs/limits.md says what a client sees of each. */
export interface XdsOptions {
  /** How long to wait for an ACK before the next response of the type goes out, and before listeners and routes move on. */
  readonly ackTimeoutMs: number;
  /**
   * On the method of a single type nobody sees the answers to the others: how much later than clusters and endpoints all that
   * uses them goes out. Removals wait for so long, and the grace time.
   */
  readonly aloneLagMs: number;
  /** How long a removed resource stays after the proxy confirmed its users' new state: an ACK comes before it is applied. */
  readonly removalGraceMs: number;
  /** How long a stream may wait for the first complete world before it ends with UNAVAILABLE. */
  readonly worldTimeoutMs: number;
  /** Largest request, in bytes. */
  readonly maxRequestBytes: number;
  /** Encoded responses kept for other streams, in bytes. */
  readonly maxCachedBytes: number;
  /** Long requests kept because other proxies send the same ones, in bytes. */
  readonly maxRememberedRequestBytes: number;
  /** HTTP/2 pings find dead peers: how often, and how long for the answer. */
  readonly keepaliveIntervalMs: number;
  readonly keepaliveTimeoutMs: number;
  readonly maxConnections: number;
  /** More wait in the client until others end. */
  readonly maxStreamsPerConnection: number;
  /** Streams that give the same `node.id`; Envoy without ADS opens one for each subscription. */
  readonly maxStreamsPerNode: number;
  /** How long a new stream may say nothing. */
  readonly firstRequestMs: number;
  /** Requests that are read of one stream: in the long run, and at once after a quiet time. Answers to responses cost nothing. */
  readonly requestsPerSecond: number;
  readonly requestBurst: number;
  /** Bytes of responses that wait for one connection to take them; one response may always go. */
  readonly maxConnectionBytes: number;
  /** How long a connection may take none of the bytes that wait for it. */
  readonly stallMs: number;
  /** At 0.9 to 1.1 of it the client is told to come back on a new connection, and streams end. */
  readonly maxConnectionAgeMs: number;
  /** New streams wait while more bytes of responses than this wait for all connections together. */
  readonly maxBytesInFlight: number;
  /** New streams that are let in one after another before everybody else has a turn. */
  readonly admissionsPerTurn: number;
  /** New streams that may wait to be let in, and how long. */
  readonly maxWaitingStreams: number;
  readonly admissionTimeoutMs: number;
  /** What an ended stream had on offer is remembered for its node's next stream: how long, and of how many nodes. */
  readonly rememberMs: number;
  readonly maxRememberedStreams: number;
}

const mebibyte = 1024 * 1024;

export const defaultXdsOptions: XdsOptions = {
  ackTimeoutMs: 5_000,
  aloneLagMs: 1_000,
  removalGraceMs: 1_000,
  worldTimeoutMs: 30_000,
  maxRequestBytes: 16 * mebibyte,
  maxCachedBytes: 64 * mebibyte,
  maxRememberedRequestBytes: 8 * mebibyte,
  keepaliveIntervalMs: 10_000,
  keepaliveTimeoutMs: 20_000,
  maxConnections: 20_000,
  maxStreamsPerConnection: 100_000,
  maxStreamsPerNode: 10_000,
  firstRequestMs: 30_000,
  requestsPerSecond: 100,
  requestBurst: 1_000,
  maxConnectionBytes: 16 * mebibyte,
  stallMs: 60_000,
  maxConnectionAgeMs: 30 * 60_000,
  maxBytesInFlight: 256 * mebibyte,
  admissionsPerTurn: 8,
  maxWaitingStreams: 20_000,
  admissionTimeoutMs: 10_000,
  rememberMs: 60_000,
  maxRememberedStreams: 10_000,
};
