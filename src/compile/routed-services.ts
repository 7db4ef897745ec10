import { keepSameList, memoize } from "../base/memo.ts";
import { isHttp } from "../model/port.ts";
import type { Reachable } from "./scope.ts";

/** Only what is routed request by request (or may be) has a virtual host. */
export const isRouted = ({ port: { protocol } }: Reachable): boolean => isHttp(protocol) || protocol === "auto";

const same = keepSameList<Reachable>();

/** A port keeps its list while other ports change: the first of its services owns it. */
const byPort = memoize((services: readonly Reachable[]): ReadonlyMap<number, readonly Reachable[]> => {
  const groups = Map.groupBy(services.filter(isRouted), ({ port }) => port.number);
  return new Map([...groups].map(([port, list]) => [port, list[0] === undefined ? list : same(list[0], list)]));
});

const none: readonly Reachable[] = [];

/** Those of `services` that have this port and are routed; the same list as before where they are the same. */
export const routedAt = (services: readonly Reachable[], port: number): readonly Reachable[] =>
  byPort(services).get(port) ?? none;
