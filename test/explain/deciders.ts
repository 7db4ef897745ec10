import { terminalOf } from "../../src/envoy/filter-messages.ts";
import { type FilterChain, isInbound, type Listener, listenAddressesOf } from "../../src/envoy/listener-messages.ts";
import { blackHoleCluster, passthroughCluster } from "../../src/envoy/names.ts";
import type { ProxyResources } from "../../src/envoy/proxy-resources.ts";
import type { Explanation } from "../../src/explain/explanation.ts";
import type { Call } from "./call.ts";
import { isAtAll } from "./call-near.ts";

/* Which of the things that sidecars are made of had a say in where a call went. */

interface Told {
  readonly call: Call;
  readonly explanation: Explanation;
  readonly resources: ProxyResources;
  /** Of all services of the mesh: IP addresses. */
  readonly virtual: ReadonlySet<string>;
}

/** With what took the call. */
interface Met extends Told {
  readonly listener: Listener;
  readonly chain: FilterChain | undefined;
}

const isHttp = ({ chain }: Met): boolean => chain !== undefined && terminalOf(chain, "")?.kind === "http";

const tableName = ({ explanation }: Met): string => explanation.virtualHost?.table ?? "";

const leadsTo =
  (isMeant: (cluster: string) => boolean) =>
  ({ explanation: { outcomes } }: Met): boolean =>
    outcomes.some(({ result }) => "cluster" in result && isMeant(result.cluster));

const asks = ({ chain }: Met, field: "serverNames" | "prefixRanges"): boolean =>
  (chain?.filterChainMatch?.[field] ?? []).length > 0;

const isAtVirtual = ({ listener, virtual }: Met): boolean =>
  listenAddressesOf(listener).some(({ address }) => virtual.has(address));

const isOutbound = ({ call, listener }: Met): boolean => call.way === "outbound" && !isInbound(listener);

/** Of one port of the workload: HTTP alone, bytes alone, or whatever is spoken. */
function inboundKind({ listener, chain }: Met): "http" | "tcp" | "auto" | undefined {
  const port = chain?.filterChainMatch?.destinationPort;
  if (!isInbound(listener) || port === undefined) return undefined;
  const all = listener.filterChains.filter((one) => one.filterChainMatch?.destinationPort === port);
  const kinds = new Set(all.map((one) => terminalOf(one, "")?.kind));
  if (kinds.size > 1) return "auto";
  return kinds.has("http") ? "http" : "tcp";
}

const toService = leadsTo((cluster) => cluster.startsWith("outbound|"));

const deciders: Readonly<Record<string, (met: Met) => boolean>> = {
  "a table of many services": (met) => /^[0-9]+$/.test(tableName(met)),
  "a table of one service": (met) => tableName(met).includes(":"),
  "a name in a table": ({ explanation: { virtualHost } }) => virtualHost !== undefined && virtualHost.domain !== "*",
  "a server name": (met) => asks(met, "serverNames"),
  "a network": (met) => asks(met, "prefixRanges"),
  "a virtual IP": (met) => isOutbound(met) && isAtVirtual(met),
  "the address of an instance": (met) => isOutbound(met) && !isAtAll(met.listener) && !isAtVirtual(met),
  "the rest of a port": (met) =>
    isAtAll(met.listener) && !isHttp(met) && toService(met) && !asks(met, "serverNames") && !asks(met, "prefixRanges"),
  "nothing, passed through": leadsTo((cluster) => cluster === passthroughCluster),
  "nothing, to nowhere": leadsTo((cluster) => cluster === blackHoleCluster),
  "an address of the proxy": ({ call }) => call.way === "dialled",
  "an inbound port of HTTP": (met) => inboundKind(met) === "http",
  "an inbound port of TCP": (met) => inboundKind(met) === "tcp",
  "an inbound port of either": (met) => inboundKind(met) === "auto",
  "no inbound port": (met) => isInbound(met.listener) && inboundKind(met) === undefined,
};

export const allDeciders: readonly string[] = Object.keys(deciders);

/** None where nobody took the call. */
export function decidersOf(told: Told): readonly string[] {
  const { explanation, resources } = told;
  const listener = resources.listeners().find(({ name }) => name === explanation.listener?.name);
  if (listener === undefined) return [];
  const met: Met = { ...told, listener, chain: chainIn(explanation, listener) };
  return allDeciders.filter((kind) => deciders[kind]?.(met));
}

function chainIn({ filterChain }: Explanation, listener: Listener): FilterChain | undefined {
  if (filterChain === undefined) return undefined;
  return filterChain.index === undefined ? listener.defaultFilterChain : listener.filterChains[filterChain.index];
}
