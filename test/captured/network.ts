import type { Cleanup } from "../support/envoy.ts";
import { makeBridge, makeNetNamespace, type NetNamespace } from "../support/net-namespaces.ts";

export const families = ["ipv4", "ipv6"] as const;
export type Family = (typeof families)[number];
export type Addresses = Readonly<Record<Family, string>>;

/** Of the namespace with this number, 1 to 9; 1 to 250 where IPv4 is enough. */
export const addressesOf = (number: number): Addresses => ({ ipv4: `10.88.0.${number}`, ipv6: `fd88::${number}` });

/** A service's virtual addresses: nobody is there, and no way leads there. */
export const virtualAddressesOf = (number: number): Addresses => ({
  ipv4: `10.96.0.${number}`,
  ipv6: `fd96::${number}`,
});

const bridgeNumber = 1;

const prefixLengths: Readonly<Record<Family, number>> = { ipv4: 24, ipv6: 64 };

/** One wire, on which each has an address of each family and sends all else to an end that leads nowhere. */
export interface Network {
  /** `number`: from 2, another one for each; `until`: who ends it, if it is to be gone before the network is. */
  readonly add: (name: string, number: number, until?: Cleanup) => Promise<NetNamespace>;
}

export async function makeNetwork(cleanup: Cleanup, members: readonly Family[]): Promise<Network> {
  const networksOf = (number: number): readonly string[] =>
    members.map((family) => `${addressesOf(number)[family]}/${prefixLengths[family]}`);
  const fabric = await makeNetNamespace(cleanup, "fabric");
  const bridge = await makeBridge({ in: fabric, interface: "bridge", addresses: networksOf(bridgeNumber) });
  return {
    add: async (name, number, until = cleanup) => {
      const namespace = await makeNetNamespace(until, name);
      await bridge.join({ in: namespace, interface: "eth0", addresses: networksOf(number) }, number);
      for (const family of members) {
        await namespace.run("ip", "route", "add", "default", "via", addressesOf(bridgeNumber)[family]);
      }
      return namespace;
    },
  };
}
