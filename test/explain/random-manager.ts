import type { JsonObject } from "@bufbuild/protobuf";
import type { Request } from "../../src/explain/request.ts";
import type { Random } from "../support/random.ts";

/* Settings of HTTP connection managers, and requests that one or the other of them makes something of. */

/** As proto JSON. */
export function randomManager(random: Random): JsonObject {
  const one = (probability: number, make: () => JsonObject): JsonObject => (random.chance(probability) ? make() : {});
  return {
    ...one(0.9, () => ({ normalize_path: random.chance(0.8) })),
    ...one(0.5, () => ({ merge_slashes: true })),
    ...one(0.9, () => ({
      path_with_escaped_slashes_action: random.pick([
        "KEEP_UNCHANGED",
        "REJECT_REQUEST",
        "UNESCAPE_AND_REDIRECT",
        "UNESCAPE_AND_FORWARD",
        "UNESCAPE_AND_FORWARD",
        "UNESCAPE_AND_FORWARD",
      ]),
    })),
    ...one(0.7, () => (random.chance(0.5) ? { strip_matching_host_port: true } : { strip_any_host_port: true })),
    ...one(0.5, () => ({ strip_trailing_host_dot: true })),
    ...one(0.4, () => ({ use_remote_address: random.chance(0.8) })),
    ...one(0.2, () => ({ xff_num_trusted_hops: 1 + random.int(2) })),
    ...one(0.2, () => ({ skip_xff_append: true })),
    ...one(0.15, () => ({ append_x_forwarded_port: true })),
    ...one(0.1, () => ({ via: "envoy" })),
    ...one(0.2, () => ({ scheme_header_transformation: { scheme_to_overwrite: random.pick(["http", "https"]) } })),
  };
}

/** The same, or written otherwise: some of it means the same to a manager that cleans up. `port`: where the listener listens. */
export function oddRequest(random: Random, request: Request, port: number): Request {
  const { path = "/", authority } = request;
  const [, bare = "", query = ""] = /^([^?]*)(.*)$/.exec(path) ?? [];
  const isOdd = random.chance(0.5);
  const once = isOdd ? oddPath(random, bare) : bare;
  const twice = isOdd && random.chance(0.5) ? oddPath(random, once) : once;
  return {
    ...request,
    source: "127.0.0.1",
    headers: [...request.headers, ...randomClaims(random)],
    path: `${twice}${query}${random.chance(0.015) ? "#a" : ""}`,
    authority: random.chance(0.4) ? oddAuthority(random, authority, port) : authority,
  };
}

/** Headers that Envoys tell each other by, and that clients should not be believed. */
function randomClaims(random: Random): Request["headers"] {
  const one = (name: string, values: readonly string[]): Request["headers"] =>
    random.chance(0.15) ? [[name, random.pick(values)]] : [];
  return [
    ...one("X-Forwarded-For", ["1.2.3.4", "1.2.3.4, 10.0.0.1", "10.0.0.2"]),
    ...one("x-forwarded-port", ["4711"]),
    ...one("via", ["other"]),
    ...one("te", ["trailers", "gzip"]),
    ...one("x-forwarded-client-cert", ["claimed"]),
    ...one("x-envoy-internal", ["true", "false"]),
    ...one("x-envoy-external-address", ["1.2.3.4"]),
    ...one("x-envoy-expected-rq-timeout-ms", ["7"]),
    ...one("x-envoy-upstream-rq-timeout-ms", ["9"]),
    ...one("x-envoy-original-path", ["/claimed"]),
    ...one("x-envoy-original-host", ["claimed.com"]),
    ...one("x-forwarded-host", ["claimed.com", "a.com", "claimed.com,a.com"]),
    ...one("x-envoy-downstream-service-node", ["node"]),
    ...one("x-envoy-attempt-count", ["3"]),
    ...one("x-envoy-retry-on", ["5xx"]),
  ];
}

function oddPath(random: Random, path: string): string {
  /** In the place of one of the parts that fit: something else. */
  const instead = (part: RegExp, make: (found: string) => string): string => {
    const places = [...path.matchAll(part)];
    if (places.length === 0) return path;
    const { index, 0: found } = random.pick(places);
    return path.slice(0, index) + make(found) + path.slice(index + found.length);
  };
  const escaped = (letter: string): string => {
    const digits = letter.charCodeAt(0).toString(16);
    return `%${random.chance(0.5) ? digits : digits.toUpperCase()}`;
  };
  return random.weighted<() => string>([
    [4, () => instead(/\//g, () => random.pick(["//", "//", "///"]))],
    [6, () => instead(/(?<=.)\//g, () => random.pick(["%2F", "%2f", "%5C", "%5c", "\\"]))],
    [4, () => instead(/\/|$/g, (slash) => random.pick(dotted) + slash)],
    [4, () => instead(/[a-z0-9.;]/gi, escaped)],
    [1, () => instead(/$/g, () => random.pick(characters))],
  ])();
}

const dotted = [
  ...["/.", "/%2e", "/%2E", "/a/..", "/a/.%2e", "/a/%2E.", "/a/%2E%2e", "/..", "/a//.."],
  ...["/a/..;b", "/.;b=1", "/...", "/.a", "/a..", "/a/%2e%2e;b", "/a/..%2F"],
] as const;

const characters = [
  ...[
    '"',
    "<",
    ">",
    "^",
    "`",
    "{",
    "|",
    "}",
    "[",
    "]",
    "~",
    "-",
    "_",
    "!",
    "$",
    "&",
    "'",
    "(",
    ")",
    "*",
    "+",
    ",",
    "=",
    "@",
  ],
  ...[
    ":",
    "%7E",
    "%7f",
    "%5f",
    "%2d",
    "%2B",
    "%20",
    "%",
    "%4",
    "%zz",
    "%%61",
    "%2561",
    "%C3%A9",
    "é",
    "%00",
    "%3b",
    "%3F",
    "%23",
  ],
] as const;

const oddAuthority = (random: Random, authority: string, port: number): string =>
  random.pick([
    ...[`${authority}.`, `${authority.replace(/:[0-9]+$/, "")}:${port}`, `${authority}:${port}`, `${authority}:80`],
    ...[
      `${authority.replace(/:[0-9]+$/, "")}.:${port}`,
      `${authority}:`,
      `${authority}..`,
      `[::1]:${port}`,
      "[::1]",
      "a.com:80:",
    ],
  ]);
