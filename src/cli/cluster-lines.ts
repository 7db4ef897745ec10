import type { ExplainedCluster, ExplainedEndpoint } from "../explain/endpoints.ts";
import { formatLocality, type Locality } from "../model/locality.ts";
import type { Line } from "./labelled-lines.ts";
import type { Style } from "./style.ts";
import { displayWidth, padEnd, visibleText } from "./terminal-text.ts";

/** As many as are shown; JSON has them all. */
const maxEndpoints = 10;

/** Where a cluster leads. */
export function clusterLines(cluster: ExplainedCluster, style: Style): readonly Line[] {
  switch (cluster.kind) {
    case "missing":
      return [["endpoints", style("bad", "the proxy has no such cluster")]];
    case "original-destination":
      return [["endpoints", cluster.isKnown ? dialledText(cluster) : undialledText(style)]];
    case "other":
      return [["endpoints", `found by ${visibleText(cluster.type)}`]];
    case "endpoints":
      return endpointLines(cluster.endpoints, style);
  }
}

/** With the address, where it is known here. */
export const dialledText = ({ address }: { readonly address?: string }): string =>
  ["the address that the client dialled", ...(address === undefined ? [] : [visibleText(address)])].join(", ");

const undialledText = (style: Style): string =>
  `${style("bad", "none")}, as the listener does not find out which address the client dialled`;

function endpointLines(endpoints: readonly ExplainedEndpoint[], style: Style): readonly Line[] {
  if (endpoints.length === 0) return [["endpoints", `${style("bad", "none")}, so that the proxy cannot send it on`]];
  const shown = endpoints.slice(0, maxEndpoints);
  const texts = columnsOf(shown.map((endpoint) => endpointCells(endpoint, endpoints)));
  const more = endpoints.length - shown.length;
  return [...texts, ...(more > 0 ? [style("quiet", `and ${more} more`)] : [])].map((text, i) => [
    i === 0 ? "endpoints" : "",
    text,
  ]);
}

/** Side by side; a column in which nothing stands is left out. */
function columnsOf(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => displayWidth(row[i] ?? ""))));
  return rows.map((row) =>
    row
      .flatMap((cell, i) => (widths[i] === 0 ? [] : padEnd(cell, widths[i] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}

/** Address, place, and what sets it apart from the others; at the end who knows it. */
function endpointCells(endpoint: ExplainedEndpoint, all: readonly ExplainedEndpoint[]): readonly string[] {
  const { address, otherAddresses = [], locality, priority, weight, localityWeight, health, origins } = endpoint;
  const differ = (of: (one: ExplainedEndpoint) => unknown): boolean => new Set(all.map(of)).size > 1;
  const facts = [
    ...(differ((one) => one.priority) ? [`priority ${priority}`] : []),
    ...(differ((one) => one.weight) ? [`weight ${weight}`] : []),
    ...(localityWeight !== undefined && differ((one) => one.localityWeight)
      ? [`locality weight ${localityWeight}`]
      : []),
    ...(health === "healthy" || health === "unknown" ? [] : [health]),
  ];
  const registry = origins.flatMap((origin) =>
    origin.kind === "registry" ? [`${origin.instance ?? origin.service} (${origin.registry})`] : [],
  );
  const place = locality === undefined ? "" : formatLocality(locality satisfies Locality);
  return [[address, ...otherAddresses].join(" or "), place, facts.join(", "), registry.join(", ")].map(visibleText);
}
