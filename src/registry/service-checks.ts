import { below, fail, type Site, show } from "../base/decode.ts";
import { nearest } from "../base/nearest.ts";
import { isIpAddress } from "../model/ip-address.ts";
import type { ServicePort } from "../model/port.ts";
import { isNetwork } from "../model/service-address.ts";

/* What must hold between the fields of a service and of its instances, whichever way they are told. */

/** How clients reach a service, beside its names. */
export interface Reach {
  /** What they dial, as `parseServiceAddress` gives it. */
  readonly addresses: readonly string[];
  /** They dial the instances themselves. */
  readonly headless: boolean;
}

/** The site is that of the list of ports. */
export function checkServicePorts(ports: readonly ServicePort[], site: Site): void {
  checkUnique(
    ports.map(({ name }) => name),
    "port name",
    site,
    "name",
  );
  checkUnique(
    ports.map(({ number }) => number),
    "port number",
    site,
    "number",
  );
}

/** The site is that of the service. */
export function checkReach({ addresses, headless }: Reach, site: Site): void {
  const at = below(site, "addresses");
  checkUnique(addresses, "address", at);
  if (!headless || addresses.length === 0) return;
  const message = "A headless service has no addresses of its own: its clients dial the instances.";
  fail(at, "conflict", message, "Keep one of addresses and headless.");
}

/** An instance may name the ports of its service only. The site is that of its ports. */
export function checkInstancePorts(
  named: Readonly<Record<string, number>>,
  ports: readonly ServicePort[],
  site: Site,
): void {
  const names = ports.map(({ name }) => name);
  for (const name of Object.keys(named)) if (!names.includes(name)) unknownPort(below(site, name), name, names);
}

/** The site is that of the address. */
export function checkInstanceAddress(address: string, reach: Reach, site: Site): void {
  const reason = whyIpAddresses(reach);
  if (reason === undefined || isIpAddress(address)) return;
  fail(site, "invalid-value", `Expected an IP address, because ${reason}, found ${show(address)}.`);
}

/** Why the instances cannot have host names for addresses; undefined when they can. */
export function whyIpAddresses({ addresses, headless }: Reach): string | undefined {
  if (headless) return "clients of a headless service dial its instances";
  return addresses.some(isNetwork) ? "the service has a network for an address" : undefined;
}

/** Reports every value that an earlier item has too, at the item's `field`, or at the item. */
export function checkUnique(values: readonly (string | number)[], what: string, site: Site, field?: string): void {
  const seen = new Map<string | number, number>();
  for (const [index, value] of values.entries()) {
    const first = seen.get(value);
    seen.set(value, first ?? index);
    if (first === undefined) continue;
    const item = below(site, index);
    const message = `The ${what} ${show(value)} is already that of item ${first}.`;
    const hint = field === undefined ? "Remove one of the two." : `Give each one its own ${field}.`;
    fail(field === undefined ? item : below(item, field), "conflict", message, hint);
  }
}

function unknownPort(site: Site, name: string, names: readonly string[]): void {
  const near = nearest(name, names);
  const hint = near === undefined ? `Its ports are ${names.join(", ")}.` : `Did you mean ${near}?`;
  fail(site, "invalid-value", `The service has no port ${show(name)}.`, hint);
}
