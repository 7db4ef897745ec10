import { anyUnpack } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isPerInstance, type TcpMatch } from "../../src/compile/listener-claims.ts";
import type { OutboundListener, OutboundPlan } from "../../src/compile/outbound-plan.ts";
import { everyPort, type Reachable } from "../../src/compile/scope.ts";
import type { FilterChain, Listener } from "../../src/envoy/listener-messages.ts";
import { asSeenBy, type Connection } from "../../src/explain/connection.ts";
import { chooseChain } from "../../src/explain/filter-chain.ts";
import { TcpProxySchema } from "../../src/gen/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.ts";
import { addressOf } from "../../src/model/address-bits.ts";
import type { Instance } from "../../src/model/instance.ts";
import { type IpFamilies, isOfFamilies } from "../../src/model/ip-families.ts";
import type { Network } from "../../src/model/network.ts";
import { isHttp, isServerFirst } from "../../src/model/port.ts";
import { anyMesh, compiled, namesIn, planOf, settingsFor } from "../support/listener-plans.ts";

/* What a sidecar's listeners do with the connections of its application, whatever services there are. */

/** Each way in which a chain can be chosen. */
function waysTo({ filterChainMatch: match }: FilterChain): readonly string[] {
  if (match === undefined) return ["any"];
  const { prefixRanges, serverNames, $typeName: _, ...rest } = match;
  const networks = prefixRanges.map(({ addressPrefix, prefixLen }) => `${addressPrefix}/${prefixLen}`);
  return (networks.length === 0 ? ["any"] : networks).flatMap((network) =>
    (serverNames.length === 0 ? ["any"] : serverNames).map((name) => JSON.stringify([network, name, rest])),
  );
}

describe("whatever services there are", () => {
  test("their order does not matter", () => {
    const shuffled = anyMesh.chain(({ families, all }) =>
      fc.record({
        ...{ families: fc.constant(families), all: fc.constant(all) },
        others: fc.shuffledSubarray([...all], { minLength: all.length }),
      }),
    );
    const inOrder = ({ listeners, conflicts }: OutboundPlan) => ({
      listeners: listeners.toSorted((a, b) =>
        JSON.stringify([a.binds, a.port]) < JSON.stringify([b.binds, b.port]) ? -1 : 1,
      ),
      losers: conflicts.map(({ name }) => name).sort(),
    });
    fc.assert(
      fc.property(shuffled, ({ families, all, others }) => {
        const settings = settingsFor(families);
        expect(inOrder(planOf(others, settings))).toEqual(inOrder(planOf(all, settings)));
      }),
    );
  });

  test("no two listeners have one name, and none is where the sidecar itself is", () => {
    fc.assert(
      fc.property(anyMesh, ({ families, all }) => {
        const names = namesIn(planOf(all, settingsFor(families)));
        expect(names).toEqual([...new Set(names)]);
        expect(names).not.toContain("0.0.0.0_15001");
        expect(names).not.toContain("::_15001");
      }),
    );
  });

  test("no two chains of a listener can be chosen by the same connections", () => {
    fc.assert(
      fc.property(anyMesh, ({ families, all }) => {
        const settings = settingsFor(families);
        for (const { message } of compiled(planOf(all, settings), settings)) {
          const ways = message.filterChains.flatMap(waysTo);
          expect(ways).toEqual([...new Set(ways)]);
          expect(ways.length + (message.defaultFilterChain === undefined ? 0 : 1)).toBeGreaterThan(0);
          if (message.defaultFilterChain !== undefined) expect(ways).not.toContain("any");
        }
      }),
    );
  });

  test("first bytes are looked at only where a chain depends on them, and never for HTTP where servers speak first", () => {
    fc.assert(
      fc.property(anyMesh, ({ families, all }) => {
        const settings = settingsFor(families);
        for (const { message, listener } of compiled(planOf(all, settings), settings)) {
          const looks = message.listenerFilters.map(({ name }) => name.replace(/^.*\./, ""));
          const matches = message.filterChains.flatMap(({ filterChainMatch }) => filterChainMatch ?? []);
          expect(looks.includes("http_inspector")).toBe(matches.some((one) => one.applicationProtocols.length > 0));
          expect(looks.includes("tls_inspector")).toBe(matches.some((one) => one.serverNames.length > 0));
          if (isServerFirst(listener.port)) expect(looks).not.toContain("http_inspector");
        }
      }),
    );
  });

  test("each port of a service can be reached, or its loss is told", () => {
    fc.assert(
      fc.property(anyMesh, ({ families, all }) => {
        const settings = settingsFor(families);
        const plan = planOf(all, settings);
        const reached = new Set(
          compiled(plan, settings).flatMap(({ resource, listener: { http, port } }) => [
            ...resource.references.map(({ name }) => name),
            ...(http?.kind === "shared" ? [`shared ${port}`] : []),
          ]),
        );
        const lost = plan.conflicts.map(({ reason }) => reason).join();
        for (const { service: one, instances } of all) {
          for (const reachable of everyPort(one)) {
            const { port } = reachable;
            const isReached =
              reached.has(`outbound|${port.number}||${one.hostname}`) ||
              (isHttp(port.protocol) && reached.has(`shared ${port.number}`));
            const isTold = lost.includes(`${one.hostname} (${port.protocol})`);
            expect(isReached || isTold).toBe(hasPlace(reachable, instances, families));
          }
        }
      }),
    );
  });
});

/** Is there an address that this sidecar's application could dial? */
function hasPlace(one: Reachable, instances: readonly Instance[], families: IpFamilies): boolean {
  if (isHttp(one.port.protocol)) return true;
  if (isPerInstance(one)) return instances.some((each) => isOfFamilies(families, each.address));
  const { addresses } = one.service;
  return addresses.length === 0 || addresses.some((each) => isOfFamilies(families, each));
}

const connections = fc.record({
  destination: fc.constantFrom("10.96.0.1", "10.1.2.3", "10.1.9.9", "192.0.2.1", "fd00:1::5", "fd00::1"),
  bytes: fc.constantFrom<"http" | "tls" | "other">("http", "tls", "other"),
  serverName: fc.constantFrom("a.example.com", "b.example.com", "f.example.com", "elsewhere.example.org"),
});

/** What the client's first bytes are, as inspectors tell of them; TLS clients offer HTTP, as most do. */
const startsWith = (bytes: "http" | "tls" | "other", serverName: string) =>
  ({
    http: { transportProtocol: "raw_buffer", applicationProtocols: ["http/1.1"] },
    tls: { transportProtocol: "tls", applicationProtocols: ["h2", "http/1.1"], serverName },
    other: { transportProtocol: "raw_buffer", applicationProtocols: [] },
  })[bytes];

/** Where Envoy's choice among the chains takes a connection. */
function taken(message: Listener, connection: Connection): string {
  const { outcome } = chooseChain(message, asSeenBy(message, connection));
  const [filter] = outcome.kind === "none" ? [] : outcome.chain.filters;
  if (filter?.configType.case !== "typedConfig") return "nowhere";
  const proxy = anyUnpack(filter.configType.value, TcpProxySchema);
  return proxy === undefined ? "requests" : `${proxy.clusterSpecifier.value}`;
}

/** The same by what the parts of the listener are meant for. */
function meant({ http, tcp, passesRest, port }: OutboundListener, connection: Connection): string {
  const { address } = connection.destination;
  const narrowest = tcp
    .flatMap(({ reachable, match }) =>
      match.kind === "networks" ? match.networks.map((network) => ({ reachable, network })) : [],
    )
    .filter(({ network }) => isIn(address, network))
    .sort((a, b) => b.network.prefix - a.network.prefix)[0];
  if (narrowest !== undefined) return clusterOf(narrowest.reachable);
  const isRequest = connection.transportProtocol === "raw_buffer" && connection.applicationProtocols.length > 0;
  if (http !== undefined && (isRequest || isServerFirst(port))) return "requests";
  const byName =
    tcp.find(({ match }) => hasName(match, connection.serverName)) ?? tcp.find(({ match }) => match.kind === "any");
  if (byName !== undefined) return clusterOf(byName.reachable);
  return passesRest ? "PassthroughCluster" : "nowhere";
}

const clusterOf = ({ service, port }: Reachable): string => `outbound|${port.number}||${service.hostname}`;

const hasName = (match: TcpMatch, name = ""): boolean => match.kind === "server-names" && match.names.includes(name);

function isIn(text: string, { address, prefix }: Network): boolean {
  const [one, first] = [addressOf(text), addressOf(address)];
  const rest = BigInt((one.family === 4 ? 32 : 128) - prefix);
  return one.family === first.family && one.bits >> rest === first.bits >> rest;
}

test("each connection goes where its address, its first bytes and its server name say, as Envoy chooses chains", () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(anyMesh, connections, ({ families, all }, { destination, bytes, serverName }) => {
      const settings = settingsFor(families);
      for (const { listener, message } of compiled(planOf(all, settings), settings)) {
        const connection: Connection = {
          destination: { address: destination, port: listener.port },
          source: { address: "10.0.0.9", port: 40_000 },
          ...startsWith(bytes, serverName),
        };
        const want = meant(listener, connection);
        seen.add(want.replace(/\|.*/, ""));
        expect(taken(message, connection)).toBe(want);
      }
    }),
    { numRuns: 400 },
  );
  expect([...seen].sort()).toEqual(["PassthroughCluster", "outbound", "requests"]);
});
