const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Parses `10s`, `1.5s`, `1h30m`, `250ms` to milliseconds; undefined for anything else, and for parts of a millisecond. */
export function parseDurationMs(text: string): number | undefined {
  if (!/^([0-9]{1,9}(\.[0-9]{1,9})?(ms|s|m|h))+$/.test(text)) return undefined;
  const parts = [...text.matchAll(/([0-9.]+)(ms|s|m|h)/g)];
  const totalMs = parts.reduce((sum, [, number, unit]) => sum + Number(number) * (units[unit ?? ""] ?? 0), 0);
  return Number.isInteger(totalMs) ? totalMs : undefined;
}
