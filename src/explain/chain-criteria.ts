import type { JsonPointer } from "../base/json-pointer.ts";
import { type CidrRange, type FilterChainMatch, type SourceKind, sourceKindOf } from "../envoy/listener-messages.ts";
import { asBytes, asciiLower } from "../envoy/string-matcher.ts";
import type { Address } from "../model/address-bits.ts";
import { rangeTest, rangeText } from "./address.ts";
import { quoted } from "./condition.ts";
import type { ConnectionFacts } from "./connection.ts";

/** One thing that a filter chain asks of a connection. */
export interface ChainCondition {
  /** In words: `the destination port is 80`. */
  readonly text: string;
  /** Where it stands in the filter chain, in proto JSON. */
  readonly pointer: JsonPointer;
  readonly holds: (facts: ConnectionFacts) => boolean;
  /** What the connection has, in words: `it is 81`. */
  readonly found: (facts: ConnectionFacts) => string;
}

export interface RankedCondition extends ChainCondition {
  /** How closely it fits: chains that fit more closely go first. 0: as those that ask for nothing. undefined: it does not hold. */
  readonly closeness: (facts: ConnectionFacts) => number | undefined;
}

/** One of the things that chains are chosen by. */
export interface Criterion {
  /** In words: `the destination port`. */
  readonly name: string;
  readonly field: keyof FilterChainMatch;
  /** By addresses: a range of all of them is as close as asking for nothing, and yet Envoy keeps the two apart. */
  readonly ofRanges?: true;
  /** undefined: it asks for nothing. Throws a `RangeError` for a range that is none. */
  readonly conditionOf: (match: FilterChainMatch) => RankedCondition | undefined;
}

interface Wanted<T> {
  readonly name: string;
  readonly field: keyof FilterChainMatch;
  /** None: anything will do. */
  readonly values: (match: FilterChainMatch) => readonly T[];
  /** How closely a connection fits one of the values, as `RankedCondition.closeness`. */
  readonly fit: (value: T) => (facts: ConnectionFacts) => number | undefined;
  readonly words: (values: readonly T[]) => string;
  readonly found: (facts: ConnectionFacts) => string;
}

function criterion<T>({ name, field, values, fit, words, found }: Wanted<T>): Criterion {
  const pointer = `/filterChainMatch/${field}`;
  return {
    ...{ name, field },
    conditionOf(match) {
      const wanted = values(match);
      if (wanted.length === 0) return undefined;
      const fits = wanted.map(fit);
      const closeness = (facts: ConnectionFacts): number | undefined => {
        const found = fits.map((one) => one(facts)).filter((close) => close !== undefined);
        return found.length === 0 ? undefined : Math.max(...found);
      };
      return {
        ...{ pointer, found, closeness },
        text: `${name} ${words(wanted)}`,
        holds: (facts) => closeness(facts) !== undefined,
      };
    },
  };
}

const oneOf = (values: readonly unknown[]): string =>
  values.length === 1 ? `is ${values[0]}` : `is one of ${values.join(", ")}`;

const quotedOneOf = (values: readonly string[]): string => oneOf(values.map(quoted));

const given = (value: string): readonly string[] => (value === "" ? [] : [value]);

const same = (is: boolean): number | undefined => (is ? 1 : undefined);

function ranges(
  name: string,
  field: "prefixRanges" | "directSourcePrefixRanges" | "sourcePrefixRanges",
  addressIn: (facts: ConnectionFacts) => Address,
  textIn: (facts: ConnectionFacts) => string,
): Criterion {
  const made = criterion<CidrRange>({
    ...{ name, field },
    values: (match) => match[field],
    fit: (range) => {
      const test = rangeTest(range);
      return (facts) => test(addressIn(facts));
    },
    words: (values) => `is in ${values.length === 1 ? "" : "one of "}${values.map(rangeText).join(", ")}`,
    found: (facts) => `it is ${textIn(facts)}`,
  });
  return { ...made, ofRanges: true };
}

/** The name itself goes before `*.suffix`, of which the longest goes first; an empty name is none. */
function nameFit(name: string): (facts: ConnectionFacts) => number | undefined {
  const wanted = asciiLower(asBytes(name));
  // What begins with a dot is read as if it had a star.
  const key = wanted.startsWith("*.") ? wanted.slice(1) : wanted;
  if (key === "") return () => 0;
  const isSuffix = key.startsWith(".") && key.length > 1;
  return ({ serverName }) => {
    if (serverName === key) return Number.POSITIVE_INFINITY;
    return isSuffix && serverName.endsWith(key) ? key.length : undefined;
  };
}

const sourceWords: Readonly<Record<SourceKind, string>> = {
  any: "is any",
  local: "is this machine: the loopback address, or the same as the destination",
  external: "is another machine: neither the loopback address nor the same as the destination",
};

/** In the order in which Envoy looks at them. A chain that is left behind at one of them does not come back at a later one. */
export const criteria: readonly Criterion[] = [
  criterion<number>({
    name: "the destination port",
    field: "destinationPort",
    values: ({ destinationPort = 0 }) => (destinationPort === 0 ? [] : [destinationPort]),
    fit:
      (port) =>
      ({ connection }) =>
        same(connection.destination.port === port),
    words: oneOf,
    found: ({ connection }) => `it is ${connection.destination.port}`,
  }),
  ranges(
    "the destination",
    "prefixRanges",
    ({ destination }) => destination,
    ({ connection }) => connection.destination.address,
  ),
  criterion<string>({
    name: "the server name",
    field: "serverNames",
    values: ({ serverNames }) => serverNames,
    fit: nameFit,
    words: quotedOneOf,
    found: ({ connection: { serverName = "" } }) =>
      serverName === "" ? "there is none" : `it is ${quoted(serverName)}`,
  }),
  criterion<string>({
    name: "the transport protocol",
    field: "transportProtocol",
    values: ({ transportProtocol }) => given(transportProtocol),
    fit:
      (protocol) =>
      ({ connection }) =>
        same(connection.transportProtocol === protocol),
    words: quotedOneOf,
    found: ({ connection }) => `it is ${quoted(connection.transportProtocol)}`,
  }),
  criterion<string>({
    name: "an application protocol",
    field: "applicationProtocols",
    values: ({ applicationProtocols }) => applicationProtocols,
    // What the client would have first goes first.
    fit: (protocol) => {
      const wanted = asBytes(protocol);
      if (wanted === "") return () => 0;
      return ({ applicationProtocols: offered }) => {
        const place = offered.indexOf(wanted);
        return place < 0 ? undefined : offered.length - place;
      };
    },
    words: quotedOneOf,
    found: ({ connection: { applicationProtocols } }) =>
      applicationProtocols.length === 0 ? "there is none" : `there is ${applicationProtocols.map(quoted).join(", ")}`,
  }),
  ranges(
    "the direct source",
    "directSourcePrefixRanges",
    ({ directSource }) => directSource,
    ({ connection: { directSource, source } }) => directSource ?? source.address,
  ),
  criterion<SourceKind>({
    name: "the source",
    field: "sourceType",
    values: (match) => {
      const kind = sourceKindOf(match);
      return kind === "any" ? [] : [kind];
    },
    fit:
      (kind) =>
      ({ isLocal }) =>
        same(isLocal === (kind === "local")),
    words: ([kind = "any"]) => sourceWords[kind],
    found: ({ connection }) => `it is ${connection.source.address}`,
  }),
  ranges(
    "the source",
    "sourcePrefixRanges",
    ({ source }) => source,
    ({ connection }) => connection.source.address,
  ),
  criterion<number>({
    name: "the source port",
    field: "sourcePorts",
    values: ({ sourcePorts }) => sourcePorts,
    fit:
      (port) =>
      ({ connection }) =>
        same(connection.source.port === port),
    words: oneOf,
    found: ({ connection }) => `it is ${connection.source.port}`,
  }),
];
