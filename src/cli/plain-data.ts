/* Looks into documents of others, whatever they turn out to be. */

export const childOf = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;

/** Empty for what is no list. */
export function listAt(value: unknown, name: string): readonly unknown[] {
  const found = childOf(value, name);
  return Array.isArray(found) ? found : [];
}

/** Empty for what is no text. */
export function textAt(value: unknown, name: string): string {
  const found = childOf(value, name);
  return typeof found === "string" ? found : "";
}

/** A number as text; empty for what is none. */
export function numberAt(value: unknown, name: string): string {
  const found = childOf(value, name);
  return typeof found === "number" ? String(found) : "";
}

/** The texts of a list; empty for what is no list. */
export const textsAt = (value: unknown, name: string): readonly string[] => listAt(value, name).map(String);
