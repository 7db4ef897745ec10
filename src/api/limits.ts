/** Bounds of what one client can cost. Sizes in bytes, times in milliseconds. */
export interface ApiLimits {
  /** Of a body with one rule, one instance, one token. */
  readonly ruleBytes: number;
  /** Of a change set, and of many instances together. */
  readonly changeSetBytes: number;
  /** Of each token, in the long run; and at once after a quiet time. */
  readonly requestsPerSecond: number;
  readonly requestBurst: number;
  /** Of each instance's heartbeats, which do not count among the token's requests. */
  readonly heartbeatsPerSecond: number;
  readonly heartbeatBurst: number;
  /** For the headers, and for the whole request, to arrive. */
  readonly headersMs: number;
  readonly requestMs: number;
  readonly connections: number;
  /** Open watches, in all and of one token. */
  readonly watchers: number;
  readonly watchersPerToken: number;
  /** Between two signs of life on a watch. */
  readonly heartbeatMs: number;
  /** A watch that was quiet for so long is told where it stands. */
  readonly bookmarkMs: number;
  /** A watcher that takes nothing for so long is cut off. */
  readonly stalledMs: number;
}

export const defaultApiLimits: ApiLimits = {
  ruleBytes: 1024 * 1024,
  changeSetBytes: 4 * 1024 * 1024,
  requestsPerSecond: 200,
  requestBurst: 1_000,
  heartbeatsPerSecond: 5,
  heartbeatBurst: 10,
  headersMs: 5_000,
  requestMs: 10_000,
  connections: 4_096,
  watchers: 1_000,
  watchersPerToken: 100,
  heartbeatMs: 10_000,
  bookmarkMs: 30_000,
  stalledMs: 10_000,
};
