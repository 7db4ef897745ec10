import { serviceView } from "../api/shapes/services.ts";
import type { ServiceView } from "../api/types/services.ts";
import type { CliIo, Command, CommandInput, ExitCode } from "./command.ts";
import { count } from "./findings-text.ts";
import { listAll } from "./list-all.ts";
import { tableOutputFlag, writeJson } from "./output.ts";
import { pathOf } from "./request.ts";
import { allNamespacesFlag, listedNamespace, namespaceFlag, serverFlags, serverOf } from "./server.ts";
import { type Style, styleFor } from "./style.ts";
import { type Cell, formatTable } from "./table.ts";

export const servicesCommand: Command = {
  name: "services",
  summary: "list the services that a server knows, with their instances",
  flags: [
    { ...namespaceFlag, summary: "only what is in this namespace (default: the context's, else all)" },
    allNamespacesFlag,
    tableOutputFlag,
    ...serverFlags,
  ],
  examples: [
    { line: "fairway services", summary: "all services" },
    { line: "fairway services -o wide", summary: "the same, with the addresses that their clients dial" },
    { line: "fairway services -n shop -o json | jq -r '.items[].host'", summary: "for scripts" },
  ],
  run: services,
};

async function services({ flags }: CommandInput, io: CliIo): Promise<ExitCode> {
  const server = await serverOf(flags, io);
  const { items: listed } = await listAll(
    server,
    pathOf("services"),
    { namespace: listedNamespace(server, flags) },
    serviceView,
  );
  const { output } = flags;
  if (output === "json") writeJson(io, { items: listed.map(({ raw }) => raw) });
  else
    io.out(
      formatServices(
        listed.map(({ item }) => item),
        output === "wide",
        styleFor(io),
      ),
    );
  return 0;
}

const columns = ["HOST", "NAMESPACE", "PORTS", "INSTANCES", "FOUND BY", "FROM"];

function formatServices(rows: readonly ServiceView[], wide: boolean, style: Style): string {
  if (rows.length === 0) return "No services are known.\n";
  const titles = [...columns, ...(wide ? ["ADDRESSES"] : [])];
  const table = formatTable(
    titles.map((title) => ({ title })),
    rows.map((row) => [...cellsOf(row), ...(wide ? [addressesCell(row)] : [])]),
    style,
  );
  const instances = rows.reduce((sum, row) => sum + row.instances.length, 0);
  return `${table}\n${count(rows.length, "service")}, ${count(instances, "instance")}\n`;
}

const cellsOf = (row: ServiceView): readonly Cell[] => [
  { text: row.host, tone: "strong" },
  row.namespace,
  row.ports.map(({ number, protocol }) => `${number}/${protocol}`).join(" "),
  row.aliasOf === undefined ? instancesCell(row.instances) : { text: "-", tone: "quiet" },
  foundBy(row),
  (row.origin.kind === "rule" ? row.origin.rule : row.origin.registry) + (row.external ? ", external" : ""),
];

function foundBy({ aliasOf, resolution }: ServiceView): string {
  if (aliasOf !== undefined) return `alias of ${aliasOf}`;
  return resolution === "instances" ? "address" : resolution;
}

const addressesCell = ({ addresses }: ServiceView): Cell =>
  addresses.length === 0 ? { text: "-", tone: "quiet" } : addresses.join(" ");

function instancesCell(instances: ServiceView["instances"]): Cell {
  const healthy = instances.filter(({ health }) => health === "healthy").length;
  if (instances.length === 0) return { text: "none", tone: "caution" };
  if (healthy === instances.length) return String(healthy);
  return { text: `${healthy} of ${instances.length} healthy`, tone: healthy === 0 ? "bad" : "caution" };
}
