import { below, fail, type Site, show } from "../base/decode.ts";

/**
 * Reports every item whose key an earlier item has too. `step` is the way from the item to the field with the key
 * (`["port", "name"]`); items without a key (undefined) do not count.
 */
export function checkUnique<T>(
  items: readonly T[],
  keyOf: (item: T) => string | number | undefined,
  { site, step = [], what }: { readonly site: Site; readonly step?: readonly string[]; readonly what: string },
): void {
  const first = new Map<string | number, number>();
  for (const [index, item] of items.entries()) {
    const key = keyOf(item);
    if (key === undefined) continue;
    const earlier = first.get(key);
    if (earlier === undefined) {
      first.set(key, index);
    } else {
      const at = step.reduce<Site>(below, below(site, index));
      fail(
        at,
        "conflict",
        `The ${what} ${show(key)} is there twice; item ${earlier} has it too.`,
        "Give each its own.",
      );
    }
  }
}
