import type { JsonSchema } from "../base/json-schema.ts";

/**
 * The grammars of names as regular expressions, for schemas: what the parsers take is in them. They are valid
 * with the flag `u` and plain enough for engines of other languages (no lookaround, ASCII only).
 */

const label = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?";
const hostLabel = "[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?";
/** A label that is not only digits: behind the last dot of a host they would make an address gone wrong. */
const lastLabel = "([0-9]*[A-Za-z_]([A-Za-z0-9_-]*[A-Za-z0-9_])?|[0-9]+-[A-Za-z0-9_-]*[A-Za-z0-9_])";
const dottedHost = `(${hostLabel}\\.)+${lastLabel}\\.?`;
const host = `(${dottedHost}|${hostLabel}\\.?)`;
/** A name behind `*.`. */
const wildcard = `\\*\\.(${hostLabel}\\.)*${lastLabel}\\.?`;

const whole = (...alternatives: readonly string[]): RegExp => new RegExp(`^(${alternatives.join("|")})$`, "u");

/** A DNS-1123 label. */
export const labelGrammar = whole(label);
/** DNS-1123 labels with dots between them. */
export const subdomainGrammar = whole(`${label}(\\.${label})*`);
/** A subdomain, alone or behind a namespace or `.` and a slash. */
export const gatewayGrammar = whole(`((${label}|\\.)/)?${label}(\\.${label})*`);
/** A host name, short or full, without wildcards. */
export const hostGrammar = whole(host);
/** The same, where a name of digits only is taken for an address gone wrong too. */
export const plainHostGrammar = whole(`(${hostLabel}\\.)*${lastLabel}\\.?`);
/** A host name, or `*.` and one. */
export const hostOrWildcardGrammar = whole(host, wildcard);
/** A host name, `*.` and one, or `*`. */
export const anyHostGrammar = whole(host, wildcard, "\\*");
/** `namespace/host`, where the namespace is a label or one of `words`; `optional`: the host may stand alone. */
export function namespacedHostGrammar(words: readonly string[], optional: boolean): RegExp {
  const namespaces = [label, ...words.map((word) => word.replace(/[*.]/g, "\\$&"))].join("|");
  return whole(`(${namespaces})/(${host}|${wildcard}|\\*)`, ...(optional ? [host, wildcard, "\\*"] : []));
}

/** In characters, with a dot at the end. */
export const maxHostLength = 254;

/** The schema of an IP address. */
export const ipAddress: JsonSchema = { type: "string", anyOf: [{ format: "ipv4" }, { format: "ipv6" }] };

/** The schema of a text that is an IP address, or in the grammar of a host. */
export const addressOr = (grammar: RegExp): JsonSchema => ({
  type: "string",
  maxLength: maxHostLength,
  anyOf: [{ pattern: grammar.source }, { format: "ipv4" }, { format: "ipv6" }],
});

/* Of labels, as in Kubernetes. */

export const labelNameGrammar =
  /^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;
export const labelValueGrammar = /^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$/;
