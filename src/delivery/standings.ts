import type { Resource } from "../envoy/resource-set.ts";
import { resourceTypes, type TypeName } from "../envoy/resource-types.ts";
import type { Ledger, LedgerMove, ProxyReceipts } from "./ledger.ts";
import { resourceState } from "./resource-state.ts";

/** How a proxy stands to a resource version, the worse the higher; `unknown` is only ever found in the memory. */
export const standing = { unknown: 0, unasked: 1, accepted: 2, pending: 3, refused: 4 } as const;

/** Remembers what proxies said of resource versions until the ledger says that it moved. */
export interface Standings {
  /** For a group of proxies: a function from a resource to the standing of each of them. */
  readonly of: (proxies: readonly ProxyReceipts[]) => (resource: Resource) => Uint8Array;
}

/** Which proxies stand how, by place: a byte each, so that all that is asked about a large mesh can be kept. */
type Row = Uint8Array;
type RowsByVersion = Map<string, Row>;

const defaultMaxBytes = 32 * 1024 * 1024;
const firstWidth = 64;

/** `maxBytes`: what is remembered at most; beyond it all is forgotten, and looked up anew when asked for. */
export function createStandings(
  { subscribeMoves }: Pick<Ledger, "subscribeMoves">,
  maxBytes = defaultMaxBytes,
): Standings {
  const names = Object.fromEntries(
    resourceTypes.map(({ short }) => [short, new Map<string, RowsByVersion>()]),
  ) as Readonly<Record<TypeName, Map<string, RowsByVersion>>>;
  const places = new Map<string, number>();
  const freePlaces: number[] = [];
  let width = firstWidth;
  let bytes = 0;

  const forgetAll = (): void => {
    for (const table of Object.values(names)) table.clear();
    bytes = 0;
  };

  const placeOf = ({ node: { id } }: ProxyReceipts): number => {
    const place = places.get(id) ?? freePlaces.pop() ?? places.size;
    places.set(id, place);
    if (place < width) return place;
    width *= 2;
    forgetAll();
    return place;
  };

  const rowOf = ({ type, name, version }: Resource): Row => {
    const found = names[type].get(name)?.get(version);
    if (found !== undefined) return found;
    if (bytes + width > maxBytes) forgetAll();
    const row = new Uint8Array(width);
    bytes += width;
    const versions = names[type].get(name) ?? new Map<string, Row>();
    names[type].set(name, versions);
    versions.set(version, row);
    return row;
  };

  subscribeMoves(({ proxy, resources }: LedgerMove) => {
    const place = places.get(proxy);
    if (place === undefined) return;
    if (resources !== undefined) {
      const table = names[resources.type];
      if (table.size === 0) return;
      for (const name of resources.names) {
        for (const row of table.get(name)?.values() ?? []) row[place] = standing.unknown;
      }
      return;
    }
    places.delete(proxy);
    freePlaces.push(place);
    for (const table of Object.values(names)) {
      for (const versions of table.values()) for (const row of versions.values()) row[place] = standing.unknown;
    }
  });

  return {
    of: (proxies) => {
      const group = proxies.map((proxy) => ({ proxy, place: placeOf(proxy) }));
      return (resource) => {
        const row = rowOf(resource);
        const standings = new Uint8Array(group.length);
        for (let i = 0; i < group.length; i++) {
          const member = group[i];
          if (member === undefined) continue;
          const { proxy, place } = member;
          if (row[place] === standing.unknown) {
            const state = resourceState(resource, proxy.receipt(resource.type, resource.name));
            row[place] = standing[state ?? "unasked"];
          }
          standings[i] = row[place] ?? standing.unknown;
        }
        return standings;
      };
    },
  };
}
