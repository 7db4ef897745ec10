/** The value below which this share of an ascending list lies; NaN for an empty one. */
export function quantile(ascending: ArrayLike<number>, share: number): number {
  return ascending[Math.round(share * (ascending.length - 1))] ?? Number.NaN;
}

export const ascending = (values: readonly number[]): readonly number[] => [...values].sort((a, b) => a - b);

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Of an even count the mean of the two in the middle. */
export function spreadOf(values: readonly number[]): Spread {
  const list = ascending(values.filter((value) => !Number.isNaN(value)));
  const middle = (list.length - 1) / 2;
  const median = ((list[Math.floor(middle)] ?? Number.NaN) + (list[Math.ceil(middle)] ?? Number.NaN)) / 2;
  return { median, min: list[0] ?? Number.NaN, max: list.at(-1) ?? Number.NaN };
}
