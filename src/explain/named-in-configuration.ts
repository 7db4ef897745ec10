import { terminalOf } from "../envoy/filter-messages.ts";
import { isInbound, type Listener, listenAddressesOf } from "../envoy/listener-messages.ts";
import { serviceInClusterName, sidecarRouteName } from "../envoy/names.ts";
import type { ProxyResources } from "../envoy/proxy-resources.ts";
import { addressOf } from "../model/address-bits.ts";
import { isIpAddress } from "../model/ip-address.ts";
import type { LookUp } from "./workload.ts";

/** What a configuration alone says of the addresses behind names: where nobody knows the registries that it was made of. */
export const namedInConfiguration =
  (resources: ProxyResources): LookUp =>
  (name, port) => {
    const address = byDomain(resources, name, port) ?? byListener(resources.listeners(), name, port);
    return address === undefined
      ? { found: `the configuration does not say which address ${name} has` }
      : { address, found: `the configuration gives ${name} the address ${address}` };
  };

/** A virtual host for captured requests answers to the addresses that clients dial, too. */
function byDomain({ routeTable }: ProxyResources, name: string, port: number): string | undefined {
  const hosts = routeTable(sidecarRouteName(port))?.virtualHosts ?? [];
  const domains = hosts.find((host) => host.domains.includes(name))?.domains ?? [];
  return domains.map((domain) => domain.replace(/^\[|\]$/g, "")).find(isIpAddress);
}

/** A listener at one address leads to one service, of which the name says the first labels, or all. */
function byListener(listeners: readonly Listener[], name: string, port: number): string | undefined {
  const found = listeners
    .filter((one) => !isInbound(one))
    .flatMap((listener) => {
      const [own] = listenAddressesOf(listener);
      if (own?.port !== port || addressOf(own.address).bits === 0n) return [];
      return servicesOf(listener)
        .filter((host) => `${host}.`.startsWith(`${name}.`))
        .map((host) => ({ host, address: own.address }));
    });
  return new Set(found.map(({ host }) => host)).size === 1 ? found[0]?.address : undefined;
}

function servicesOf({ filterChains, defaultFilterChain }: Listener): readonly string[] {
  const chains = [...filterChains, ...(defaultFilterChain === undefined ? [] : [defaultFilterChain])];
  return chains.flatMap((chain) => {
    const terminal = terminalOf(chain, "");
    const wanted = terminal?.kind === "tcp" ? terminal.proxy.clusterSpecifier : undefined;
    const hostname = wanted?.case === "cluster" ? serviceInClusterName(wanted.value)?.hostname : undefined;
    return hostname === undefined || hostname === "" ? [] : [hostname];
  });
}
