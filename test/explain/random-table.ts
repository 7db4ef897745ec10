import type { JsonObject } from "@bufbuild/protobuf";
import type { Request } from "../../src/explain/request.ts";
import type { Random } from "../support/random.ts";
import { naming } from "./answers.ts";
import { upstreams } from "./asked-envoy.ts";

/*
 * Route tables and requests that meet near the edges of the matchers: both are made of the same few words, so that a request is
 * often what a matcher wants, or differs in a letter.
 */

const words = ["a", "ab", "b", "A", "aB", "abc", "1", "10", "-5", ""] as const;
const letters = words.filter((word) => word !== "");
const headerNames = ["x-a", "x-b", "X-C"] as const;
/** Names a cluster, or brings the number that one is chosen by. */
const pickHeader = "x-pick";
const picks = [
  ...upstreams,
  "0",
  "1",
  "2",
  "3",
  "7",
  "18446744073709551615",
  "18446744073709551616",
  "+1",
  "-1",
  "",
  "x",
];
const patterns = ["a", "a.*", "[ab]+", "a|ab", "(?i)AB", "-?[0-9]+", ".", "a?b?"] as const;
const pathPatterns = ["/a", "/a/.*", "/(a|b)", "/[^/]+", ".*b", "/a/[0-9]+", "(?i)/A"] as const;
/** Patterns, and what they are replaced with; a group that is spoken of must be there. */
const plainRewrites = ["x", "", "[\\0]", "\\\\1$1"] as const;
const rewrites: readonly (readonly [string, readonly string[]])[] = [
  ["^/a", plainRewrites],
  ["a*", plainRewrites],
  ["/(a|b)", ["/x\\1", "\\1\\1", ...plainRewrites]],
  ["([a-z])([0-9])?", ["\\2\\1", "\\0-"]],
  ["(/[^/]*)/(b)", ["\\1", "/\\2\\1"]],
];
const segments = ["a", "b", "ab", "A", "1", "a;v=1", "a.b"] as const;
const parameterNames = ["p", "q"] as const;
const hosts = [
  "a.com",
  "b.a.com",
  "c.b.a.com",
  "A.com",
  "a.com:80",
  "b.a.com:8080",
  "a.org",
  "xa.com",
  "a.com.",
] as const;
const domains = [
  ...["a.com", "b.a.com", "A.COM", "a.com:80", "a.org", "a.com."],
  ...["*.a.com", "*.b.a.com", "*a.com", "*.com", "*.com:8080"],
  ...["a.*", "b.*", "b.a.*", "*"],
] as const;

/** A route table as proto JSON; every route answers with its own name. */
export function randomTable(random: Random): JsonObject {
  const left = new Map(domains.map((domain) => [domain.toLowerCase(), domain]));
  const take = (): string => {
    const domain = random.pick([...left.values()]);
    left.delete(domain.toLowerCase());
    return domain;
  };
  const count = 1 + random.int(4);
  return {
    name: "table",
    ignore_port_in_host_matching: random.chance(0.3),
    ignore_path_parameters_in_path_matching: random.chance(0.3),
    most_specific_header_mutations_wins: random.chance(0.3),
    ...(random.chance(0.3) && randomMutations(random)),
    ...(random.chance(0.1) && { internal_only_headers: [random.pick(headerNames)] }),
    virtual_hosts: Array.from({ length: count }, (_, host) => ({
      name: `h${host}`,
      domains: [...(host === 0 && left.delete("*") ? ["*"] : []), ...Array.from({ length: 1 + random.int(3) }, take)],
      ...(random.chance(0.3) && randomMutations(random)),
      ...(random.chance(0.2) && randomRetries(random)),
      ...(random.chance(0.2) && { include_request_attempt_count: true }),
      ...(random.chance(0.05) && { require_tls: random.pick(["ALL", "EXTERNAL_ONLY"]) }),
      routes: [
        ...Array.from({ length: 1 + random.int(6) }, (__, route) => randomRoute(random, `h${host}r${route}`)),
        ...(random.chance(0.35) ? [naming({ name: `h${host}rest`, match: { prefix: "/" } })] : []),
      ],
    })),
  };
}

function randomRoute(random: Random, name: string): JsonObject {
  const template = random.chance(0.15) ? randomTemplate(random) : undefined;
  return naming({
    ...{ name, match: randomMatch(random, template && matchByTemplate(template.text)) },
    ...random.weighted<() => JsonObject>([
      [3, () => ({})],
      [3, () => ({ redirect: randomRedirect(random, template) })],
      [4, () => ({ ...randomMutations(random), route: randomForward(random, template) })],
    ])(),
  });
}

/** `template`: what the route matches, where it matches by one. */
function randomForward(random: Random, template: Template | undefined): JsonObject {
  const one = (probability: number, make: () => JsonObject): JsonObject => (random.chance(probability) ? make() : {});
  return {
    ...random.weighted<() => JsonObject>([
      [3, () => ({ cluster: random.pick(upstreams) })],
      [2, () => ({ weighted_clusters: randomShares(random) })],
      [1, () => ({ cluster_header: pickHeader })],
    ])(),
    ...one(template === undefined ? 0.4 : 0.8, () =>
      random.pick([
        () =>
          template === undefined
            ? { prefix_rewrite: random.pick(["/", "/new", "/new/", "/a"]) }
            : randomTemplateRewrite(random, template),
        () => ({ regex_rewrite: { pattern: { regex: "^/([a-z]*)" }, substitution: random.pick(["/x\\1", "/-\\0"]) } }),
      ])(),
    ),
    ...one(0.4, () =>
      random.pick<() => JsonObject>([
        () => ({ host_rewrite_literal: "new.com" }),
        () => ({ host_rewrite_header: random.pick(headerNames) }),
        () => ({ host_rewrite_path_regex: { pattern: { regex: "^/([a-z]+).*" }, substitution: "\\1.com" } }),
        () => ({ auto_host_rewrite: true }),
      ])(),
    ),
    ...one(0.3, () => ({ append_x_forwarded_host: true })),
    ...one(0.2, () => ({ timeout: random.pick(["0s", "3s", "0.5s"]) })),
    ...one(0.2, () => randomRetries(random)),
    ...one(0.05, () => ({ hedge_policy: { hedge_on_per_try_timeout: true } })),
    ...one(0.05, () => ({ max_stream_duration: { max_stream_duration: "9s" } })),
  };
}

const randomRetries = (random: Random): JsonObject => ({
  retry_policy: {
    retry_on: "connect-failure",
    ...(random.chance(0.7) && { per_try_timeout: random.pick(["1s", "3s", "20s"]) }),
  },
});

const randomShares = (random: Random): JsonObject => ({
  clusters: upstreams.map((name) => randomShare(random, name)),
  ...(random.chance(0.5) && { header_name: pickHeader }),
});

const randomShare = (random: Random, name: string): JsonObject => ({
  ...(random.chance(0.2) ? { cluster_header: pickHeader } : { name }),
  weight: random.pick([0, 1, 3]) || (name === upstreams[0] ? 1 : 0),
  ...(random.chance(0.4) && randomMutations(random)),
  ...(random.chance(0.2) && { host_rewrite_literal: "weighted.com" }),
});

/** A template of a path, and the variables in it. */
interface Template {
  readonly text: string;
  readonly variables: readonly string[];
}

function randomTemplate(random: Random): Template {
  const variables: string[] = [];
  const named = (pattern: string): string => {
    const name = `v${variables.length}`;
    variables.push(name);
    return `{${name}${pattern}}`;
  };
  const segment = (): string =>
    random.weighted<() => string>([
      [3, () => random.pick(["a", "b", "ab", "A", "1", "a.b", "a;v=1"])],
      [2, () => "*"],
      [2, () => named(random.pick(["", "=*"]))],
      [1, () => named(random.pick(["=a", "=a/*", "=*/b"]))],
    ])();
  const last = random.weighted<() => string>([
    [4, () => ""],
    [1, () => "/"],
    [2, () => `/${random.chance(0.5) ? "**" : named("=**")}`],
    [1, () => `/${random.chance(0.5) ? "*" : named(random.pick(["", "=**"]))}${random.pick([".b", "b", "=1"])}`],
  ]);
  const text = Array.from({ length: 1 + random.int(2) }, () => `/${segment()}`).join("") + last();
  return { text, variables };
}

export const matchByTemplate = (text: string): JsonObject => ({
  path_match_policy: {
    name: "envoy.path.match.uri_template.uri_template_matcher",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig",
      path_template: text,
    },
  },
});

export const rewriteByTemplate = (text: string): JsonObject => ({
  path_rewrite_policy: {
    name: "envoy.path.rewrite.uri_template.uri_template_rewriter",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.path.rewrite.uri_template.v3.UriTemplateRewriteConfig",
      path_template_rewrite: text,
    },
  },
});

function randomTemplateRewrite(random: Random, { variables }: Template): JsonObject {
  const used = variables.filter(() => random.chance(0.8)).map((name) => `{${name}}`);
  return rewriteByTemplate(`/${random.pick(["", "new", "new-"])}${used.join(random.pick(["", "/", "-"]))}`);
}

/** Of headers that are sent on; names that requests have too. */
function randomMutations(random: Random): JsonObject {
  const names = ["x-a", "x-b", "X-C", "x-d"] as const;
  const value = (): string => random.pick(["new", "", "100%%", "%REQ(x-b)%", "%REQ(x-d)%-%REQ(x-a)%"]);
  const add = (): JsonObject => ({
    header: { key: random.pick(names), value: value() },
    append_action: random.pick([
      "APPEND_IF_EXISTS_OR_ADD",
      "ADD_IF_ABSENT",
      "OVERWRITE_IF_EXISTS_OR_ADD",
      "OVERWRITE_IF_EXISTS",
    ]),
    ...(random.chance(0.3) && { keep_empty_value: true }),
  });
  return {
    request_headers_to_add: Array.from({ length: random.int(3) }, add),
    request_headers_to_remove: Array.from({ length: random.int(2) }, () => random.pick(names)),
  };
}

function randomRedirect(random: Random, template: Template | undefined): JsonObject {
  const one = (probability: number, make: () => JsonObject): JsonObject => (random.chance(probability) ? make() : {});
  return {
    ...one(0.4, () =>
      random.pick([{ https_redirect: true }, { scheme_redirect: "https" }, { scheme_redirect: "http" }]),
    ),
    ...one(0.3, () => ({ host_redirect: random.pick(["x.org", "x.org:81"]) })),
    ...one(0.3, () => ({ port_redirect: random.pick([80, 443, 8443]) })),
    ...one(0.7, () => randomPathRewrite(random, template)),
    ...one(0.3, () => ({ strip_query: true })),
    response_code: random.pick(["MOVED_PERMANENTLY", "FOUND", "SEE_OTHER", "TEMPORARY_REDIRECT", "PERMANENT_REDIRECT"]),
  };
}

const randomPathRewrite = (random: Random, template: Template | undefined): JsonObject =>
  random.weighted<() => JsonObject>([
    [1, () => ({ path_redirect: random.pick(["/new", "/new?n=1", "/"]) })],
    [template === undefined ? 2 : 0, () => ({ prefix_rewrite: random.pick(["/", "/new", "/new/", "/a"]) })],
    [2, () => ({ regex_rewrite: randomSubstitution(random) })],
  ])();

function randomMatch(random: Random, path: JsonObject | undefined): JsonObject {
  const some = (probability: number, make: () => JsonObject): JsonObject[] =>
    random.chance(probability) ? [make()] : [];
  return {
    ...(path ?? randomPathMatch(random)),
    ...(random.chance(0.25) && { case_sensitive: false }),
    headers: [...some(0.55, () => randomHeaderMatch(random)), ...some(0.1, () => randomHeaderMatch(random))],
    query_parameters: some(0.3, () => randomQueryMatch(random)),
    ...(random.chance(0.08) && { grpc: {} }),
    ...(random.chance(0.12) && { tls_context: { [random.pick(["presented", "validated"])]: random.chance(0.5) } }),
    ...(random.chance(0.15) && {
      runtime_fraction: { default_value: { numerator: random.pick([0, 0, 50, 100]), denominator: "HUNDRED" } },
    }),
  };
}

/** Texts that some of the patterns match. */
export const patternSamples = ["a", "ab", "b", "AB", "aB", "10", "-5", "abba", "", "é"] as const;

export const samplePath = (random: Random): string =>
  random.pick(["/a", "/a/", "/a/b", "/b", "/A", "/a/10", "/a/1x", "/ab", "/a;v=1", "/c/d"]);

function randomSubstitution(random: Random): JsonObject {
  const [regex, substitutions] = random.pick(rewrites);
  return { pattern: { regex }, substitution: random.pick(substitutions) };
}

const randomPath = (random: Random): string =>
  `/${Array.from({ length: random.int(3) }, () => random.pick(segments)).join("/")}`;

function randomPathMatch(random: Random): JsonObject {
  return random.weighted<() => JsonObject>([
    [4, () => ({ prefix: random.chance(0.3) ? "/" : randomPath(random) })],
    [2, () => ({ path: randomPath(random) })],
    [2, () => ({ path_separated_prefix: `/${random.pick(["a", "b", "a/b", "A", "ab", "a/1"])}` })],
    [2, () => ({ safe_regex: { regex: random.pick(pathPatterns) } })],
  ])();
}

function stringMatch(random: Random): JsonObject {
  if (random.chance(0.25)) return { string_match: { safe_regex: { regex: random.pick(patterns) } } };
  const kind = random.pick(["exact", "prefix", "suffix", "suffix", "contains"]);
  const value = random.pick(kind === "exact" ? words : letters);
  return { string_match: { [kind]: value, ...(random.chance(0.3) && { ignore_case: true }) } };
}

function randomHeaderMatch(random: Random): JsonObject {
  const name = random.weighted([
    [12, () => random.pick(headerNames)],
    [1, () => ":method"],
    [1, () => ":authority"],
    [1, () => "host"],
    [1, () => ":scheme"],
    [1, () => "x-forwarded-proto"],
  ])();
  const value = random.weighted<() => JsonObject>([
    [8, () => stringMatch(random)],
    [3, () => ({ present_match: random.chance(0.7) })],
    [3, () => ({ range_match: { start: String(random.int(12) - 6), end: String(random.int(12)) } })],
    [2, () => ({})],
  ])();
  return {
    ...{ name, ...value },
    ...(random.chance(0.25) && { invert_match: true }),
    ...(random.chance(0.25) && { treat_missing_header_as_empty: true }),
  };
}

function randomQueryMatch(random: Random): JsonObject {
  const value = random.weighted<() => JsonObject>([
    [4, () => stringMatch(random)],
    [2, () => ({ present_match: random.chance(0.7) })],
    [2, () => ({})],
  ])();
  return { name: random.pick(parameterNames), ...value };
}

export function randomRequest(random: Random): Request {
  const headers = Array.from({ length: random.int(4) }, (): [string, string] => [
    random.pick(headerNames),
    random.pick(words),
  ]);
  const grpc: [string, string][] = random.chance(0.2)
    ? [
        [
          "content-type",
          random.pick(["application/grpc", "application/grpc+proto", "application/grpc-web", "text/plain"]),
        ],
      ]
    : [];
  const inside: [string, string][] = random.chance(0.05) ? [["x-forwarded-proto", random.pick(["http", "https"])]] : [];
  const picking = Array.from({ length: random.pick([0, 1, 1, 1, 2]) }, (): [string, string] => [
    pickHeader,
    random.pick(picks),
  ]);
  return {
    method: random.pick(["GET", "POST", "PUT"]),
    scheme: "http",
    authority: random.pick(hosts),
    path: `${randomPath(random)}${random.chance(0.5) ? randomQuery(random) : ""}`,
    headers: [...headers, ...grpc, ...inside, ...picking],
  };
}

function randomQuery(random: Random): string {
  const one = (): string => {
    const name = random.pick([...parameterNames, ""]);
    return random.chance(0.8) ? `${name}=${random.pick([...words, "a%20b", "a=b"])}` : name;
  };
  return `?${Array.from({ length: random.int(3) }, one).join("&")}`;
}
