import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { type Listener, readListener } from "../../src/envoy/listener-messages.ts";
import type { Connection } from "../../src/explain/connection.ts";
import { chooseChain } from "../../src/explain/filter-chain.ts";

/* What is told beside the decision; the decisions themselves are held to a real Envoy. */

const listenerOf = (chains: readonly JsonObject[], more: JsonObject = {}): Listener =>
  readListener({
    filter_chains: chains.map(({ name = "", ...match }) => ({ name, filter_chain_match: match })),
    ...more,
  });

const connection: Connection = {
  destination: { address: "10.0.0.1", port: 443 },
  source: { address: "10.0.0.2", port: 1000 },
  directSource: "10.0.0.3",
  serverName: "b.A.com",
  transportProtocol: "tls",
  applicationProtocols: ["http/1.1", "h2"],
};

const plain: Connection = {
  destination: { address: "2001:db8::1", port: 80 },
  source: { address: "2001:db8::1", port: 1000 },
  transportProtocol: "raw_buffer",
  applicationProtocols: [],
};

/** What was in the way of the chains that were not taken. */
const inTheWay = (listener: Listener, asked: Connection): readonly string[] =>
  chooseChain(listener, asked).misses.map(
    ({ kind, index, text, pointer, found }) => `${index} ${kind} ${pointer}: ${text}; ${found}`,
  );

const range = (address_prefix: string, prefix_len: number) => ({ address_prefix, prefix_len });

describe("near misses", () => {
  test("say what each chain asks for, and what the connection has", () => {
    const chains = [
      { destination_port: 80 },
      { prefix_ranges: [range("10.1.0.0", 16), range("fd00::", 8)] },
      { server_names: ["a.com", "*.b.com"] },
      { transport_protocol: "raw_buffer" },
      { application_protocols: ["h3"] },
      { direct_source_prefix_ranges: [range("127.0.0.1", 32)] },
      { source_type: "SAME_IP_OR_LOOPBACK" },
      { source_prefix_ranges: [range("10.0.0.1", 32)] },
      { source_ports: [1, 2] },
    ];
    expect(inTheWay(listenerOf(chains), connection)).toEqual([
      "0 unmet /filterChainMatch/destinationPort: the destination port is 80; it is 443",
      "1 unmet /filterChainMatch/prefixRanges: the destination is in one of 10.1.0.0/16, fd00::/8; it is 10.0.0.1",
      '2 unmet /filterChainMatch/serverNames: the server name is one of "a.com", "*.b.com"; it is "b.A.com"',
      '3 unmet /filterChainMatch/transportProtocol: the transport protocol is "raw_buffer"; it is "tls"',
      '4 unmet /filterChainMatch/applicationProtocols: an application protocol is "h3"; there is "http/1.1", "h2"',
      "5 unmet /filterChainMatch/directSourcePrefixRanges: the direct source is in 127.0.0.1/32; it is 10.0.0.3",
      "6 unmet /filterChainMatch/sourceType: the source is this machine: the loopback address, or the same as the destination; it is 10.0.0.2",
      "7 unmet /filterChainMatch/sourcePrefixRanges: the source is in 10.0.0.1/32; it is 10.0.0.2",
      "8 unmet /filterChainMatch/sourcePorts: the source port is one of 1, 2; it is 1000",
    ]);
  });

  test("say so where the connection has nothing of the kind", () => {
    const chains = [
      { server_names: ["a.com"] },
      { application_protocols: ["h2"] },
      { direct_source_prefix_ranges: [range("10.0.0.0", 8)] },
      { source_type: "EXTERNAL" },
    ];
    expect(inTheWay(listenerOf(chains), plain)).toEqual([
      '0 unmet /filterChainMatch/serverNames: the server name is "a.com"; there is none',
      '1 unmet /filterChainMatch/applicationProtocols: an application protocol is "h2"; there is none',
      "2 unmet /filterChainMatch/directSourcePrefixRanges: the direct source is in 10.0.0.0/8; it is 2001:db8::1",
      "3 unmet /filterChainMatch/sourceType: the source is another machine: neither the loopback address nor the same as the destination; it is 2001:db8::1",
    ]);
  });

  test("say which chain fits more closely, even where that one fails later", () => {
    const chains = [
      { name: "near", server_names: ["*.a.com"], source_ports: [7] },
      { name: "wide", server_names: ["*.com"] },
      { name: "rest" },
      { server_names: ["*.a.com"], application_protocols: ["h2"] },
      { server_names: ["*.a.com"], application_protocols: ["http/1.1"], source_ports: [8] },
    ];
    const listener = listenerOf(chains);
    expect(chooseChain(listener, connection).outcome).toEqual({ kind: "none" });
    const name = "/filterChainMatch/serverNames: none fits more closely by the server name";
    const protocol = "/filterChainMatch/applicationProtocols: none fits more closely by an application protocol";
    const first = 'the filter chain 4 does: an application protocol is "http/1.1"';
    expect(inTheWay(listener, connection)).toEqual([
      `0 outdone ${protocol}; ${first}`,
      `1 outdone ${name}; the filter chain "near" does: the server name is "*.a.com"`,
      `2 outdone ${name}; the filter chain "near" does: the server name is "*.a.com"`,
      `3 outdone ${protocol}; ${first}`,
      "4 unmet /filterChainMatch/sourcePorts: the source port is 8; it is 1000",
    ]);
  });
});

describe("the outcome", () => {
  test("has all that the chain asks for, and what was found", () => {
    const chain = { server_names: ["*.a.com"], source_ports: [1000], destination_port: 443 };
    const { outcome, facts } = chooseChain(listenerOf([{}, chain]), connection);
    if (outcome.kind !== "chain") throw new Error(outcome.kind);
    expect(outcome.index).toBe(1);
    expect(outcome.conditions.map(({ text, found, holds }) => [text, found(facts), holds(facts)])).toEqual([
      ["the destination port is 443", "it is 443", true],
      ['the server name is "*.a.com"', 'it is "b.A.com"', true],
      ["the source port is 1000", "it is 1000", true],
    ]);
  });

  test("is the default chain where there is one, and all others were missed", () => {
    const listener = listenerOf([{ destination_port: 1 }], { default_filter_chain: { name: "default" } });
    const { outcome, misses } = chooseChain(listener, connection);
    expect(outcome).toMatchObject({ kind: "default", chain: { name: "default" } });
    expect(misses).toHaveLength(1);
  });

  test("a chain that asks for nothing at all takes everything", () => {
    const listener = readListener({ filter_chains: [{ name: "all" }] });
    expect(chooseChain(listener, plain)).toMatchObject({ outcome: { kind: "chain", index: 0 }, misses: [] });
  });
});

test("a tree of matchers is named, with its place", () => {
  const listener = readListener({ filter_chain_matcher: {} });
  expect(() => chooseChain(listener, plain)).toThrow(
    "a tree of filter chain matchers is not understood, at /filterChainMatcher",
  );
});

test("all addresses beside none asked for are told: what Envoy does with them is up to chance", () => {
  const all = { source_prefix_ranges: [range("::", 0), range("10.0.0.0", 8)] };
  const listener = listenerOf([{ name: "none" }, all, { destination_port: 81 }]);
  expect(() => chooseChain(listener, plain)).toThrow(
    "a range of all addresses beside no range, of which Envoy takes either, is not understood, at /filterChains/1/filterChainMatch/sourcePrefixRanges",
  );
  expect(chooseChain(listener, connection).outcome).toMatchObject({ index: 1 });
  expect(chooseChain(listener, { ...connection, source: { address: "11.0.0.1", port: 1 } }).outcome).toMatchObject({
    index: 0,
  });
});

test("what is no address is told", () => {
  const nowhere = { ...plain, source: { address: "10.0.0", port: 1 } };
  expect(() => chooseChain(listenerOf([]), nowhere)).toThrow("10.0.0 is no IP address");
});
