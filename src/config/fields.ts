import { type Decoder, described, fail, integer, mapOf, mapped, parsed, show, text } from "../base/decode.ts";
import {
  addressOr,
  anyHostGrammar,
  hostGrammar,
  ipAddress,
  labelGrammar,
  labelNameGrammar,
  labelValueGrammar,
  maxHostLength,
  namespacedHostGrammar,
  subdomainGrammar,
} from "../model/grammars.ts";
import { parseHostname } from "../model/hostname.ts";
import { isIpAddress } from "../model/ip-address.ts";
import type { Labels } from "../model/labels.ts";

/* Fields that several kinds of rules have. All of them give back what was written, checked. */

/** A name of at most 63 lower-case letters, digits and `-` (DNS-1123 label). */
export const dnsLabel: Decoder<string> = described(
  parsed((name) => name, "a name of at most 63 lower-case letters, digits and `-`", { pattern: labelGrammar }),
  { maxLength: 63 },
);

/** Labels joined by dots, at most 253 characters (DNS-1123 subdomain). */
export const dnsSubdomain: Decoder<string> = described(
  parsed(
    (name) => (name.length <= 253 ? name : undefined),
    "a name of at most 253 lower-case letters, digits, `-` and `.`",
    { pattern: subdomainGrammar },
  ),
  { maxLength: 253 },
);

export const portNumber: Decoder<number> = integer({ min: 1, max: 65535 });

/** The name of a port. */
export const portName: Decoder<string> = text({ maxLength: 63 });

const isHost = (host: string, grammar: RegExp): boolean => grammar.test(host) && parseHostname(host) !== undefined;

/** A host name, short or full, without wildcards. What looks like an IP address, right or wrong, is none. */
export const hostName: Decoder<string> = described(
  parsed((host) => (isHost(host, hostGrammar) ? host : undefined), "a host name", { pattern: hostGrammar }),
  { maxLength: maxHostLength },
);

/** A host name, or a wildcard (`*`, `*.example.com`). */
export const hostOrWildcard: Decoder<string> = mapped(
  text(),
  (host, site) => {
    if (isHost(host, anyHostGrammar)) return host;
    if (/^\*[^.]/.test(host)) {
      const hint = "Use a wildcard for a whole label, such as *.example.com.";
      const message = `${show(host)} is not carried out: its wildcard is part of a label.`;
      return fail(site, "unsupported-value", message, hint);
    }
    return fail(
      site,
      "invalid-value",
      `Expected a host name or a wildcard such as *.example.com, found ${show(host)}.`,
    );
  },
  { maxLength: maxHostLength, pattern: anyHostGrammar.source },
);

/** A host name, a wildcard or an IP address. */
export const hostOrAddress: Decoder<string> = described(
  (value, site) => (typeof value === "string" && isIpAddress(value) ? value : hostOrWildcard(value, site)),
  addressOr(anyHostGrammar),
);

/** An address to listen on. Unix domain sockets are not carried out. */
export const bindAddress: Decoder<string> = mapped(
  text(),
  (address, site) => {
    if (isIpAddress(address)) return address;
    if (address.startsWith("unix://") || address.startsWith("@")) {
      return fail(site, "unsupported-value", "Unix domain sockets are not carried out yet.", "Use an IP address.");
    }
    return fail(site, "invalid-value", `Expected an IP address, found ${show(address)}.`);
  },
  ipAddress,
);

/**
 * A host with the namespace it counts in, `namespace/host`. The namespace may be one of `words` (such as `*` and `.`).
 * Gateways may leave it out.
 */
export function namespacedHost(
  words: readonly string[],
  { optional }: { readonly optional: boolean },
): Decoder<string> {
  const decoder: Decoder<string> = mapped(text(), (value, site) => {
    const slash = value.indexOf("/");
    if (slash < 0 && optional) return hostOrWildcard(value, site);
    const namespace = value.slice(0, Math.max(0, slash));
    if (words.includes("~") && /^~./.test(namespace)) {
      return fail(site, "unsupported-value", "Leaving out a namespace is not carried out yet.", "Name those you want.");
    }
    if (!words.includes(namespace) && !labelGrammar.test(namespace)) {
      const expected = `namespace/host, where namespace is a name or one of ${words.join(" ")}`;
      return fail(site, "invalid-value", `Expected ${expected}, found ${show(value)}.`);
    }
    const host = hostOrWildcard(value.slice(slash + 1), site);
    return typeof host === "string" ? value : host;
  });
  return described(decoder, {
    maxLength: 64 + maxHostLength,
    pattern: namespacedHostGrammar(words, optional).source,
  });
}

export const labelName: Decoder<string> = parsed((name) => name, "a label's name", {
  pattern: labelNameGrammar,
  hint: "It has at most 63 letters, digits, `-`, `_` and `.`; a domain and a slash may stand before it.",
});

export const labelValue: Decoder<string> = parsed((value) => value, "a label's value", {
  minLength: 0,
  pattern: labelValueGrammar,
  hint: "It has at most 63 letters, digits, `-`, `_` and `.`, and starts and ends with a letter or a digit.",
});

/** Labels in Kubernetes' grammar. */
export const labels: Decoder<Labels> = mapOf(labelValue, { max: 256, name: labelName });
