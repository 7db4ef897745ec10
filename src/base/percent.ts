/** A share of 0 to 1 as `12.5 %`; a small one keeps two digits that say something. */
export function percent(share: number): string {
  const value = share * 100;
  const digits = value === 0 || value >= 1 ? 1 : Math.min(6, 1 - Math.floor(Math.log10(value)));
  return `${Number(value.toFixed(digits))} %`;
}
