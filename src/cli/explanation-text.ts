import { percent } from "../base/percent.ts";
import { leadsSomewhere } from "../explain/endpoints.ts";
import type {
  ChainMiss,
  Change,
  Destination,
  ExplainedRoute,
  Explanation,
  FailedCondition,
  Forwarded,
  NearMiss,
  Outcome,
  Result,
} from "../explain/explanation.ts";
import { clusterLines, dialledText } from "./cluster-lines.ts";
import { connectionLines } from "./connection-lines.ts";
import { formatLines, type Line } from "./labelled-lines.ts";
import { distinctOrigins, originLines } from "./origin-lines.ts";
import { policyLines } from "./policy-lines.ts";
import type { Style } from "./style.ts";
import { visibleText } from "./terminal-text.ts";

/** As many as are shown of one list; JSON has them all. */
const limits = { misses: 20, conditions: 5 } as const;

/** Where a request goes and why, for a terminal; `question` is what was asked, in a few words. */
export function formatExplanation(explanation: Explanation, question: string, style: Style): string {
  const { filterChain, admitted, virtualHost, outcomes, nearMisses, otherChains } = explanation;
  const { unknownFilters = [] } = explanation;
  const ways = outcomes.map((outcome) => wayLines(outcome, style));
  const isOneWay = ways.every((way) => JSON.stringify(way) === JSON.stringify(ways[0]));
  const head: readonly Line[] = [
    ...connectionLines(explanation, style),
    ...(filterChain === undefined ? [] : chainLines(filterChain, otherChains.length > 0)),
    ...unknownFilters.map((type, i) => [i === 0 ? "not known" : "", unknownText(type, style)] as const),
    ...changeLines(admitted, style),
    ...(virtualHost === undefined ? [] : [["virtual host", hostText(virtualHost)] as const]),
    ...((isOneWay && ways[0]) || []),
  ];
  const blocks = [
    `${style("strong", visibleText(question))}\n${formatLines(head, style)}`,
    ...outcomes.map(({ share, result }, i) => {
      const part = outcomes.length > 1 ? `${style("strong", percent(share))}  ` : "";
      const lines = [...(isOneWay ? [] : (ways[i] ?? [])), ...endLines(result, style)];
      return `${part}${formatHead(result, style)}\n${formatLines(lines, style)}`;
    }),
    ...(nearMisses.length === 0 ? [] : [formatMisses(nearMisses, style)]),
    ...(filterChain === undefined && otherChains.length > 0 ? [formatChainMisses(otherChains, style)] : []),
  ];
  return blocks.join("\n");
}

const unknownText = (type: string, style: Style): string =>
  style("caution", `what ${visibleText(type)} does on the way`);

const hostText = ({ name, domain }: NonNullable<Explanation["virtualHost"]>): string =>
  visibleText(domain === name ? name : `${name}, by its domain ${domain}`);

function chainLines(
  { name, index, asks }: NonNullable<Explanation["filterChain"]>,
  hasOthers: boolean,
): readonly Line[] {
  if (index === undefined) return [["filter chain", "the one that takes what no other does"]];
  if (!hasOthers && asks.length === 0) return [];
  const shown = name === "" ? `number ${index + 1}` : visibleText(name);
  return [["filter chain", asks.length === 0 ? shown : `${shown}: ${visibleText(asks.join("; "))}`]];
}

function formatHead(result: Result, style: Style): string {
  switch (result.kind) {
    case "forward":
    case "tunnel":
      return `${style(leadsSomewhere(result.leadsTo) ? "good" : "bad", "→")} ${style("strong", destinationText(result))}`;
    case "redirect":
      return `${style("caution", String(result.status))} to ${style("strong", visibleText(result.location))}`;
    case "answer": {
      const tone = result.status < 400 ? "good" : "bad";
      return `${style(tone, String(result.status))} from the proxy itself: ${visibleText(result.reason)}`;
    }
    case "close":
      return `${style("bad", "closed")}: ${visibleText(result.reason)}`;
    case "unknown":
      return `${style("caution", "not known")}: the filter ${visibleText(result.filter)} decides`;
  }
}

function destinationText({ cluster, service, leadsTo }: Destination): string {
  if (service === undefined) {
    const isDialled = leadsTo.kind === "original-destination" && leadsTo.isKnown;
    return isDialled ? dialledText(leadsTo) : visibleText(cluster);
  }
  if (service.direction === "inbound") return `the application of the proxy, for port ${service.port}`;
  const subset = service.subset === undefined ? "" : `, subset ${service.subset}`;
  return visibleText(`${service.host}:${service.port}${subset}`);
}

/** The route, and what happens on it. */
const wayLines = ({ route, result }: Outcome, style: Style): readonly Line[] => [
  ...(route === undefined ? [] : routeLines(route, style)),
  ...(result.kind === "forward"
    ? [
        ...changeLines(result.changes, style),
        ...namedLines(result),
        ...addedLines(result.changes, style),
        ...policyLines(result.policies),
      ]
    : []),
];

const routeLines = ({ name, index, asks, origins }: ExplainedRoute, style: Style): readonly Line[] => [
  ["route", `${name === "" ? `number ${index + 1}` : visibleText(name)}, ${asText(asks)}`],
  ...originLines(origins, style),
];

const asText = (asks: readonly string[]): string =>
  asks.length === 0 || (asks.length === 1 && asks[0] === everyPath)
    ? "which takes every request"
    : `as ${visibleText(asks.join(", and "))}`;

/** How a route asks for nothing. */
const everyPath = 'the path begins with "/"';

/** Where it ends. */
function endLines(result: Result, style: Style): readonly Line[] {
  switch (result.kind) {
    case "forward":
    case "tunnel":
      return [
        [
          "cluster",
          visibleText([result.cluster, ...(result.meaning === undefined ? [] : [result.meaning])].join(": ")),
        ],
        ...originLines(result.origins, style),
        ...clusterLines(result.leadsTo, style),
      ];
    case "answer":
      return result.body === undefined ? [] : [["body", visibleText(result.body.slice(0, 200))]];
    default:
      return [];
  }
}

/** Additions of its own, which a proxy makes to every request. */
const isUsual = ({ by, before }: Change): boolean =>
  before === undefined && (by === "proxy" || by === "connection-manager");

const changeLines = (changes: readonly Change[], style: Style): readonly Line[] =>
  changes
    .filter((change) => !isUsual(change))
    .flatMap((change) => [changeLine(change), ...originLines(change.origins, style)]);

const namedLines = ({ takesNameOfInstance }: Pick<Forwarded, "takesNameOfInstance">): readonly Line[] =>
  takesNameOfInstance ? [["authority", "the name of the instance that is chosen"]] : [];

/** In one line. */
function addedLines(changes: readonly Change[], style: Style): readonly Line[] {
  const added = changes.filter(isUsual).map(({ what, after = "" }) => visibleText(`${what}: ${after}`));
  return added.length === 0 ? [] : [["proxy adds", style("quiet", added.join(", "))]];
}

function changeLine({ what, before, after }: Change): Line {
  if (before === undefined) return [what, `${visibleText(after ?? "")}, added`];
  return [what, after === undefined ? `${visibleText(before)}, removed` : visibleText(`${before} → ${after}`)];
}

const failedText = ({ asks, found }: FailedCondition): string => `asks that ${asks}; ${found}`;

/** What was in the way of each, and where that stands. */
function formatMisses(misses: readonly NearMiss[], style: Style): string {
  const lines = misses.slice(0, limits.misses).flatMap((miss) => missLines(miss, style));
  const more = misses.length - limits.misses;
  const rest = more > 0 ? `  ${style("quiet", `and ${more} more`)}\n` : "";
  return `${style("strong", "Not these routes, which come before")}\n${formatLines(lines, style)}${rest}`;
}

function missLines({ name, index, failed, origins }: NearMiss, style: Style): readonly Line[] {
  const label = name === "" ? `number ${index + 1}` : name;
  if (failed.length === 0) {
    return [[label, "it takes a part of the requests, or none"], ...originLines(origins, style)];
  }
  const shown = failed.slice(0, limits.conditions);
  const more = failed.length - shown.length;
  return [
    ...shown.map((one, i): Line => [i === 0 ? label : "", visibleText(failedText(one))]),
    ...(more === 0 ? [] : [["", style("quiet", `and ${more} more`)] as const]),
    ...originLines(distinctOrigins(shown.flatMap((one) => one.origins)), style),
  ];
}

function formatChainMisses(misses: readonly ChainMiss[], style: Style): string {
  const lines = misses.map(({ name, index, failed }): Line => {
    return [name === "" ? `number ${index + 1}` : name, visibleText(failedText(failed))];
  });
  return `${style("strong", "The filter chains that are there")}\n${formatLines(lines, style)}`;
}
