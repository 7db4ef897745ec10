import {
  type CliIo,
  type Command,
  type CommandGroup,
  type CommandInput,
  type ExitCode,
  type Flag,
  flagValue,
} from "../cli/command.ts";
import { outputFlag, wantsJson, writeJson } from "../cli/output.ts";
import { styleFor } from "../cli/style.ts";
import { defaultServeOptions } from "./options.ts";
import {
  backupStore,
  describeStore,
  restoreStore,
  type SinceBackup,
  type StoreInfo,
  upgradeStore,
} from "./store-maintenance.ts";

const dataFlag: Flag = {
  flags: "--data <dir>",
  summary: "the server's data directory",
  default: defaultServeOptions.data,
};

const dataOf = ({ flags }: CommandInput): string => flagValue(flags, "data") ?? defaultServeOptions.data;

const backupCommand: Command = {
  name: "backup",
  summary: "copy the store to a new file, also while a server uses it",
  details: "The copy is as the store was at one moment, and is checked before it gets its name.",
  arguments: "<file>",
  flags: [dataFlag],
  examples: [{ line: "fairway store backup rules-monday.db --data /var/lib/fairway", summary: "every night" }],
  run: async (input, io) => {
    const [file = ""] = input.arguments;
    await backupStore(dataOf(input), file);
    io.out(`${file} holds the store of ${dataOf(input)}\n`);
    return 0;
  },
};

const restoreCommand: Command = {
  name: "restore",
  summary: "put a backup in the store's place; no server may use it meanwhile",
  details:
    "The backup is checked first. What it replaces stays beside it. Tokens that were revoked since stay revoked; other tokens, services and instances that were gone since are named.",
  arguments: "<file>",
  flags: [dataFlag],
  examples: [{ line: "fairway store restore rules-monday.db --data /var/lib/fairway", summary: "back to Monday" }],
  run: restore,
};

const upgradeCommand: Command = {
  name: "upgrade",
  summary: "bring the store to the layout that this version needs",
  details: "A backup is written beside it first. No server may use the store meanwhile.",
  flags: [dataFlag],
  examples: [{ line: "fairway store upgrade --data /var/lib/fairway", summary: "when a new version asks for it" }],
  run: upgrade,
};

const infoCommand: Command = {
  name: "info",
  summary: "say what is in the store, also while a server uses it",
  flags: [dataFlag, outputFlag],
  examples: [{ line: "fairway store info --data /var/lib/fairway", summary: "revision, size and counts" }],
  run: async (input, io) => {
    const info = describeStore(dataOf(input));
    if (wantsJson(input.flags)) writeJson(io, info);
    else io.out(formatInfo(info, io));
    return 0;
  },
};

export const storeCommands: CommandGroup = {
  name: "store",
  summary: "back up, restore and upgrade what a server keeps",
  commands: [infoCommand, backupCommand, restoreCommand, upgradeCommand],
};

async function restore(input: CommandInput, io: CliIo): Promise<ExitCode> {
  const [file = ""] = input.arguments;
  const data = dataOf(input);
  const { kept, layout, since } = await restoreStore(data, file, io.now());
  io.out(`the store of ${data} is that of ${file} now\n`);
  if (kept !== undefined) {
    io.out(`what was there before is ${kept}\n`);
    io.out(since === undefined ? unreadable : sinceText(since));
  }
  const needed = describeStore(data).layout.ours;
  if (layout < needed) io.out(`its layout is older: \`fairway store upgrade --data ${data}\` comes next\n`);
  return 0;
}

const unreadable =
  "it cannot be read: tokens that were revoked since the backup count again (`fairway token list` shows them), and what was deregistered is registered again\n";

/** What was brought back, and what was not. */
function sinceText({ stillRevoked, revivedTokens, revivedServices, revivedInstances }: SinceBackup): string {
  const instances = (leased: boolean) =>
    revivedInstances.filter(({ hasLease }) => hasLease === leased).map(({ name }) => name);
  const lines: readonly (readonly [string, readonly string[]])[] = [
    ["tokens that stay revoked", stillRevoked],
    ["tokens that count again, until `fairway token revoke`", revivedTokens],
    ["services that are registered again", revivedServices],
    ["instances that are registered again, and go unless they send heartbeats", instances(true)],
    ["instances that are registered again, and stay until they are deleted", instances(false)],
  ];
  return lines.flatMap(([what, names]) => (names.length === 0 ? [] : [`${what}: ${someOf(names)}\n`])).join("");
}

const maxNames = 10;

const someOf = (names: readonly string[]): string =>
  names.length <= maxNames
    ? names.join(", ")
    : `${names.slice(0, maxNames).join(", ")} and ${names.length - maxNames} more`;

async function upgrade(input: CommandInput, io: CliIo): Promise<ExitCode> {
  const { from, to, backup } = await upgradeStore(dataOf(input), io.now());
  if (backup === undefined) io.out(`nothing to do: the layout is ${to} already\n`);
  else io.out(`layout ${from} became ${to}; the store as it was is ${backup}\n`);
  return 0;
}

function formatInfo({ file, layout, sizeBytes, rows, revision }: StoreInfo, io: CliIo): string {
  const style = styleFor(io);
  const layoutText = layout.found === layout.ours ? String(layout.found) : `${layout.found}, needed is ${layout.ours}`;
  const lines = [
    ["file", file],
    ["size", formatSize(sizeBytes)],
    ["layout", layoutText],
    ...(revision === undefined ? [] : [["revision", String(revision)]]),
    ...Object.entries(rows).map(([table, number]) => [table, String(number)]),
  ];
  const width = Math.max(...lines.map(([label = ""]) => label.length));
  return lines.map(([label = "", text = ""]) => `${style("quiet", label.padEnd(width))}  ${text}\n`).join("");
}

const formatSize = (bytes: number): string =>
  bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
