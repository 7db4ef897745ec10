import { serviceView } from "../api/shapes/services.ts";
import type { InstanceView, ServiceView } from "../api/types/services.ts";
import type { CliIo, Command, CommandInput, ExitCode } from "./command.ts";
import { count } from "./findings-text.ts";
import { listAll } from "./list-all.ts";
import { tableOutputFlag, writeJson } from "./output.ts";
import { pathOf } from "./request.ts";
import { allNamespacesFlag, listedNamespace, namespaceFlag, serverFlags, serverOf } from "./server.ts";
import { type Style, styleFor, type Tone } from "./style.ts";
import { type Cell, type Column, formatTable } from "./table.ts";

export const instancesCommand: Command = {
  name: "instances",
  summary: "list the running copies of services: where each is, how it is, who told of it",
  details: "A service is named by its host, or by the first words of it (reviews, reviews.shop).",
  arguments: "[host]",
  flags: [
    { ...namespaceFlag, summary: "only of services in this namespace (default: the context's, else all)" },
    allNamespacesFlag,
    tableOutputFlag,
    ...serverFlags,
  ],
  examples: [
    { line: "fairway instances", summary: "all of them" },
    { line: "fairway instances reviews.shop -o wide", summary: "those of one service, with their labels" },
  ],
  run: instances,
};

async function instances({ arguments: [wanted], flags }: CommandInput, io: CliIo): Promise<ExitCode> {
  const server = await serverOf(flags, io);
  const query = { namespace: listedNamespace(server, flags) };
  const { items } = await listAll(server, pathOf("services"), query, serviceView);
  const services = items.map(({ item }) => item).filter(({ host }) => wanted === undefined || isNamed(host, wanted));
  if (flags["output"] === "json") {
    writeJson(io, { items: services.flatMap(({ host, instances }) => instances.map((one) => ({ host, ...one }))) });
  } else if (wanted !== undefined && services.length === 0) io.out("No such service is known.\n");
  else io.out(formatInstances(services, flags["output"] === "wide", styleFor(io)));
  return wanted !== undefined && services.length === 0 ? 1 : 0;
}

const isNamed = (host: string, wanted: string): boolean => host === wanted || host.startsWith(`${wanted}.`);

const tones: Readonly<Record<InstanceView["health"], Tone>> = {
  healthy: "good",
  unhealthy: "bad",
  draining: "caution",
};

function formatInstances(services: readonly ServiceView[], wide: boolean, style: Style): string {
  const rows = services.flatMap((service) => service.instances.map((instance) => cellsOf(service, instance, wide)));
  if (rows.length === 0) return "No instances are known.\n";
  const columns: readonly Column[] = [
    ...["SERVICE", "INSTANCE", "ADDRESS", "HEALTH", "LOCALITY"].map((title) => ({ title })),
    { title: "WEIGHT", align: "right" },
    ...["FROM", ...(wide ? ["PORTS", "LABELS"] : [])].map((title) => ({ title })),
  ];
  return `${formatTable(columns, rows, style)}\n${count(rows.length, "instance")} of ${count(services.length, "service")}\n`;
}

function cellsOf({ host }: ServiceView, instance: InstanceView, wide: boolean): readonly Cell[] {
  const { id, address, health, locality, weight, registry, ports, labels } = instance;
  return [
    { text: host, tone: "strong" },
    id,
    address,
    { text: health, tone: tones[health] },
    locality === "" ? { text: "-", tone: "quiet" } : locality,
    String(weight),
    registry,
    ...(wide ? [pairsOf(ports), pairsOf(labels)] : []),
  ];
}

const pairsOf = (map: Readonly<Record<string, string | number>>): string =>
  Object.entries(map)
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");
