/** Labels of an instance, a proxy or a rule. */
export type Labels = Readonly<Record<string, string>>;

/** Labels that must all be present with these values; the empty selector matches everything. */
export type Selector = Labels;

export function selects(selector: Selector, labels: Labels): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}

/** Canonical text of a selector: equal selectors have equal text. */
export function selectorText(selector: Selector): string {
  return Object.entries(selector)
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(",");
}
