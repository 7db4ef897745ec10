const unitsMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

/** The longest time that a timer of Node takes, in ms. */
const longestMs = 2 ** 31 - 1;

/** The header `grpc-timeout` in ms, rounded up: at most 8 digits and a unit. Undefined for what is none. */
export function deadlineMs(timeout: string): number | undefined {
  const [, digits, unit] = /^(\d{1,8})([HMSmun])$/.exec(timeout) ?? [];
  if (digits === undefined || unit === undefined) return undefined;
  return Math.min(Math.ceil(Number(digits) * (unitsMs[unit] ?? 1)), longestMs);
}
