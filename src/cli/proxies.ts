import { proxyView } from "../api/shapes/proxies.ts";
import type { ProxyView, RefusalView, RepairView, TypeDeliveryView } from "../api/types/proxies.ts";
import { MeshError } from "../base/errors.ts";
import { formatAge } from "./age.ts";
import type { CliIo, Command, CommandInput, ExitCode } from "./command.ts";
import { listAll } from "./list-all.ts";
import { outputFlag, wantsJson, writeJson } from "./output.ts";
import { pathOf } from "./request.ts";
import { allNamespacesFlag, listedNamespace, namespaceFlag, type Server, serverFlags, serverOf } from "./server.ts";
import { type Style, styleFor, type Tone } from "./style.ts";
import { type Cell, formatTable } from "./table.ts";
import { visibleText } from "./terminal-text.ts";

export const proxiesCommand: Command = {
  name: "proxies",
  summary: "list the proxies that a server knows: what each has, waits for and refused",
  details:
    "A proxy is named by its node.id, its name or name.namespace.\n" +
    "Exit code 1 when one of them waits for something or refused something.",
  arguments: "[proxy]",
  flags: [
    { ...namespaceFlag, summary: "only what is in this namespace (default: the context's, else all)" },
    allNamespacesFlag,
    outputFlag,
    ...serverFlags,
  ],
  examples: [
    { line: "fairway proxies", summary: "all proxies" },
    { line: "fairway proxies web-1.shop", summary: "one of them" },
    {
      line: "until fairway proxies -n shop > /dev/null; do sleep 1; done",
      summary: "wait until all of a namespace are in sync",
    },
  ],
  run: proxies,
};

async function proxies({ arguments: [wanted], flags }: CommandInput, io: CliIo): Promise<ExitCode> {
  const server = await serverOf(flags, io);
  const { items: all } = await listAll(
    server,
    pathOf("proxies"),
    { namespace: listedNamespace(server, flags) },
    proxyView,
  );
  const listed = wanted === undefined ? all : all.filter(({ item }) => namesOf(item).includes(wanted));
  const views = listed.map(({ item }) => item);
  if (wantsJson(flags)) writeJson(io, { items: listed.map(({ raw }) => raw) });
  else if (views.length === 0) io.out(wanted === undefined ? "No proxies are known.\n" : "No such proxy is known.\n");
  else io.out(formatProxies(views, io.now(), styleFor(io)));
  const notFound = wanted !== undefined && listed.length === 0;
  return notFound || views.some((view) => statusOf(view) === "refused" || statusOf(view) === "pending") ? 1 : 0;
}

const namesOf = ({ id, name, namespace }: ProxyView): readonly string[] => [id, name, `${name}.${namespace}`];

/** The node.id of the one proxy that a person means. Throws when there is none, or more than one. */
export async function proxyNamed(server: Server, wanted: string): Promise<string> {
  const { items } = await listAll(server, pathOf("proxies"), {}, proxyView);
  const found = items.map(({ item }) => item).filter((view) => namesOf(view).includes(wanted));
  const [first] = found;
  if (first !== undefined && found.length === 1) return first.id;
  if (first === undefined) {
    throw new MeshError("input/invalid", `no proxy ${wanted} is known`, { hint: "`fairway proxies` lists them." });
  }
  throw new MeshError("usage/invalid", `${found.length} proxies have the name ${wanted}`, {
    hint: `Say which: ${found.map(({ id }) => id).join(", ")}.`,
  });
}

type Status = "in sync" | "pending" | "refused" | "disconnected";

const tones: Readonly<Record<Status, Tone>> = {
  "in sync": "good",
  pending: "caution",
  refused: "bad",
  disconnected: "quiet",
};

function statusOf({ streams, types }: ProxyView): Status {
  const deliveries = Object.values(types);
  if (deliveries.some(({ refused }) => refused > 0)) return "refused";
  if (streams === 0) return "disconnected";
  return deliveries.some(({ pending }) => pending > 0) ? "pending" : "in sync";
}

/** In the order in which a proxy gets them; further types follow by name. */
const wellKnownTypes = ["CDS", "EDS", "LDS", "RDS"];

function formatProxies(views: readonly ProxyView[], nowMs: number, style: Style): string {
  const others = new Set(views.flatMap(({ types }) => Object.keys(types)));
  const types = [...wellKnownTypes, ...[...others].filter((type) => !wellKnownTypes.includes(type)).sort()];
  const columns = [
    ...["PROXY", "KIND", "CLIENT", "STATUS"].map((title) => ({ title })),
    ...types.map((title) => ({ title, align: "right" as const })),
    { title: "LAST ACK", align: "right" as const },
  ];
  const rows = views.map((view) => cellsOf(view, types, nowMs));
  const refusals = views.flatMap((view) => view.refusals.map((refusal) => formatRefusal(view, refusal, nowMs, style)));
  const repairs = formatRepairs(views, style);
  return [formatTable(columns, rows, style), ...refusals, ...repairs, formatSummary(views, style)].join("\n");
}

function cellsOf(view: ProxyView, types: readonly string[], nowMs: number): readonly Cell[] {
  const status = statusOf(view);
  const acks = Object.values(view.types).flatMap(({ lastAckAt }) =>
    lastAckAt === undefined ? [] : [Date.parse(lastAckAt)],
  );
  return [
    { text: `${view.name}.${view.namespace}`, tone: "strong" },
    view.kind,
    `${view.client.name} ${view.client.version}`.trim(),
    { text: status, tone: tones[status] },
    ...types.map((type) => deliveryCell(view.types[type])),
    acks.length === 0 ? "never" : formatAge(Math.max(...acks), nowMs),
  ];
}

function deliveryCell(delivery: TypeDeliveryView | undefined): Cell {
  if (delivery === undefined) return { text: "-", tone: "quiet" };
  const { resources, pending, refused } = delivery;
  if (refused > 0) return { text: `${resources} (${refused} refused)`, tone: "bad" };
  if (pending > 0) return { text: `${resources} (${pending} pending)`, tone: "caution" };
  return String(resources);
}

/** Who refused what, in the proxy's own words, and the rules behind it. */
function formatRefusal(
  view: ProxyView,
  { type, resource, reason, at, rules = [] }: RefusalView,
  nowMs: number,
  style: Style,
): string {
  const age = formatAge(Date.parse(at), nowMs);
  const head = `${style("bad", "refused")} ${type} ${visibleText(resource)} by ${visibleText(`${view.name}.${view.namespace}`)} ${age} ago\n`;
  const places = rules.map(({ rule, file, line, column, pointer }) => {
    const place = [file, line, column].filter((part) => part !== undefined).join(":");
    const shown = place === "" ? "" : `${style("strong", visibleText(place))}  `;
    return `  ${shown}${visibleText(rule)}  ${style("quiet", visibleText(pointer))}\n`;
  });
  return `${head}  ${visibleText(reason)}\n${places.join("")}`;
}

/** What stands in for something, once for all proxies that have it for the same reason. */
function formatRepairs(views: readonly ProxyView[], style: Style): readonly string[] {
  const all = views.flatMap(({ repairs = [] }) => repairs);
  const alike = Map.groupBy(all, ({ kind, type, resource, reason }) => JSON.stringify([kind, type, resource, reason]));
  return [...alike.values()].flatMap(([repair, ...others]) =>
    repair === undefined ? [] : [formatRepair(repair, 1 + others.length, style)],
  );
}

function formatRepair({ kind, type, resource, reason }: RepairView, proxies: number, style: Style): string {
  const who = proxies === 1 ? "1 proxy" : `${proxies} proxies`;
  const tone: Tone = kind === "broken" ? "bad" : "caution";
  return `${style(tone, kind)} ${type} ${visibleText(resource)} for ${who}\n  ${visibleText(reason)}\n`;
}

function formatSummary(views: readonly ProxyView[], style: Style): string {
  const counts = Map.groupBy(views, statusOf);
  const told = (Object.keys(tones) as readonly Status[]).flatMap((status) => {
    const number = counts.get(status)?.length ?? 0;
    return number === 0 ? [] : [style(tones[status], `${number} ${status}`)];
  });
  return `${views.length === 1 ? "1 proxy" : `${views.length} proxies`}: ${told.join(", ")}\n`;
}
