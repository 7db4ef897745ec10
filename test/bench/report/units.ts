/** A metric's value for people; the end of its name says the unit. */
export function valueText(metric: string, value: number): string {
  if (Number.isNaN(value)) return "-";
  const [, unit = ""] = /(Ms|S|Bytes|Share|Count|Factor)$/.exec(metric) ?? [];
  return (formats[unit] ?? plain)(value);
}

const plain = (value: number): string => (Number.isInteger(value) ? String(value) : value.toPrecision(3));

const formats: Readonly<Record<string, (value: number) => string>> = {
  Ms: (value) =>
    value >= 10_000 ? `${(value / 1e3).toFixed(1)} s` : `${value >= 100 ? value.toFixed(0) : value.toPrecision(3)} ms`,
  S: (value) => `${value >= 10 ? value.toFixed(1) : value.toFixed(3)} s`,
  Bytes: (value) =>
    value >= 1e6
      ? `${(value / 1e6).toFixed(1)} MB`
      : value >= 1e3
        ? `${(value / 1e3).toFixed(1)} kB`
        : `${value.toFixed(0)} B`,
  Share: (value) => `${(100 * value).toFixed(0)} %`,
};

export const ratioText = (value: number): string =>
  value === Number.POSITIVE_INFINITY ? "∞" : `${value >= 10 ? value.toFixed(0) : value.toPrecision(2)} x`;
