/** What an example service says of the way that a request took, itself first. */
export interface Hop {
  readonly service: string;
  readonly version: string;
  readonly calls: readonly (Hop | FailedHop)[];
}

export interface FailedHop {
  readonly service: string;
  /** For people, for example `503 no healthy upstream`. */
  readonly failed: string;
}

const isFailed = (hop: Hop | FailedHop): hop is FailedHop => "failed" in hop;

/** Whether every service on the way answered. */
export const arrived = (hop: Hop | FailedHop): boolean => !isFailed(hop) && hop.calls.every(arrived);

/** One line: `web v1 -> reviews v2 -> ratings v1`; several calls of one service stand in brackets. */
export function formatHop(hop: Hop | FailedHop): string {
  if (isFailed(hop)) return `${hop.service} FAILED: ${hop.failed}`;
  const self = `${hop.service} ${hop.version}`;
  const calls = hop.calls.map(formatHop);
  if (calls.length === 0) return self;
  return `${self} -> ${calls.length === 1 ? calls[0] : `[${calls.join(", ")}]`}`;
}

/** Parses what another example service answered; undefined when it is something else. */
export function parseHop(text: string): Hop | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isHop(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isHop(value: unknown): value is Hop {
  if (typeof value !== "object" || value === null) return false;
  const { service, version, calls } = value as Partial<Record<keyof Hop, unknown>>;
  return typeof service === "string" && typeof version === "string" && Array.isArray(calls) && calls.every(isCall);
}

const isCall = (value: unknown): boolean =>
  isHop(value) ||
  (typeof value === "object" &&
    value !== null &&
    typeof (value as Partial<FailedHop>).service === "string" &&
    typeof (value as Partial<FailedHop>).failed === "string");
