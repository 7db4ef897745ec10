import { registryView } from "../api/shapes/registries.ts";
import type {
  HeldServiceView,
  HeldView,
  RegistryHoldView,
  RegistryProblemView,
  RegistryView,
} from "../api/types/registries.ts";
import { MeshError } from "../base/errors.ts";
import { formatAge, formatTimeLeft } from "./age.ts";
import type { CliIo, Command, CommandInput, ExitCode } from "./command.ts";
import { count } from "./findings-text.ts";
import { listAll } from "./list-all.ts";
import { outputFlag, wantsJson, writeJson } from "./output.ts";
import { askJson, pathOf } from "./request.ts";
import { type Server, serverFlags, serverOf } from "./server.ts";
import { type Style, styleFor, type Tone } from "./style.ts";
import { type Cell, formatTable } from "./table.ts";
import { visibleText } from "./terminal-text.ts";

export const registriesCommand: Command = {
  name: "registries",
  summary: "list where services come from, and what is held of it; hold a registry, or release it",
  details:
    "hold: nothing of the registry goes any more, whatever it says; what it adds counts.\n" +
    "release: what it reports counts now, all of it.",
  arguments: "[decision] [name]",
  argumentWords: [["hold", "release"], []],
  flags: [outputFlag, ...serverFlags],
  examples: [
    { line: "fairway registries", summary: "how is each of them, and is something held?" },
    { line: "fairway registries release kubernetes", summary: "what it lost is really gone" },
    { line: "fairway registries hold kubernetes", summary: "before its control plane is upgraded, for example" },
  ],
  run: registries,
};

async function registries({ arguments: [decision, name], flags }: CommandInput, io: CliIo): Promise<ExitCode> {
  if (decision !== undefined) checkDecision(decision, name);
  const server = await serverOf(flags, io);
  const isJson = wantsJson(flags);
  if (decision === undefined || name === undefined) {
    const { items } = await listAll(server, pathOf("registries"), {}, registryView);
    if (isJson) writeJson(io, { items: items.map(({ raw }) => raw) });
    else
      io.out(
        formatRegistries(
          items.map(({ item }) => item),
          io.now(),
          styleFor(io),
        ),
      );
    return 0;
  }
  const { raw } = await decide(server, decision, name);
  if (isJson) writeJson(io, raw);
  else io.out(`${visibleText(name)} ${outcomes[decision as keyof typeof outcomes]}\n`);
  return 0;
}

const outcomes = {
  hold: "is on hold: nothing of it goes until it is released",
  release: "is released: what it reports counts",
} as const;

function checkDecision(decision: string, name: string | undefined): void {
  if (!Object.hasOwn(outcomes, decision)) {
    throw new MeshError("usage/invalid", `expected hold or release, found ${JSON.stringify(decision)}`, {
      hint: "`fairway registries` alone lists them.",
    });
  }
  if (name !== undefined) return;
  throw new MeshError("usage/invalid", `which registry is to be ${decision === "hold" ? "held" : "released"}?`, {
    hint: `\`fairway registries\` lists them; for example \`fairway registries ${decision} kubernetes\`.`,
  });
}

const decide = (server: Server, decision: string, name: string) =>
  askJson(server, { method: "POST", path: `${pathOf("registries", name)}:${decision}` }, registryView);

const columns = [
  ...["NAME", "STATE", "SINCE", "CATALOG"].map((title) => ({ title })),
  ...["SERVICES", "INSTANCES", "HELD"].map((title) => ({ title, align: "right" as const })),
];

const tones: Readonly<Record<RegistryView["state"], Tone>> = {
  INITIAL: "caution",
  LIVE: "good",
  SUSPECT: "caution",
  OUTAGE: "bad",
};

/** A table, below it what is not as it should be, and a summary. */
function formatRegistries(rows: readonly RegistryView[], nowMs: number, style: Style): string {
  const details = rows.flatMap((row) => [
    ...(row.hold === undefined ? [] : [formatHold(row.name, row.hold, nowMs, style)]),
    ...(row.held === undefined ? [] : [formatHeld(row.name, row.held, nowMs, style)]),
    ...row.problems
      // The table of what is held says it.
      .filter(({ code }) => code !== "catalog/held" || row.held === undefined)
      .map((problem) => formatProblem(row.name, problem, style)),
  ]);
  const table = formatTable(
    columns,
    rows.map((row) => cellsOf(row, nowMs)),
    style,
  );
  return [table, ...details, formatSummary(rows)].join("\n");
}

const cellsOf = ({ name, state, since, asOf, services, instances, held }: RegistryView, nowMs: number): Cell[] => [
  { text: name, tone: "strong" },
  { text: state.toLowerCase(), tone: tones[state] },
  formatAge(Date.parse(since), nowMs),
  catalogCell(state, asOf, nowMs),
  String(services),
  String(instances),
  held === undefined ? { text: "-", tone: "quiet" } : { text: String(held.instances), tone: "caution" },
];

function catalogCell(state: RegistryView["state"], asOf: string | undefined, nowMs: number): Cell {
  if (state === "INITIAL") return { text: "none", tone: "caution" };
  return asOf === undefined ? "current" : { text: `${formatAge(Date.parse(asOf), nowMs)} old`, tone: "caution" };
}

function formatHold(name: string, { by, since }: RegistryHoldView, nowMs: number, style: Style): string {
  const age = formatAge(Date.parse(since), nowMs);
  return `${headOf(name, style)} on hold for ${age}, by ${visibleText(by)}: nothing of it goes until it is released\n`;
}

/** What became of a service, as far as the registry says. */
const reasons: Readonly<Record<HeldServiceView["reason"], string>> = {
  emptied: "no instance is left",
  gone: "it is not reported",
  shrunk: "too many were lost at once",
  operator: "on hold",
};

const heldColumns = [
  { title: "HOST" },
  { title: "HELD", align: "right" as const },
  { title: "OF", align: "right" as const },
  { title: "WHY" },
];

function formatHeld(
  name: string,
  { services, instances, until, items }: HeldView,
  nowMs: number,
  style: Style,
): string {
  const end = until === undefined ? "" : `, for ${formatTimeLeft(Date.parse(until), nowMs)} more`;
  const head = `${headOf(name, style)} ${count(instances, "instance")} of ${count(services, "service")} served as before${end}\n`;
  const rows = items.map(({ host, held, served, reason }) => [host, String(held), String(served), reasons[reason]]);
  const table = formatTable(heldColumns, rows, style).replace(/^(?=.)/gm, "  ");
  const more = services > items.length ? `  and ${services - items.length} more\n` : "";
  return head + table + more;
}

function formatProblem(name: string, { file, line, column, message, hint }: RegistryProblemView, style: Style): string {
  const place = [file, line, column].filter((part) => part !== undefined).join(":");
  const told = `${headOf(name, style)} ${visibleText(place === "" ? message : `${place} ${message}`)}\n`;
  return hint === undefined ? told : `${told}  ${style("quiet", visibleText(hint))}\n`;
}

const headOf = (name: string, style: Style): string => style("strong", `${visibleText(name)}:`);

function formatSummary(rows: readonly RegistryView[]): string {
  const states = Object.entries(Object.groupBy(rows, ({ state }) => state));
  const list = states.map(([state, those]) => `${those.length} ${state.toLowerCase()}`).join(", ");
  return `${rows.length === 1 ? "1 registry" : `${rows.length} registries`}: ${list}\n`;
}
