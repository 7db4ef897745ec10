const units: readonly (readonly [string, number])[] = [
  ["d", 86_400],
  ["h", 3_600],
  ["m", 60],
  ["s", 1],
];

/** How long ago something was, in its largest unit: `0s`, `42s`, `5m`, `3h`, `12d`. What lies ahead is `0s`, what is no time `?`. */
export function formatAge(thenMs: number, nowMs: number): string {
  if (Number.isNaN(thenMs)) return "?";
  const seconds = Math.max(0, Math.floor((nowMs - thenMs) / 1_000));
  const [unit, length] = units.find(([, size]) => seconds >= size) ?? ["s", 1];
  return `${Math.floor(seconds / length)}${unit}`;
}

/** How long it is until then, in the same way. */
export const formatTimeLeft = (thenMs: number, nowMs: number): string => formatAge(nowMs, thenMs);
