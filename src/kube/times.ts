/** Times of a reflector. Those of client-go, where it has one. */
export interface ReflectorTimes {
  /** First pause after a failure; it doubles with each further one. Every pause is lengthened by up to as much again, by chance. */
  readonly minPauseMs: number;
  readonly maxPauseMs: number;
  /** After so long without a failure the pauses begin anew. */
  readonly healthyMs: number;
  /** Pause while the server does not know the kind. */
  readonly absentPauseMs: number;
  /** The server ends a watch after a time between these, by chance. */
  readonly minWatchMs: number;
  readonly maxWatchMs: number;
  /** A watch that ends sooner, and said nothing new, has failed. */
  readonly shortWatchMs: number;
  /** A watch that says nothing for so long is dead: bookmarks come each minute. */
  readonly silenceMs: number;
  /** Silence in the middle of a list after which it has failed; a streamed list that does not say that it is complete falls silent, too. */
  readonly listSilenceMs: number;
  /** A streamed list may take so long. */
  readonly listMs: number;
  /** Events are gathered into one new map for so long, the longer the more come; the first one after a quiet time comes at once. */
  readonly minGatherMs: number;
  readonly maxGatherMs: number;
}

export const defaultReflectorTimes: ReflectorTimes = {
  minPauseMs: 800,
  maxPauseMs: 30_000,
  healthyMs: 120_000,
  absentPauseMs: 60_000,
  minWatchMs: 300_000,
  maxWatchMs: 600_000,
  shortWatchMs: 1_000,
  silenceMs: 180_000,
  listSilenceMs: 10_000,
  listMs: 120_000,
  minGatherMs: 10,
  maxGatherMs: 200,
};
