import type { Resource } from "../envoy/resource-set.ts";
import { perType, type TypeName } from "../envoy/resource-types.ts";
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

/** What is remembered of one type. */
interface Table {
  /** By name and version. */
  readonly rows: Map<string, Map<string, Row>>;
  /** Places of which nothing stands any more, though the rows say otherwise yet. */
  readonly outdated: Set<number>;
}

/** Members whose record of a type is one and the same: one of them is asked for all. */
interface Cohorts {
  /** Of each member. */
  readonly indexes: Uint32Array;
  readonly speakers: readonly ProxyReceipts[];
}

const defaultMaxBytes = 32 * 1024 * 1024;
const firstWidth = 64;
/** Who moves more than this part of the names known of a type is forgotten as a whole: when the next question comes, in one go. */
const bulkShare = 1 / 8;

/** `maxBytes`: what is remembered at most; beyond it all is forgotten, and looked up anew when asked for. */
export function createStandings(
  { subscribeMoves }: Pick<Ledger, "subscribeMoves">,
  maxBytes = defaultMaxBytes,
): Standings {
  const tables = perType((): Table => ({ rows: new Map(), outdated: new Set() }));
  const places = new Map<string, number>();
  const freePlaces: number[] = [];
  let width = firstWidth;
  let bytes = 0;
  let moves = 0;

  const forgetAll = (): void => {
    for (const { rows, outdated } of Object.values(tables)) {
      rows.clear();
      outdated.clear();
    }
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
    const { rows } = upToDate(tables[type]);
    const found = rows.get(name)?.get(version);
    if (found !== undefined) return found;
    if (bytes + width > maxBytes) forgetAll();
    const row = new Uint8Array(width);
    bytes += width;
    const versions = rows.get(name) ?? new Map<string, Row>();
    rows.set(name, versions);
    versions.set(version, row);
    return row;
  };

  subscribeMoves(({ proxy, resources }: LedgerMove) => {
    moves++;
    const place = places.get(proxy);
    if (place === undefined) return;
    if (resources === undefined) {
      places.delete(proxy);
      freePlaces.push(place);
      for (const { outdated } of Object.values(tables)) outdated.add(place);
      return;
    }
    const { rows, outdated } = tables[resources.type];
    if (resources.names.length > rows.size * bulkShare) {
      if (rows.size > 0) outdated.add(place);
      return;
    }
    for (const name of resources.names) {
      for (const row of rows.get(name)?.values() ?? []) row[place] = standing.unknown;
    }
  });

  return {
    of: (proxies) => {
      const group = Uint32Array.from(proxies, placeOf);
      const cohortsOf = perType(({ short }) => {
        let known: { readonly moves: number; readonly cohorts: Cohorts } | undefined;
        return (): Cohorts => {
          if (known?.moves !== moves) known = { moves, cohorts: cohortsAmong(proxies, short) };
          return known.cohorts;
        };
      });
      return (resource) => {
        const row = rowOf(resource);
        const { indexes, speakers } = cohortsOf[resource.type]();
        const said = new Uint8Array(speakers.length);
        const standings = new Uint8Array(group.length);
        for (let i = 0; i < group.length; i++) {
          const place = group[i] ?? 0;
          if (row[place] === standing.unknown) {
            const cohort = indexes[i] ?? 0;
            said[cohort] ||= standingOf(resource, speakers[cohort]);
            row[place] = said[cohort] ?? standing.unknown;
          }
          standings[i] = row[place] ?? standing.unknown;
        }
        return standings;
      };
    },
  };
}

/** Where most of the places are outdated, the few others are looked up anew too. */
function upToDate(table: Table): Table {
  const { rows, outdated } = table;
  if (outdated.size === 0) return table;
  const places = [...outdated];
  for (const versions of rows.values()) {
    for (const row of versions.values()) {
      if (places.length > row.length / 4) row.fill(standing.unknown);
      else for (const place of places) row[place] = standing.unknown;
    }
  }
  outdated.clear();
  return table;
}

function cohortsAmong(proxies: readonly ProxyReceipts[], type: TypeName): Cohorts {
  const indexes = new Uint32Array(proxies.length);
  const speakers: ProxyReceipts[] = [];
  const known = new Map<object, number>();
  for (const [i, proxy] of proxies.entries()) {
    const record = proxy.record(type) ?? proxy;
    const index = known.get(record) ?? speakers.push(proxy) - 1;
    known.set(record, index);
    indexes[i] = index;
  }
  return { indexes, speakers };
}

const standingOf = (resource: Resource, proxy: ProxyReceipts | undefined): number =>
  standing[resourceState(resource, proxy?.receipt(resource.type, resource.name)) ?? "unasked"];
