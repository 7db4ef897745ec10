import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { type Listener, readListener } from "../../src/envoy/listener-messages.ts";
import type { Connection, SocketAddress } from "../../src/explain/connection.ts";
import { chooseChain } from "../../src/explain/filter-chain.ts";
import { type Arrival, chooseListener } from "../../src/explain/listener-choice.ts";
import { envoyBinary, envoyLines } from "../support/envoy.ts";
import { askedListeners, listenerWith, proxyProtocol } from "./asked-listeners.ts";

const place = (text: string): SocketAddress => {
  const colon = text.lastIndexOf(":");
  return { address: text.slice(0, colon).replaceAll(/[[\]]/g, ""), port: Number(text.slice(colon + 1)) };
};

const at = (text: string, more: JsonObject = {}): JsonObject => {
  const { address, port } = place(text);
  return { address: { socket_address: { address, port_value: port, ...more } } };
};

/** Listeners that have no port of their own, beside one that hands over and one that does not. */
const listeners: JsonObject[] = [
  // Connections come by the PROXY protocol here, which restores their destination as iptables does.
  listenerWith("front", [{ name: "front" }], { use_original_dst: true, listener_filters: [proxyProtocol] }),
  listenerWith("plain", [{ name: "plain" }], { listener_filters: [proxyProtocol] }),
  ...[
    listenerWith("exact", [{ name: "exact" }], at("10.0.0.1:8000")),
    listenerWith(
      "any",
      [
        { name: "any" },
        { name: "any-nine", filter_chain_match: { prefix_ranges: [{ address_prefix: "10.0.0.9", prefix_len: 32 }] } },
      ],
      at("0.0.0.0:8000"),
    ),
    listenerWith("any6", [{ name: "any6" }], at("[::]:8000")),
    listenerWith("exact6", [{ name: "exact6" }], at("[2001:DB8:0::1]:8000")),
    listenerWith("both", [{ name: "both" }], at("[::]:8001", { ipv4_compat: true })),
    listenerWith("four", [{ name: "four" }], at("0.0.0.0:8002")),
    listenerWith("both-beside-four", [{ name: "both-beside-four" }], at("[::]:8002", { ipv4_compat: true })),
    listenerWith("mapped", [{ name: "mapped" }], at("[::ffff:10.0.0.2]:8000", { ipv4_compat: true })),
    listenerWith("several", [{ name: "several" }], {
      ...at("10.0.0.3:8003"),
      additional_addresses: [at("10.0.0.4:8004"), at("[::]:8005")],
    }),
    listenerWith("next", [{ name: "next" }], { ...at("0.0.0.0:8006"), use_original_dst: true }),
  ].map((listener) => ({ ...listener, bind_to_port: false, listener_filters: [] })),
];

/** By the original destination: who is to take the connection, and how it was found. */
const handed: readonly (readonly [original: string, chain: string, kind: string, by: string])[] = [
  ["10.0.0.1:8000", "exact", "handed-over", "address"],
  ["10.0.0.7:8000", "any", "handed-over", "all-addresses"],
  ["10.0.0.9:8000", "any-nine", "handed-over", "all-addresses"],
  ["[2001:db8::1]:8000", "exact6", "handed-over", "address"],
  ["[2001:db8::2]:8000", "any6", "handed-over", "all-addresses"],
  ["10.0.0.1:8001", "both", "handed-over", "all-addresses"],
  ["[2001:db8::1]:8001", "both", "handed-over", "all-addresses"],
  ["10.0.0.1:8002", "four", "handed-over", "all-addresses"],
  ["[2001:db8::1]:8002", "both-beside-four", "handed-over", "all-addresses"],
  ["10.0.0.2:8000", "mapped", "handed-over", "address"],
  ["[::ffff:10.0.0.2]:8000", "mapped", "handed-over", "address"],
  ["10.0.0.3:8003", "several", "handed-over", "address"],
  ["10.0.0.4:8004", "several", "handed-over", "address"],
  ["[2001:db8::1]:8005", "several", "handed-over", "all-addresses"],
  ["10.0.0.4:8003", "front", "kept", "address"],
  ["10.0.0.1:8006", "next", "handed-over", "all-addresses"],
  ["10.0.0.1:9000", "front", "kept", "address"],
  ["[2001:db8::1]:9000", "front", "kept", "address"],
];

const connectionTo = (destination: SocketAddress): Connection => ({
  destination,
  source: { address: destination.address.includes(":") ? "2001:db8::9" : "10.0.0.99", port: 1000 },
  directSource: "127.0.0.1",
  transportProtocol: "raw_buffer",
  applicationProtocols: [],
});

const chainFor = (all: readonly Listener[], arrival: Arrival): string => {
  const choice = chooseListener(all, arrival);
  if (choice.kind === "nobody") return "";
  const { outcome } = chooseChain(choice.listener, connectionTo(choice.destination));
  return outcome.kind === "none" ? "" : outcome.chain.name;
};

test.for(envoyLines)("Envoy %s hands connections over to whom we say", async (line, context) => {
  const envoy = await askedListeners(await envoyBinary(context, line), listeners, context.onTestFinished);
  const bound = new Map(["front", "plain"].map((name) => [name, { address: "127.0.0.1", port: envoy.portOf(name) }]));
  const all = listeners.map((json) => {
    const here = bound.get(String(json["name"]));
    return readListener(here === undefined ? json : { ...json, ...at(`${here.address}:${here.port}`) });
  });
  const seen: unknown[] = [];
  for (const [text] of handed) {
    const original = place(text);
    const arrival = { to: bound.get("front") ?? original, original };
    const choice = chooseListener(all, arrival);
    if (choice.kind === "nobody") throw new Error(text);
    const there = await envoy.ask("front", connectionTo(original));
    seen.push([text, there, choice.kind, choice.by, chainFor(all, arrival)]);
  }
  expect(seen).toEqual(handed.map(([text, chain, kind, by]) => [text, chain, kind, by, chain]));
  // Without the setting nothing is handed over, whatever its destination.
  expect(await envoy.ask("plain", connectionTo(place("10.0.0.1:8000")))).toBe("plain");
});

describe("a listener", () => {
  const read = (all: readonly JsonObject[]): readonly Listener[] => all.map((one) => readListener(one));
  const found = (all: readonly Listener[], arrival: Arrival): unknown => {
    const choice = chooseListener(all, arrival);
    if (choice.kind === "nobody") return "nobody";
    const { kind, listener, by, destination } = choice;
    return [kind, listener.name, by, `${destination.address} ${destination.port}`];
  };

  const some = read([
    { name: "any", ...at("0.0.0.0:80") },
    { name: "exact", ...at("10.0.0.1:80") },
    { name: "unbound", ...at("10.0.0.2:80"), bind_to_port: false },
    { name: "old", ...at("10.0.0.3:80"), deprecated_v1: { bind_to_port: false } },
    { name: "udp", ...at("10.0.0.4:80", { protocol: "UDP" }) },
    { name: "pipe", address: { pipe: { path: "/tmp/pipe" } } },
    { name: "six", ...at("[::]:81", { ipv4_compat: true }) },
    { name: "mapped", ...at("[::ffff:10.0.0.1]:84", { ipv4_compat: true }) },
    { name: "not-mapped", ...at("[2001:db8::a00:1]:85", { ipv4_compat: true }) },
    { name: "six-alone", ...at("[::]:83") },
    { name: "mapped-alone", ...at("[::ffff:10.0.0.1]:83") },
  ]);

  test.each([
    ["10.0.0.1:80", ["bound", "exact", "address", "10.0.0.1 80"]],
    ["10.0.0.2:80", ["bound", "any", "all-addresses", "10.0.0.2 80"]],
    ["10.0.0.3:80", ["bound", "any", "all-addresses", "10.0.0.3 80"]],
    ["10.0.0.4:80", ["bound", "any", "all-addresses", "10.0.0.4 80"]],
    ["10.0.0.1:81", ["bound", "six", "all-addresses", "10.0.0.1 81"]],
    ["[::1]:81", ["bound", "six", "all-addresses", "::1 81"]],
    ["10.0.0.1:84", ["bound", "mapped", "address", "10.0.0.1 84"]],
    ["[2001:db8::a00:1]:84", "nobody"],
    ["10.0.0.1:85", "nobody"],
    ["[2001:db8::1]:83", ["bound", "six-alone", "all-addresses", "2001:db8::1 83"]],
    ["10.0.0.1:83", "nobody"],
    ["[::1]:80", "nobody"],
    ["10.0.0.1:82", "nobody"],
  ])("that is bound to it takes a connection to %s", (to, expected) => {
    expect(found(some, { to: place(to) })).toEqual(expected);
  });

  const filter = (type: string) => ({
    listener_filters: [
      { name: "f", typed_config: { "@type": `type.googleapis.com/envoy.extensions.filters.listener.${type}` } },
    ],
  });
  const redirected = { to: place("127.0.0.1:15001"), original: place("10.0.0.1:80") };
  const target = { name: "target", ...at("10.0.0.1:80"), bind_to_port: false };

  test("knows the original destination by its filter or its setting, and hands over by its setting alone", () => {
    const front = { name: "front", ...at("0.0.0.0:15001") };
    const taken = (more: JsonObject) => found(read([{ ...front, ...more }, target]), redirected);
    expect(taken({})).toEqual(["bound", "front", "all-addresses", "127.0.0.1 15001"]);
    expect(taken(filter("tls_inspector.v3.TlsInspector"))).toEqual([
      "bound",
      "front",
      "all-addresses",
      "127.0.0.1 15001",
    ]);
    expect(taken(filter("original_dst.v3.OriginalDst"))).toEqual(["bound", "front", "all-addresses", "10.0.0.1 80"]);
    expect(taken({ use_original_dst: true })).toEqual(["handed-over", "target", "address", "10.0.0.1 80"]);
  });

  test("that was handed a connection does not hand it over again", () => {
    const all = read([
      { name: "front", ...at("0.0.0.0:15001"), use_original_dst: true },
      { ...target, use_original_dst: true },
    ]);
    expect(found(all, redirected)).toEqual(["handed-over", "target", "address", "10.0.0.1 80"]);
  });

  test("hands over what was meant for another port of the same address", () => {
    const all = read([{ name: "front", ...at("10.0.0.1:15001"), use_original_dst: true }, target]);
    const arrival = { to: place("10.0.0.1:15001"), original: place("10.0.0.1:80") };
    expect(found(all, arrival)).toEqual(["handed-over", "target", "address", "10.0.0.1 80"]);
  });

  test("keeps what was meant for itself", () => {
    const all = read([{ name: "front", ...at("0.0.0.0:15001"), use_original_dst: true }]);
    expect(found(all, { ...redirected, original: place("10.0.0.1:15001") })).toEqual([
      "kept",
      "front",
      "all-addresses",
      "10.0.0.1 15001",
    ]);
    expect(found(all, { to: redirected.to })).toEqual(["bound", "front", "all-addresses", "127.0.0.1 15001"]);
  });
});
