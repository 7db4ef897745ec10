import type { ProxyResourceView } from "../api/types/proxies.ts";
import { childOf, listAt, numberAt, textAt } from "./plain-data.ts";
import type { Cell, Column } from "./table.ts";

/** How resources of one type are shown. */
export interface ConfigTable {
  /** `LDS`, … */
  readonly type: string;
  /** What the resources are called. */
  readonly title: string;
  readonly columns: readonly Column[];
  /** What stands beside the name, in one row or several. */
  readonly rowsOf: (resource: ProxyResourceView) => readonly (readonly Cell[])[];
}

const titled = (...titles: readonly string[]): readonly Column[] => titles.map((title) => ({ title }));

/** By the words of the command line, in the order of a request's way. */
export const configTables: Readonly<Record<string, ConfigTable>> = {
  listeners: {
    type: "LDS",
    title: "LISTENER",
    columns: titled("ADDRESS", "FILTERS", "ROUTES"),
    rowsOf: ({ config }) => [
      [addressOf(childOf(config, "address")), some(filtersOf(config)), some(routeConfigsOf(config))],
    ],
  },
  routes: {
    type: "RDS",
    title: "ROUTES",
    columns: [...titled("DOMAINS", "MATCH"), { title: "WEIGHT", align: "right" }, { title: "TO" }],
    rowsOf: ({ config }) =>
      listAt(config, "virtualHosts").flatMap((host) => {
        const domains = some(listAt(host, "domains").map(String), 1);
        const rows = listAt(host, "routes").flatMap((route) => {
          const match = matchOf(childOf(route, "match"));
          return targetsOf(route).map((target, index) => [index === 0 ? match : "", ...target]);
        });
        // What is the same as in the row above is not said again.
        return rows.map((cells, index) => [index === 0 ? domains : "", ...cells]);
      }),
  },
  clusters: {
    type: "CDS",
    title: "CLUSTER",
    columns: titled("SUBSET", "TYPE", "BALANCING"),
    rowsOf: ({ name, config }) => [
      [subsetOf(name), textAt(config, "type") || "STATIC", textAt(config, "lbPolicy") || policyOf(config)],
    ],
  },
  endpoints: {
    type: "EDS",
    title: "CLUSTER",
    columns: [...titled("ADDRESS", "LOCALITY"), { title: "WEIGHT", align: "right" }, { title: "HEALTH" }],
    rowsOf: ({ config }) => {
      const rows = listAt(config, "endpoints").flatMap((group) =>
        listAt(group, "lbEndpoints").map((one): readonly Cell[] => [
          addressOf(childOf(childOf(one, "endpoint"), "address")),
          localityOf(childOf(group, "locality")),
          numberAt(one, "loadBalancingWeight") || "1",
          healthCell(textAt(one, "healthStatus")),
        ]),
      );
      return rows.length === 0 ? [[{ text: "none", tone: "caution" }]] : rows;
    },
  },
};

function some(items: readonly string[], shown = 2): string {
  const more = items.length - shown;
  return items.slice(0, shown).join(" ") + (more > 0 ? ` +${more}` : "");
}

function addressOf(address: unknown): string {
  const socket = childOf(address, "socketAddress");
  const path = textAt(childOf(address, "pipe"), "path");
  if (path !== "") return path;
  const host = textAt(socket, "address");
  const port = numberAt(socket, "portValue");
  return host === "" ? "-" : `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

const filterChainsOf = (listener: unknown): readonly unknown[] => [
  ...listAt(listener, "filterChains"),
  ...(childOf(listener, "defaultFilterChain") === undefined ? [] : [childOf(listener, "defaultFilterChain")]),
];

const networkFiltersOf = (listener: unknown): readonly unknown[] =>
  filterChainsOf(listener).flatMap((chain) => listAt(chain, "filters"));

/** `http_connection_manager` rather than `envoy.filters.network.http_connection_manager`. */
const filtersOf = (listener: unknown): readonly string[] => [
  ...new Set(networkFiltersOf(listener).map((filter) => textAt(filter, "name").split(".").at(-1) ?? "")),
];

function routeConfigsOf(listener: unknown): readonly string[] {
  const names = networkFiltersOf(listener).flatMap((filter) => {
    const config = childOf(filter, "typedConfig");
    const rds = textAt(childOf(config, "rds"), "routeConfigName");
    const inline = childOf(config, "routeConfig");
    const cluster = textAt(config, "cluster");
    if (rds !== "") return [rds];
    if (inline !== undefined) return [`inline ${textAt(inline, "name")}`.trim()];
    return cluster === "" ? [] : [`→ ${cluster}`];
  });
  return [...new Set(names)];
}

const pathMatches = ["prefix", "path", "pathSeparatedPrefix", "pathTemplate"] as const;

/** `prefix /api, header x-user`. */
function matchOf(match: unknown): string {
  const path = pathMatches.find((kind) => textAt(match, kind) !== "");
  const regex = textAt(childOf(match, "safeRegex"), "regex");
  const told =
    path === undefined ? (regex === "" ? "any" : `regex ${regex}`) : `${pathWords[path]} ${textAt(match, path)}`;
  const headers = listAt(match, "headers").map((header) => `header ${textAt(header, "name")}`);
  const query = listAt(match, "queryParameters").map((parameter) => `query ${textAt(parameter, "name")}`);
  return [told, ...headers, ...query].join(", ");
}

const pathWords = { prefix: "prefix", path: "exact", pathSeparatedPrefix: "below", pathTemplate: "template" } as const;

/** Weight and destination. */
function targetsOf(route: unknown): readonly (readonly [string, string])[] {
  const action = childOf(route, "route");
  const direct = childOf(route, "directResponse");
  if (direct !== undefined) return [["", `answer ${numberAt(direct, "status")}`]];
  const redirect = childOf(route, "redirect");
  if (redirect !== undefined) {
    return [["", `redirect ${textAt(redirect, "hostRedirect")}${textAt(redirect, "pathRedirect")}`]];
  }
  const weighted = listAt(childOf(action, "weightedClusters"), "clusters");
  if (weighted.length > 0)
    return weighted.map((one) => [numberAt(one, "weight") || "0", clusterWord(textAt(one, "name"))]);
  return [["", clusterWord(textAt(action, "cluster")) || textAt(action, "clusterHeader") || "-"]];
}

/** `reviews.shop:9080 v2` for `outbound|9080|v2|reviews.shop`. */
function clusterWord(name: string): string {
  const [, port, subset, host] = /^outbound\|([0-9]+)\|([^|]*)\|(.+)$/.exec(name) ?? [];
  if (host === undefined) return name;
  return `${host}:${port}${subset === "" ? "" : ` ${subset}`}`;
}

/** Of `outbound|9080|v2|reviews.shop…`. */
function subsetOf(name: string): Cell {
  const subset = name.split("|")[2] ?? "";
  return subset === "" ? { text: "-", tone: "quiet" } : subset;
}

/** Round robin is what Envoy does when nothing is said. */
function policyOf(cluster: unknown): string {
  const [first] = listAt(childOf(cluster, "loadBalancingPolicy"), "policies");
  const name = textAt(childOf(first, "typedExtensionConfig"), "name");
  return name === "" ? "ROUND_ROBIN" : (name.split(".").at(-1) ?? name);
}

function localityOf(locality: unknown): Cell {
  const text = ["region", "zone", "subZone"]
    .map((part) => textAt(locality, part))
    .join("/")
    .replace(/\/+$/, "");
  return text === "" ? { text: "-", tone: "quiet" } : text;
}

function healthCell(status: string): Cell {
  if (status === "" || status === "UNKNOWN" || status === "HEALTHY") return { text: "healthy", tone: "good" };
  return { text: status.toLowerCase(), tone: status === "DRAINING" ? "caution" : "bad" };
}
