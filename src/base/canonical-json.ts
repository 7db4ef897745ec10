/** Data as JSON without spaces and with the names of each object in order: equal data, equal texts. −0 is 0. */
export function canonicalJson(data: unknown): string {
  if (typeof data !== "object" || data === null) return JSON.stringify(data);
  if (Array.isArray(data)) return `[${data.map(canonicalJson).join(",")}]`;
  const fields = Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, value]) => `${JSON.stringify(name)}:${canonicalJson(value)}`).join(",")}}`;
}
