import {
  below,
  type Decoder,
  described,
  type Failed,
  fail,
  failed,
  integer,
  list,
  mapOf,
  mapped,
  refined,
  type Site,
  schemaOf,
  show,
  text,
} from "../../base/decode.ts";
import { object, optional, required, withDefault } from "../../base/decode-object.ts";
import { hasField, inAnyCase } from "../../base/json-schema.ts";
import { gatewayGrammar } from "../../model/grammars.ts";
import { hostsOverlap, parseHostname } from "../../model/hostname.ts";
import { dnsLabel, dnsSubdomain, hostName, hostOrAddress, portNumber } from "../fields.ts";
import { regex } from "../regex.ts";

/** How a text is compared. A prefix is a plain prefix of characters; a regular expression (RE2) must match the whole. */
export type StringMatch =
  | { readonly kind: "exact"; readonly value: string }
  | { readonly kind: "prefix"; readonly value: string }
  | { readonly kind: "regex"; readonly value: string }
  /** Any value, as long as there is one: an empty match, or the regular expression `*`. Headers only. */
  | { readonly kind: "present" };

/** All conditions must hold; a match without conditions holds always. */
export interface HttpMatch {
  readonly name?: string;
  readonly uri?: Exclude<StringMatch, { readonly kind: "present" }>;
  readonly method?: Exclude<StringMatch, { readonly kind: "present" }>;
  /** By lower-case header name, in the order of the document. */
  readonly headers: Readonly<Record<string, StringMatch>>;
}

export interface HttpDestination {
  /** As written: a short name, a full name or a wildcard-free host. */
  readonly host: string;
  readonly subset?: string;
  /** Port of the service. */
  readonly port?: number;
  /**
   * Share of the traffic, 0 to 2^31-1, relative to the sum of its route; 0 when the document has none, as Istio reads it.
   * Of several destinations at least one has a share; a single one gets everything, whatever its weight is.
   */
  readonly weight: number;
}

export interface HttpRoute {
  readonly name?: string;
  /** Any one of them must hold; none at all holds always. */
  readonly match: readonly HttpMatch[];
  /** At least one. Indexes are those of the document. */
  readonly route: readonly HttpDestination[];
}

/** A VirtualService (`networking.istio.io`): where requests to some hosts go. */
export interface VirtualServiceSpec {
  /** As written, at least one. */
  readonly hosts: readonly string[];
  /** `mesh` or gateways as written (`name`, `namespace/name`, `./name`); `["mesh"]` when the document has none. */
  readonly gateways: readonly string[];
  readonly http: readonly HttpRoute[];
}

const maxWeight = 2 ** 31 - 1;
/** Envoy's bound on the sum of a route's weights. */
const maxWeightSum = 2 ** 32 - 1;

const comparisons = ["exact", "prefix", "regex"] as const;
type Comparison = (typeof comparisons)[number];
type TextMatch = Exclude<StringMatch, { readonly kind: "present" }>;

function soleMatch(fields: { readonly [K in Comparison]?: string }, site: Site): TextMatch | Failed {
  const given = comparisons.filter((kind) => fields[kind] !== undefined);
  const [kind] = given;
  if (kind !== undefined && given.length === 1) return { kind, value: fields[kind] ?? "" };
  const found = kind === undefined ? "none" : given.join(" and ");
  return fail(site, "invalid-value", `Expected exactly one of exact, prefix and regex, found ${found}.`);
}

const soleComparison = { oneOf: comparisons.map((kind) => hasField(kind, { type: "string" })) };

const uriOrMethod: Decoder<TextMatch> = mapped(
  object({ exact: optional(text()), prefix: optional(text()), regex: optional(regex) }),
  soleMatch,
  soleComparison,
);

const anyValue = "*";

const headerFields = object({
  exact: optional(text({ minLength: 0 })),
  prefix: optional(text({ minLength: 0 })),
  regex: optional(
    described(
      (value, site) => (value === anyValue ? anyValue : regex(value, site)),
      () => schemaOf(regex),
    ),
  ),
});

const header: Decoder<StringMatch> = mapped(headerFields, (fields, site) => {
  const isPresent = Object.keys(fields).length === 0;
  const match = isPresent ? ({ kind: "present" } as const) : soleMatch(fields, site);
  if (match === failed || match.kind === "present" || match.kind === "exact") return match;
  // Istio's `*` is no regular expression; and Envoy takes no empty prefix. Both hold for any value.
  const isAny = match.value === (match.kind === "regex" ? anyValue : "");
  return isAny ? { kind: "present" } : match;
});

/** A token of RFC 9110, or one of the pseudo headers that a request has. */
const headerGrammar = new RegExp(
  `^([!#$%&'*+.^_\`|~0-9A-Za-z-]+|:(${["authority", "method", "path", "scheme"].map(inAnyCase).join("|")}))$`,
);

const headerName: Decoder<string> = mapped(
  text({ maxLength: 256 }),
  (name, site) => {
    if (name.startsWith("@request.auth.")) {
      return fail(site, "unsupported-value", "Matching claims of a token is not carried out yet.", "Remove it.");
    }
    return headerGrammar.test(name)
      ? name.toLowerCase()
      : fail(site, "invalid-value", `${show(name)} is no name of a header.`);
  },
  { pattern: headerGrammar.source },
);

const match: Decoder<HttpMatch> = object(
  {
    name: optional(text()),
    uri: optional(uriOrMethod),
    method: optional(uriOrMethod),
    headers: withDefault(mapOf(header, { name: headerName, max: 100 }), {}),
  },
  {
    unsupported: [
      "scheme",
      "authority",
      "port",
      "sourceLabels",
      "sourceNamespace",
      "gateways",
      "queryParams",
      "ignoreUriCase",
      "withoutHeaders",
    ],
    dropped: ["statPrefix"],
  },
);

const destination = object({
  host: required(hostName),
  subset: optional(dnsLabel),
  port: optional(object({ number: required(portNumber) })),
});

const weightedDestination: Decoder<HttpDestination> = mapped(
  object(
    { destination: required(destination), weight: withDefault(integer({ min: 0, max: maxWeight }), 0) },
    { unsupported: ["headers"] },
  ),
  ({ destination: { port, ...where }, weight }) => ({ ...where, ...(port && { port: port.number }), weight }),
);

const destinations = refined(
  list(weightedDestination, { min: 1 }),
  (items, site) => {
    if (items.length < 2) return;
    const sum = items.reduce((total, { weight }) => total + weight, 0);
    const hint = "Give at least one destination a weight above 0.";
    if (sum === 0) fail(site, "invalid-value", "The weights of the destinations are all 0.", hint);
    if (sum <= maxWeightSum) return;
    const message = `The weights add up to ${sum}; ${maxWeightSum} is the most.`;
    fail(site, "invalid-value", message, "Use smaller weights in the same proportion.");
  },
  {
    anyOf: [{ maxItems: 1 }, { contains: { type: "object", ...hasField("weight", { type: "integer", minimum: 1 }) } }],
  },
);

const httpRoute: Decoder<HttpRoute> = object(
  {
    name: optional(text()),
    match: withDefault(list(match), []),
    route: required(destinations),
  },
  {
    unsupported: [
      "redirect",
      "directResponse",
      "delegate",
      "rewrite",
      "timeout",
      "retries",
      "fault",
      "mirror",
      "mirrors",
      "mirrorPercent",
      "mirrorPercentage",
      "corsPolicy",
      "headers",
    ],
  },
);

/** `mesh`, `name`, `namespace/name`, `./name`, or the old form `name.namespace.svc.…`. */
const gatewayName: Decoder<string> = mapped(
  text({ maxLength: 320 }),
  (name, site) => {
    const slash = name.indexOf("/");
    const namespace = name.slice(0, Math.max(0, slash));
    if (slash >= 0 && namespace !== "." && dnsLabel(namespace, site) === failed) return failed;
    return dnsSubdomain(name.slice(slash + 1), site) === failed ? failed : name;
  },
  { pattern: gatewayGrammar.source },
);

const hosts = refined(
  list(hostOrAddress, { min: 1 }),
  (names, site) => {
    for (const [index, name] of names.entries()) {
      const earlier = names.slice(0, index).find((other) => overlap(name, other));
      if (earlier === undefined) continue;
      const message = `${show(name)} and ${show(earlier)} mean the same host.`;
      fail(below(site, index), "conflict", message, "Keep one of them.");
    }
  },
  { uniqueItems: true },
);

function overlap(a: string, b: string): boolean {
  const [hostA, hostB] = [parseHostname(a), parseHostname(b)];
  return a === b || (hostA !== undefined && hostB !== undefined && hostsOverlap(hostA, hostB));
}

const meshOnly = ["mesh"];
const gateways = mapped(list(gatewayName), (names) => (names.length === 0 ? meshOnly : names));

export const virtualService: Decoder<VirtualServiceSpec> = refined(
  object(
    {
      hosts: required(hosts),
      gateways: withDefault(gateways, meshOnly),
      http: required(list(httpRoute, { min: 1 })),
    },
    { unsupported: ["tls", "tcp", "exportTo"] },
  ),
  ({ hosts, gateways }, site) => {
    const everything = hosts.indexOf("*");
    if (everything < 0 || !gateways.includes("mesh")) return;
    const hint = "Name the hosts, or bind the rule to gateways only.";
    const message = 'The host "*" cannot be routed for the whole mesh.';
    fail(below(below(site, "hosts"), everything), "invalid-value", message, hint);
  },
);
