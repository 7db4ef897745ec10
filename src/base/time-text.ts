/** Milliseconds since the epoch as RFC 3339 in UTC: `2026-11-22T05:00:00.000Z`. */
export const timeText = (ms: number): string => new Date(ms).toISOString();
