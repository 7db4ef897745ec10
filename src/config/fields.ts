import { type Decoder, fail, integer, mapOf, mapped, parsed, show, text } from "../base/decode.ts";
import { parseHostname } from "../model/hostname.ts";
import { isIpAddress } from "../model/ip-address.ts";
import type { Labels } from "../model/labels.ts";

/* Fields that several kinds of rules have. All of them give back what was written, checked. */

const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

const isDnsLabel = (name: string): boolean => label.test(name);

/** A name of at most 63 lower-case letters, digits and `-` (DNS-1123 label). */
export const dnsLabel: Decoder<string> = parsed(
  (name) => (isDnsLabel(name) ? name : undefined),
  "a name of at most 63 lower-case letters, digits and `-`",
);

/** Labels joined by dots, at most 253 characters (DNS-1123 subdomain). */
export const dnsSubdomain: Decoder<string> = parsed(
  (name) => (name.length <= 253 && name.split(".").every(isDnsLabel) ? name : undefined),
  "a name of at most 253 lower-case letters, digits, `-` and `.`",
);

export const portNumber: Decoder<number> = integer({ min: 1, max: 65535 });

/** The name of a port. */
export const portName: Decoder<string> = text({ maxLength: 63 });

const allDigits = /^\d+$/;

/** No host name, though the alphabet would allow it: what looks like an IP address, right or wrong. */
const isNumeric = (host: string): boolean => host.includes(".") && allDigits.test(host.split(".").at(-1) ?? "");

function checkedHost(host: string, wildcard: boolean): string | undefined {
  const known = parseHostname(host);
  return known === undefined || isNumeric(host) || (known.startsWith("*") && !wildcard) ? undefined : host;
}

/** A host name, short or full, without wildcards. */
export const hostName: Decoder<string> = parsed((host) => checkedHost(host, false), "a host name");

/** A host name, or a wildcard (`*`, `*.example.com`). */
export const hostOrWildcard: Decoder<string> = mapped(text(), (host, site) => {
  if (checkedHost(host, true) !== undefined) return host;
  if (/^\*[^.]/.test(host)) {
    const hint = "Use a wildcard for a whole label, such as *.example.com.";
    return fail(site, "unsupported-value", `${show(host)} is not carried out: its wildcard is part of a label.`, hint);
  }
  return fail(site, "invalid-value", `Expected a host name or a wildcard such as *.example.com, found ${show(host)}.`);
});

/** A host name, a wildcard or an IP address. */
export const hostOrAddress: Decoder<string> = (value, site) =>
  typeof value === "string" && isIpAddress(value) ? value : hostOrWildcard(value, site);

/** An address to listen on. Unix domain sockets are not carried out. */
export const bindAddress: Decoder<string> = mapped(text(), (address, site) => {
  if (isIpAddress(address)) return address;
  if (address.startsWith("unix://") || address.startsWith("@")) {
    return fail(site, "unsupported-value", "Unix domain sockets are not carried out yet.", "Use an IP address.");
  }
  return fail(site, "invalid-value", `Expected an IP address, found ${show(address)}.`);
});

/**
 * A host with the namespace it counts in, `namespace/host`. The namespace may be one of `words` (such as `*` and `.`).
 * Gateways may leave it out.
 */
export function namespacedHost(
  words: readonly string[],
  { optional }: { readonly optional: boolean },
): Decoder<string> {
  return mapped(text(), (value, site) => {
    const slash = value.indexOf("/");
    if (slash < 0 && optional) return hostOrWildcard(value, site);
    const namespace = value.slice(0, Math.max(0, slash));
    if (words.includes("~") && /^~./.test(namespace)) {
      return fail(site, "unsupported-value", "Leaving out a namespace is not carried out yet.", "Name those you want.");
    }
    if (!words.includes(namespace) && !isDnsLabel(namespace)) {
      const expected = `namespace/host, where namespace is a name or one of ${words.join(" ")}`;
      return fail(site, "invalid-value", `Expected ${expected}, found ${show(value)}.`);
    }
    const host = hostOrWildcard(value.slice(slash + 1), site);
    return typeof host === "string" ? value : host;
  });
}

const labelName = /^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;
const labelValue = /^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$/;

/** Labels in Kubernetes' grammar. */
export const labels: Decoder<Labels> = mapOf(
  parsed((value) => (labelValue.test(value) ? value : undefined), "a label's value", {
    minLength: 0,
    hint: "It has at most 63 letters, digits, `-`, `_` and `.`, and starts and ends with a letter or a digit.",
  }),
  {
    max: 256,
    name: parsed((name) => (labelName.test(name) ? name : undefined), "a label's name", {
      hint: "It has at most 63 letters, digits, `-`, `_` and `.`; a domain and a slash may stand before it.",
    }),
  },
);
