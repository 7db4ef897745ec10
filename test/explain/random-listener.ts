import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { Connection, SocketAddress } from "../../src/explain/connection.ts";
import type { Random } from "../support/random.ts";
import { httpInspector, plainProtocols, proxyProtocol, tlsInspector } from "./asked-listeners.ts";

/*
 * Listeners whose filter chains differ from each other in a thing or two, and connections that one of them takes, or would but for a
 * thing or two.
 */

/** A value of a criterion. `same`: what Envoy takes it for; two chains that ask for the same in all are refused. */
interface Value {
  readonly json: JsonValue;
  readonly same: string;
}

const value = (json: JsonValue, same = String(json)): Value => ({ json, same });

interface Range extends Value {
  /** Addresses in it. */
  readonly inside: readonly string[];
}

const range = (address_prefix: string, prefix_len: number, inside: readonly string[], same?: string): Range => ({
  json: { address_prefix, prefix_len },
  same: same ?? `${address_prefix}/${prefix_len}`,
  inside,
});

const ipv4 = ["10.0.0.1", "10.0.0.2", "10.0.1.1", "10.1.0.1", "11.0.0.1", "192.168.0.1"] as const;
const ipv6 = ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1", "2001:db9::1", "::ffff:10.0.0.1"] as const;
const loopback = ["127.0.0.1", "::1", "127.0.0.2", "::ffff:127.0.0.1"] as const;

const everything: readonly Range[] = [range("0.0.0.0", 0, ipv4), range("::", 0, ipv6)];

const ranges: readonly Range[] = [
  range("10.0.0.1", 32, ["10.0.0.1"]),
  range("10.0.0.2", 64, ["10.0.0.2"], "10.0.0.2/32"),
  range("10.0.0.3", 30, ["10.0.0.1", "10.0.0.2"], "10.0.0.0/30"),
  range("10.0.0.0", 24, ["10.0.0.1", "10.0.0.2"]),
  range("10.0.7.0", 16, ["10.0.0.1", "10.0.1.1"], "10.0.0.0/16"),
  range("10.0.0.0", 8, ["10.0.0.1", "10.1.0.1"]),
  range("10.0.0.0", 7, ["10.0.0.1", "11.0.0.1"]),
  range("128.0.0.0", 1, ["192.168.0.1"]),
  range("127.0.0.1", 32, ["127.0.0.1"]),
  range("2001:db8::1", 128, ["2001:db8::1"]),
  range("2001:DB8:0:0:0::3", 126, ["2001:db8::1", "2001:db8::2"], "2001:db8::/126"),
  range("2001:db8::", 64, ["2001:db8::1", "2001:db8::2"]),
  range("2001:db8::", 31, ["2001:db8::1", "2001:db9::1"]),
  range("::", 8, ["::1", "::ffff:10.0.0.1"]),
  range("::ffff:10.0.0.0", 104, ["::ffff:10.0.0.1"]),
  range("::1", 128, ["::1"]),
];

/** Of the connections of these tests, which come from 127.0.0.1. */
const directRanges: readonly Range[] = [
  range("127.0.0.1", 32, []),
  range("127.0.0.3", 30, [], "127.0.0.0/30"),
  range("127.0.0.0", 8, []),
  range("127.0.0.2", 32, []),
  range("::1", 128, []),
  range("10.0.0.0", 8, []),
];

const names: Readonly<Record<string, readonly string[]>> = {
  "a.com": ["a.com", "A.com"],
  "b.a.com": ["b.a.com", "B.a.com"],
  "c.b.a.com": ["c.b.a.com"],
  "*.a.com": ["b.a.com", "x.a.com", "c.b.a.com", "X.A.com"],
  ".b.a.com": ["c.b.a.com", "d.c.b.a.com"],
  "*.b.a.com": ["c.b.a.com"],
  "*.com": ["a.com", "b.a.com", "x.com"],
};
const serverNames = [...Object.values(names).flat(), "org", "b.org"];
const tlsProtocols = ["h2", "http/1.1", "x"] as const;
/** By TLS clients, the best one first. */
const offers: readonly (readonly string[])[] = [
  ...[[], ["h2"], ["http/1.1"], ["h2", "http/1.1"], ["http/1.1", "h2"]],
  ...[["x", "http/1.1"], ["h2", "x"], ["y"]],
];
const ports = [80, 81, 443] as const;
const sourcePorts = [1000, 1001, 1002] as const;

/** What chains are matched by, as fields of proto JSON. `single`: the field is no list. */
interface Field {
  readonly name: string;
  readonly values: readonly Value[];
  /** How often a chain asks for it. */
  readonly often: number;
  readonly single?: true;
  /** What says the same as nothing. */
  readonly all?: readonly Value[];
}

const fields: readonly Field[] = [
  { name: "destination_port", values: ports.map((port) => value(port)), often: 0.3, single: true },
  { name: "prefix_ranges", values: ranges, often: 0.4, all: everything },
  {
    name: "server_names",
    values: Object.keys(names).flatMap((name) => [
      value(name, name.replace(/^\*/, "")),
      value(name.toUpperCase(), name.replace(/^\*/, "")),
    ]),
    often: 0.4,
    all: [value("")],
  },
  { name: "transport_protocol", values: ["tls", "raw_buffer"].map((one) => value(one)), often: 0.3, single: true },
  {
    name: "application_protocols",
    values: [...tlsProtocols, "http/1.0", "h2c"].map((one) => value(one)),
    often: 0.4,
    all: [value("")],
  },
  { name: "direct_source_prefix_ranges", values: directRanges, often: 0.4, all: everything },
  {
    name: "source_type",
    values: ["SAME_IP_OR_LOOPBACK", "EXTERNAL"].map((one) => value(one)),
    often: 0.4,
    single: true,
  },
  { name: "source_prefix_ranges", values: ranges, often: 0.4, all: everything },
  { name: "source_ports", values: sourcePorts.map((port) => value(port)), often: 0.5 },
];

/** The field names of filter chain matches, in the order of Envoy's criteria. */
export const matchFields = fields.map(({ name }) => name);

type Match = ReadonlyMap<string, readonly Value[]>;

/** A few filter chains that can stand beside each other, and maybe one for the rest. */
export interface RandomListener {
  readonly chains: readonly JsonObject[];
  readonly withDefault: boolean;
  readonly filters: readonly JsonObject[];
  readonly connections: (count: number) => readonly Connection[];
}

export function randomListener(random: Random): RandomListener {
  // Nothing asked for, and all asked for, are not told apart by Envoy; which of two such chains it takes nobody knows.
  const explicit = new Set(fields.filter(() => random.chance(0.3)).map(({ name }) => name));
  const taken = new Set<string>();
  const matches: Match[] = [];
  const count = 1 + random.int(8);
  let match: Match = new Map();
  while (matches.length < count) {
    match = changed(random, matches.length === 0 ? match : random.pick(matches), explicit);
    const keys = keysOf(match);
    if (keys.some((key) => taken.has(key))) continue;
    for (const key of keys) taken.add(key);
    matches.push(match);
  }
  return {
    chains: matches.map((one, index) => ({ name: `c${index}`, filter_chain_match: matchJson(one) })),
    withDefault: random.chance(0.3),
    filters: [proxyProtocol, ...randomInspectors(random)],
    connections: (many) => Array.from({ length: many }, () => connectionNear(random, random.pick(matches))),
  };
}

/** Mostly all that there are; else some see nothing, or nothing at some ports. */
const randomInspectors = (random: Random): readonly JsonObject[] =>
  random.weighted<() => readonly JsonObject[]>([
    [6, () => [tlsInspector, httpInspector]],
    [1, () => [tlsInspector]],
    [1, () => [httpInspector]],
    [
      1,
      () => [
        { ...tlsInspector, ...randomPause(random) },
        { ...httpInspector, ...randomPause(random) },
      ],
    ],
  ])();

const randomPause = (random: Random): JsonObject => {
  const at = (start: number, end: number): JsonObject => ({ destination_port_range: { start, end } });
  return {
    filter_disabled: random.pick<JsonObject>([
      at(80, 81),
      at(81, 443),
      { any_match: true },
      { not_match: at(80, 82) },
      { or_match: { rules: [at(80, 81), at(443, 444)] } },
      { and_match: { rules: [at(80, 82), at(81, 444)] } },
    ]),
  };
};

function changed(random: Random, match: Match, explicit: ReadonlySet<string>): Match {
  const next = new Map(match);
  const toChange = match.size === 0 ? fields : Array.from({ length: 1 + random.int(3) }, () => random.pick(fields));
  for (const field of toChange) next.set(field.name, someValues(random, field, explicit.has(field.name)));
  return next;
}

function someValues(random: Random, { values, often, single, all = [] }: Field, explicit: boolean): readonly Value[] {
  if (!random.chance(often)) return explicit ? all : [];
  const many = single ? 1 : random.weighted([[3, 1] as const, [2, 2] as const, [1, 3] as const]);
  const chosen = Array.from({ length: many }, () => random.pick(values));
  return [...new Map(chosen.map((one) => [one.same, one])).values()];
}

/** All that Envoy would look up to come to this chain. */
const keysOf = (match: Match): readonly string[] =>
  fields.reduce<readonly string[]>(
    (keys, { name }) => {
      const values = match.get(name) ?? [];
      const own = values.length === 0 ? [""] : values.map(({ same }) => same);
      return keys.flatMap((key) => own.map((one) => `${key} ${one}`));
    },
    [""],
  );

const matchJson = (match: Match): JsonObject =>
  Object.fromEntries(
    fields.flatMap(({ name, single }) => {
      const values = (match.get(name) ?? []).map(({ json }) => json);
      return values.length === 0 ? [] : [[name, single ? (values[0] ?? null) : values]];
    }),
  );

/** One that this chain takes, or would but for a thing or two. */
function connectionNear(random: Random, match: Match): Connection {
  const misses = new Set(
    random.chance(0.4) ? [] : Array.from({ length: 1 + random.int(2) }, () => random.pick(matchFields)),
  );
  /** What the chain wants here; of anything where it is to be missed, or wants nothing. */
  const wanted = (name: string): Value | undefined => {
    const values = match.get(name) ?? [];
    return misses.has(name) || values.length === 0 ? undefined : random.pick(values);
  };
  const port = (name: string, some: readonly number[]): number => Number(wanted(name)?.json ?? random.pick(some));
  const destination = placeIn(random, wanted("prefix_ranges"), [...ipv4, ...ipv6]);
  const family = destination.includes(":");
  const ofFamily = [...ipv4, ...ipv6, ...loopback].filter((one) => one.includes(":") === family);
  const isLocal = wanted("source_type")?.json === "SAME_IP_OR_LOOPBACK";
  const source = isLocal
    ? random.pick([destination, family ? "::1" : "127.0.0.1"])
    : placeIn(random, wanted("source_prefix_ranges"), [...ofFamily, destination]);
  return {
    destination: { address: destination, port: port("destination_port", ports) },
    // Both ends are of one family.
    source: {
      address: source.includes(":") === family ? source : random.pick(ofFamily),
      port: port("source_ports", sourcePorts),
    } satisfies SocketAddress,
    directSource: "127.0.0.1",
    ...randomProtocols(random, wanted),
  };
}

const placeIn = (random: Random, wanted: Value | undefined, rest: readonly string[]): string => {
  const inside = [...ranges, ...everything].find(({ same }) => same === wanted?.same)?.inside ?? [];
  return random.pick(inside.length === 0 ? rest : inside);
};

type Protocols = Pick<Connection, "transportProtocol" | "serverName" | "applicationProtocols">;

function randomProtocols(random: Random, wanted: (name: string) => Value | undefined): Protocols {
  const transport = wanted("transport_protocol")?.json;
  const protocol = wanted("application_protocols")?.same ?? "";
  const name = wanted("server_names")?.same;
  const isPlain = plainProtocols.includes(protocol);
  if (transport === "raw_buffer" || (transport === undefined && name === undefined && random.chance(0.5))) {
    const found = isPlain && protocol !== "" ? protocol : random.pick(plainProtocols);
    return { transportProtocol: "raw_buffer", applicationProtocols: found === "" ? [] : [found] };
  }
  const offered = random.pick(offers);
  const inside = Object.entries(names).find(([key]) => key.replace(/^\*/, "") === name)?.[1] ?? serverNames;
  return {
    transportProtocol: "tls",
    ...(random.chance(0.9) && { serverName: random.pick(inside) }),
    applicationProtocols: protocol === "" || offered.includes(protocol) ? offered : [...offered, protocol],
  };
}
