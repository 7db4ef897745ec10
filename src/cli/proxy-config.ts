import { proxyConfigView } from "../api/shapes/proxies.ts";
import type { ProxyResourceView } from "../api/types/proxies.ts";
import { MeshError } from "../base/errors.ts";
import { type CliIo, type Command, type CommandInput, type ExitCode, type FlagValues, flagValue } from "./command.ts";
import { outputFlag, wantsJson, writeJson } from "./output.ts";
import { proxyNamed } from "./proxies.ts";
import { type ConfigTable, configTables } from "./proxy-config-tables.ts";
import { askJson, pathOf } from "./request.ts";
import { serverFlags, serverOf } from "./server.ts";
import { type Style, styleFor, type Tone } from "./style.ts";
import { type Cell, formatTable } from "./table.ts";

const parts = Object.keys(configTables);

export const proxyConfigCommand: Command = {
  name: "proxy-config",
  summary: "show what a proxy would get now, as tables",
  details:
    "A proxy is named by its node.id, its name or name.namespace.\n" +
    "STATE says what the proxy answered to this version: " +
    "accepted, refused, pending, or nothing when it did not ask for it.",
  arguments: "<proxy> [part]",
  argumentWords: [[], parts],
  flags: [{ flags: "--name <name>", summary: "only the resource of this name" }, outputFlag, ...serverFlags],
  examples: [
    { line: "fairway proxy-config web-1.shop", summary: "everything" },
    { line: "fairway proxy-config web-1.shop routes", summary: "where its requests go" },
    {
      line: "fairway proxy-config web-1.shop clusters --name 'outbound|9080||reviews.shop.svc.cluster.local' -o json",
      summary: "one cluster, as proto JSON",
    },
  ],
  run: proxyConfig,
};

async function proxyConfig({ arguments: [proxy = "", part], flags }: CommandInput, io: CliIo): Promise<ExitCode> {
  const tables = tablesNamed(part);
  const server = await serverOf(flags, io);
  const id = await proxyNamed(server, proxy);
  const [only] = tables.length === 1 ? tables : [];
  const query = { name: flagValue(flags, "name"), ...(only !== undefined && { type: only.type }) };
  const { raw, value } = await askJson(server, { path: pathOf("proxies", id, "config"), query }, proxyConfigView);
  if (wantsJson(flags)) writeJson(io, raw);
  else io.out(formatConfig(value.resources, tables, styleFor(io)));
  return wantedIsMissing(value.resources, flags) ? 1 : 0;
}

const wantedIsMissing = (resources: readonly ProxyResourceView[], flags: FlagValues): boolean =>
  flagValue(flags, "name") !== undefined && resources.length === 0;

function tablesNamed(part: string | undefined): readonly ConfigTable[] {
  if (part === undefined) return Object.values(configTables);
  const found = Object.entries(configTables).find(([name]) => name === part || name === `${part}s`)?.[1];
  if (found !== undefined) return [found];
  throw new MeshError("usage/invalid", `${JSON.stringify(part)} is no part of a proxy's configuration`, {
    hint: `There are ${parts.join(", ")}.`,
  });
}

const stateTones: Readonly<Record<NonNullable<ProxyResourceView["state"]>, Tone>> = {
  accepted: "good",
  pending: "caution",
  refused: "bad",
};

function formatConfig(resources: readonly ProxyResourceView[], tables: readonly ConfigTable[], style: Style): string {
  const texts = tables.flatMap((table) => {
    const own = resources.filter(({ type }) => type === table.type);
    return own.length === 0 ? [] : [formatPart(table, own, style)];
  });
  return texts.length === 0 ? "There is nothing of it.\n" : texts.join("\n");
}

function formatPart(
  { title, columns, rowsOf }: ConfigTable,
  resources: readonly ProxyResourceView[],
  style: Style,
): string {
  const rows = resources.flatMap((resource): readonly (readonly Cell[])[] => {
    const head: readonly Cell[] = [{ text: resource.name, tone: "strong" }, stateCell(resource)];
    const [first = [], ...more] = rowsOf(resource);
    return [[...head, ...first], ...more.map((cells) => ["", "", ...cells])];
  });
  return formatTable([{ title }, { title: "STATE" }, ...columns], rows, style);
}

const stateCell = ({ state }: ProxyResourceView): Cell =>
  state === undefined ? { text: "-", tone: "quiet" } : { text: state, tone: stateTones[state] };
