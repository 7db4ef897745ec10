import type { Family } from "./capture-options.ts";

/**
 * What capture needs beside the tables, in one family: a policy rule and a route, which lead marked packets to `lo`, and an address to call the application from.
 * 127.0.0.6 is there by itself; of IPv6's loopback only ::1 is.
 */
export interface RoutingState {
  /** What our policy rules say: `fwmark 0x539 lookup 15006`. */
  readonly selectors: readonly string[];
  /** Does our route table lead everything to `lo`? */
  readonly hasRoute: boolean;
  /** Is `::6` an address of `lo`? */
  readonly hasAddress: boolean;
}

export const noRouting: RoutingState = { selectors: [], hasRoute: false, hasAddress: false };

/** Of our route table, and the place of our policy rule among others. Nobody else's, so that what is there is ours. */
export const routeTable = 15_006;

const address = "::6/128";

/** Arguments of `ip`. */
export type IpCommand = readonly string[];

const flagOf: Readonly<Record<Family, string>> = { ipv4: "-4", ipv6: "-6" };

/** The commands whose answers `readRouting` reads, in this order. */
export const routingQueries = (family: Family): readonly IpCommand[] => [
  [flagOf[family], "rule", "show"],
  [flagOf[family], "route", "show", "table", String(routeTable)],
  [flagOf[family], "addr", "show", "dev", "lo"],
];

export function readRouting([rules = "", routes = "", addresses = ""]: readonly string[]): RoutingState {
  const ours = new RegExp(`^${routeTable}:\\s+from all (fwmark \\S+ lookup ${routeTable})\\b`, "gm");
  return {
    selectors: [...rules.matchAll(ours)].map(([, selector = ""]) => selector),
    hasRoute: /^local default dev lo\b/m.test(routes),
    hasAddress: /^\s*inet6 ::6\/128\s/m.test(addresses),
  };
}

/** Removals first, so that a changed mark is not refused as a second one. */
export function routingChanges(family: Family, from: RoutingState, to: RoutingState): readonly IpCommand[] {
  const rule = (verb: string, selectors: readonly string[]): readonly IpCommand[] =>
    selectors.map((selector) => [
      ...[flagOf[family], "rule", verb, "pref", String(routeTable), "from", "all"],
      ...selector.split(" "),
    ]);
  const route = ["local", "default", "dev", "lo", "table", String(routeTable)];
  return [
    ...rule("del", without(from.selectors, to.selectors)),
    ...oneOf(from.hasRoute, to.hasRoute, (verb) => [flagOf[family], "route", verb, ...route]),
    ...oneOf(from.hasAddress, to.hasAddress, (verb) => [
      ...[flagOf[family], "addr", verb, address, "dev", "lo"],
      // It is for who asks for it, and never chosen as the source of other connections.
      ...(verb === "add" ? ["nodad", "preferred_lft", "0"] : []),
    ]),
    ...rule("add", without(to.selectors, from.selectors)),
  ];
}

const oneOf = (is: boolean, shall: boolean, command: (verb: "add" | "del") => IpCommand): readonly IpCommand[] =>
  is === shall ? [] : [command(shall ? "add" : "del")];

/** Each one of `there` takes away one of its kind. */
function without(all: readonly string[], there: readonly string[]): readonly string[] {
  const left = [...there];
  return all.filter((one) => {
    const index = left.indexOf(one);
    if (index >= 0) left.splice(index, 1);
    return index < 0;
  });
}
