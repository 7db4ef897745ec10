import type { InstanceView, OriginView, PortView, ServiceView } from "../api/types.ts";
import { boolean, choice, type Decoder, integer, list, object, required } from "../base/decode.ts";
import { type CliIo, type Command, type CommandInput, type ExitCode, flagValue } from "./command.ts";
import { count } from "./findings-text.ts";
import { outputFlag, wantsJson, writeJson } from "./output.ts";
import { anyText, listAll, serverFlag, serverOf } from "./server.ts";
import { type Style, styleFor } from "./style.ts";
import { type Cell, formatTable } from "./table.ts";

export const namespaceFlag = { flags: "-n, --namespace <name>", summary: "only what is in this namespace" };

export const servicesCommand: Command = {
  name: "services",
  summary: "list the services that a server knows, with their instances",
  flags: [namespaceFlag, serverFlag, outputFlag],
  examples: [
    { line: "fairway services", summary: "all services" },
    { line: "fairway services -n shop -o json | jq -r '.items[].host'", summary: "for scripts" },
  ],
  run: services,
};

/** What the table shows of a service. */
type ServiceRow = Pick<ServiceView, "host" | "namespace" | "external" | "resolution"> & {
  readonly ports: readonly Pick<PortView, "number" | "protocol">[];
  readonly origin: OriginView;
  readonly instances: readonly Pick<InstanceView, "health">[];
};

const open = { open: true };

const origin: Decoder<OriginView> = (value, site) => {
  const isRule = typeof value === "object" && value !== null && "rule" in value;
  return isRule
    ? object({ kind: required(choice({ rule: "rule" } as const)), rule: required(anyText) }, open)(value, site)
    : object({ kind: required(choice({ registry: "registry" } as const)), registry: required(anyText) }, open)(
        value,
        site,
      );
};

const serviceRow: Decoder<ServiceRow> = object(
  {
    host: required(anyText),
    namespace: required(anyText),
    external: required(boolean),
    resolution: required(choice({ instances: "instances", dns: "dns", "dns-round-robin": "dns-round-robin" } as const)),
    ports: required(
      list(object({ number: required(integer({ min: 0, max: 65_535 })), protocol: required(anyText) }, open)),
    ),
    origin: required(origin),
    instances: required(
      list(
        object(
          { health: required(choice({ healthy: "healthy", unhealthy: "unhealthy", draining: "draining" } as const)) },
          open,
        ),
        { max: 1_000_000 },
      ),
    ),
  },
  open,
);

async function services({ flags }: CommandInput, io: CliIo): Promise<ExitCode> {
  const namespace = flagValue(flags, "namespace");
  const listed = await listAll(serverOf(flags, io), "api/v1/services", { namespace }, serviceRow);
  if (wantsJson(flags)) writeJson(io, { items: listed.map(({ raw }) => raw) });
  else
    io.out(
      formatServices(
        listed.map(({ item }) => item),
        styleFor(io),
      ),
    );
  return 0;
}

const columns = ["HOST", "NAMESPACE", "PORTS", "INSTANCES", "FOUND BY", "FROM"].map((title) => ({ title }));

function formatServices(rows: readonly ServiceRow[], style: Style): string {
  if (rows.length === 0) return "No services are known.\n";
  const table = formatTable(columns, rows.map(cellsOf), style);
  const instances = rows.reduce((sum, row) => sum + row.instances.length, 0);
  return `${table}\n${count(rows.length, "service")}, ${count(instances, "instance")}\n`;
}

const cellsOf = (row: ServiceRow): readonly Cell[] => [
  { text: row.host, tone: "strong" },
  row.namespace,
  row.ports.map(({ number, protocol }) => `${number}/${protocol}`).join(" "),
  instancesCell(row.instances),
  row.resolution === "instances" ? "address" : row.resolution,
  (row.origin.kind === "rule" ? row.origin.rule : row.origin.registry) + (row.external ? ", external" : ""),
];

function instancesCell(instances: ServiceRow["instances"]): Cell {
  const healthy = instances.filter(({ health }) => health === "healthy").length;
  if (instances.length === 0) return { text: "none", tone: "caution" };
  if (healthy === instances.length) return String(healthy);
  return { text: `${healthy} of ${instances.length} healthy`, tone: healthy === 0 ? "bad" : "caution" };
}
