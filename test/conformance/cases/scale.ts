/** How much the cases of load do: little in CI, as much as their statements say with `FAIRWAY_CONFORMANCE=long`. Times in milliseconds. */
export interface Scale {
  /** Changes that a client does not read, and bytes of each. */
  readonly unreadChanges: number;
  readonly changeBytes: number;
  /** What one connection may hold back. */
  readonly connectionBytes: number;
  /** Clients that live through the age of their connections. */
  readonly agingClients: number;
  readonly ageMs: number;
  readonly drainedStreams: number;
  readonly drainMs: number;
  /** How often a client pings, and how many times. */
  readonly pingMs: number;
  readonly pings: number;
  readonly hostileRequests: number;
  readonly mutants: number;
}

const kibibyte = 1_024;

const short: Scale = {
  unreadChanges: 20,
  changeBytes: 128 * kibibyte,
  connectionBytes: 512 * kibibyte,
  agingClients: 20,
  ageMs: 800,
  drainedStreams: 100,
  drainMs: 1_000,
  pingMs: 1_100,
  pings: 3,
  hostileRequests: 1_200,
  mutants: 100,
};

const long: Scale = {
  unreadChanges: 1_000,
  changeBytes: 1_024 * kibibyte,
  // Less than the first responses of all that do not read.
  connectionBytes: 4 * 1_024 * kibibyte,
  agingClients: 100,
  ageMs: 2_000,
  drainedStreams: 500,
  drainMs: 5_000,
  pingMs: 10_000,
  pings: 12,
  hostileRequests: 20_000,
  mutants: 5_000,
};

export const scale: Scale = process.env["FAIRWAY_CONFORMANCE"] === "long" ? long : short;
