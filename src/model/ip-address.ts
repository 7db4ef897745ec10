const octet = "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const ipv4 = new RegExp(`^${octet}(\\.${octet}){3}$`);
const hextet = /^[0-9a-f]{1,4}$/i;

export const isIpv4 = (text: string): boolean => ipv4.test(text);

/** IPv6 in the usual text forms, without brackets and without a zone. */
export function isIpv6(text: string): boolean {
  const halves = text.split("::");
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === "" ? [] : half.split(":")));
  // Groups alone may stand before a `::` at the end.
  const last = text.endsWith("::") ? "" : (groups.at(-1) ?? "");
  const tail = isIpv4(last) ? 2 : 1;
  const words = tail === 2 ? groups.slice(0, -1) : groups;
  const count = words.length + (tail === 2 ? 2 : 0);
  return (
    text.includes(":") && words.every((word) => hextet.test(word)) && (halves.length === 2 ? count < 8 : count === 8)
  );
}

export const isIpAddress = (text: string): boolean => isIpv4(text) || isIpv6(text);

/** The address that means "all of mine" in the family of `address`. */
export const wildcardFor = (address: string): string => (isIpv6(address) ? "::" : "0.0.0.0");
