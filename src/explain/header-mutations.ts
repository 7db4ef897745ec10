import { appendActionOf, type HeaderValueOption } from "../envoy/route-messages.ts";
import { asBytes } from "../envoy/string-matcher.ts";
import { Unsupported } from "./condition.ts";
import type { Headers } from "./request.ts";

/** What one level of the configuration does with the headers of a request. */
export interface Mutations {
  readonly requestHeadersToRemove: readonly string[];
  readonly requestHeadersToAdd: readonly HeaderValueOption[];
}

/** Removes first; what overwrites goes before what is appended, and both look at the headers as they were before. */
export function mutated(
  headers: Headers,
  { requestHeadersToRemove: remove, requestHeadersToAdd: add }: Mutations,
): Headers {
  const rest = new Map(headers);
  for (const name of remove) rest.delete(name.toLowerCase());
  const next = new Map(rest);
  const appended: (readonly [string, string])[] = [];
  for (const option of add) {
    const name = option.header?.key.toLowerCase() ?? "";
    const value = formatted(option.header?.value ?? "", rest);
    if (value === "" && !option.keepEmptyValue) continue;
    const isThere = rest.has(name);
    const action = appendActionOf(option);
    if (action === "append" || (action === "add-if-absent" && !isThere)) appended.push([name, value]);
    else if (action === "overwrite-or-add" || (action === "overwrite-if-there" && isThere)) next.set(name, [value]);
  }
  for (const [name, value] of appended) next.set(name, [...(next.get(name) ?? []), value]);
  return next;
}

/** `%%` is a percent sign, `%REQ(name)%` the first value of the header, nothing where it is not there. */
function formatted(format: string, headers: Headers): string {
  return asBytes(format).replaceAll(/%(?:%|REQ\(([^):?]+)\)%|[^%]*%?)/g, (command, name: string | undefined) => {
    if (command === "%%") return "%";
    if (name === undefined) throw new Unsupported(`the format ${command}`, "/requestHeadersToAdd");
    return headers.get(name.toLowerCase())?.[0] ?? "";
  });
}
