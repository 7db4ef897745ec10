import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { MeshError } from "../base/errors.ts";
import { type CliIo, type Command, type CommandGroup, type CommandInput, type ExitCode, flagValue } from "./command.ts";
import { contextsFileOf } from "./config-folder.ts";
import { writeContexts } from "./contexts-edit.ts";
import { type Context, contextNamed, readContexts } from "./contexts-file.ts";
import { outputFlag, writeJson } from "./output.ts";
import { styleFor } from "./style.ts";
import { type Cell, formatTable } from "./table.ts";

const listCommand: Command = {
  name: "list",
  summary: "list the contexts",
  flags: [{ ...outputFlag, choices: ["text", "json", "name"] }],
  examples: [{ line: "fairway context list", summary: "all of them; * is the one in use" }],
  run: list,
};

const showCommand: Command = {
  name: "show",
  summary: "show one context, else the one in use",
  arguments: "[name]",
  argumentWords: ["contexts"],
  flags: [{ ...outputFlag }],
  examples: [{ line: "fairway context show", summary: "where do commands go?" }],
  run: show,
};

const useCommand: Command = {
  name: "use",
  summary: "use a context from now on",
  arguments: "<name>",
  argumentWords: ["contexts"],
  flags: [],
  examples: [{ line: "fairway context use prod", summary: "all commands go there then" }],
  run: use,
};

const setCommand: Command = {
  name: "set",
  summary: "make a context, or change what it says",
  arguments: "<name>",
  argumentWords: ["contexts"],
  flags: [
    { flags: "--server <url>", summary: "where the server is; a new context needs it" },
    { flags: "--token <token>", summary: "who you are; kept in the file of contexts" },
    { flags: "--token-file <file>", summary: "a file with the token, instead of the token itself" },
    { flags: "-n, --namespace <name>", summary: "the namespace that is meant when none is said" },
  ],
  examples: [
    {
      line: "fairway context set prod --server https://fairway.example:15080 --token-file ~/.fairway-prod -n shop",
      summary: "a server, who you are there, and a namespace",
    },
    { line: "fairway context set prod -n bank", summary: "another namespace" },
  ],
  run: set,
};

const deleteCommand: Command = {
  name: "delete",
  summary: "forget a context",
  arguments: "<name>",
  argumentWords: ["contexts"],
  flags: [],
  examples: [{ line: "fairway context delete prod", summary: "the server notices nothing" }],
  run: deleteContext,
};

export const contextCommands: CommandGroup = {
  name: "context",
  summary: "name servers, tokens and namespaces, and choose among them",
  details: "They are kept in $FAIRWAY_CONTEXTS, else in contexts.yaml in ~/.config/fairway.",
  commands: [listCommand, showCommand, useCommand, setCommand, deleteCommand],
};

function fileOf({ env }: CliIo): string {
  const file = contextsFileOf(env);
  if (file !== undefined) return file;
  throw new MeshError("usage/invalid", "there is no place for contexts: HOME is not set", {
    hint: "Name a file with FAIRWAY_CONTEXTS.",
  });
}

async function list({ flags }: CommandInput, io: CliIo): Promise<ExitCode> {
  const { current, contexts } = await readContexts(fileOf(io));
  const output = flagValue(flags, "output");
  if (output === "json") writeJson(io, { items: contexts.map((one) => viewOf(one, current)) });
  else if (output === "name") io.out(contexts.map(({ name }) => `${name}\n`).join(""));
  else if (contexts.length === 0) io.out("There are no contexts. `fairway context set` makes one.\n");
  else {
    const columns = ["", "NAME", "SERVER", "NAMESPACE", "TOKEN"].map((title) => ({ title }));
    const rows = contexts.map((one): readonly Cell[] => [
      one.name === current ? { text: "*", tone: "good" } : "",
      { text: one.name, tone: "strong" },
      one.server,
      one.namespace ?? { text: "-", tone: "quiet" },
      tokenWord(one),
    ]);
    io.out(formatTable(columns, rows, styleFor(io)));
  }
  return 0;
}

/** A token itself is nobody's to see. */
const tokenWord = ({ token, tokenFile }: Context): string => tokenFile ?? (token === undefined ? "none" : "here");

const viewOf = ({ token: _secret, ...context }: Context, current: string | undefined): object => ({
  ...context,
  current: context.name === current,
});

async function show({ arguments: [wanted], flags }: CommandInput, io: CliIo): Promise<ExitCode> {
  const file = fileOf(io);
  const contexts = await readContexts(file);
  const name = wanted ?? contexts.current;
  if (name === undefined) {
    io.out("No context is in use.\n");
    return 1;
  }
  const context = contextNamed(contexts, name, file);
  if (flags["output"] === "json") writeJson(io, viewOf(context, contexts.current));
  else {
    const style = styleFor(io);
    const lines = [
      ["context", context.name],
      ["server", context.server],
      ["namespace", context.namespace ?? "-"],
      ["token", tokenWord(context)],
      ["file", file],
    ] as const;
    io.out(lines.map(([label, text]) => `${style("quiet", label.padEnd(9))}  ${text}\n`).join(""));
  }
  return 0;
}

async function use({ arguments: [name = ""] }: CommandInput, io: CliIo): Promise<ExitCode> {
  const file = fileOf(io);
  const { server } = contextNamed(await readContexts(file), name, file);
  await writeContexts(file, { kind: "use", name });
  io.out(`Commands go to ${server} now.\n`);
  return 0;
}

async function set({ arguments: [name = ""], flags }: CommandInput, io: CliIo): Promise<ExitCode> {
  if (flagValue(flags, "token") !== undefined && flagValue(flags, "tokenFile") !== undefined) {
    throw new MeshError("usage/invalid", "say --token or --token-file, not both");
  }
  const fields = (["server", "token", "tokenFile", "namespace"] as const).flatMap((field) => {
    const value = flagValue(flags, field);
    // In the file it would be meant relative to that.
    return value === undefined ? [] : [[field, field === "tokenFile" ? resolve(value) : value] as const];
  });
  if (fields.length === 0)
    throw new MeshError("usage/invalid", "say what to set: --server, --token, --token-file or -n");
  const file = fileOf(io);
  await writeContexts(file, { kind: "set", context: { name, ...Object.fromEntries(fields) } });
  const tokenFile = fields.find(([field]) => field === "tokenFile")?.[1];
  if (tokenFile !== undefined && !existsSync(tokenFile)) io.err(`fairway: there is no file ${tokenFile} yet\n`);
  io.out(`context ${name} set in ${file}\n`);
  return 0;
}

async function deleteContext({ arguments: [name = ""] }: CommandInput, io: CliIo): Promise<ExitCode> {
  const file = fileOf(io);
  contextNamed(await readContexts(file), name, file);
  await writeContexts(file, { kind: "delete", name });
  io.out(`context ${name} deleted\n`);
  return 0;
}
