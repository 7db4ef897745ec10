import { newTokenView, tokenView } from "../api/shapes/access.ts";
import type { NewTokenView, Role, TokenView } from "../api/types/access.ts";
import { MeshError } from "../base/errors.ts";
import { formatAge, formatTimeLeft } from "./age.ts";
import {
  type CliIo,
  type Command,
  type CommandGroup,
  type CommandInput,
  type ExitCode,
  type Flag,
  type FlagValues,
  flagValue,
} from "./command.ts";
import { count } from "./findings-text.ts";
import { listAll } from "./list-all.ts";
import { outputFlag, wantsJson, writeJson } from "./output.ts";
import { ask, askJson, pathOf } from "./request.ts";
import { serverFlags, serverOf } from "./server.ts";
import { type Style, styleFor } from "./style.ts";
import { type Cell, formatTable } from "./table.ts";

export interface TokenOrder {
  readonly name: string;
  readonly role: Role;
  /** A duration as the API takes it: `720h`. */
  readonly expiresIn?: string;
}

/** Who keeps the tokens: a server, or the folder of one that need not run. */
export interface TokenKeeper {
  readonly create: (order: TokenOrder) => Promise<NewTokenView>;
  readonly list: () => Promise<readonly TokenView[]>;
  /** By id or name. */
  readonly revoke: (token: string) => Promise<void>;
}

/** The data directory of a server. */
export interface TokenFolder {
  readonly dir: string;
  /** Makes a store where there is none yet, and tells; absent: there must be one. */
  readonly onMake?: () => void;
}

/** Opens the tokens of a data directory for the time of one piece of work. Throws `usage/invalid` where there are none. */
export type OpenTokens = <T>(folder: TokenFolder, work: (tokens: TokenKeeper) => Promise<T>) => Promise<T>;

const dataFlag: Flag = {
  flags: "--data <dir>",
  summary: "work on the data directory of a server on this machine, without asking it",
};

/** The commands about tokens; `openTokens` makes `--data` possible. */
export function tokenCommands(openTokens: OpenTokens): CommandGroup {
  const run = async ({ work, makesStore }: TokenCommand, input: CommandInput, io: CliIo): Promise<ExitCode> => {
    const { flags } = input;
    const dir = flagValue(flags, "data");
    if (dir === undefined) return work(await serversTokens(flags, io), input, io);
    expectNoServer(flags);
    const onMake = () => io.err(`fairway: there was no store in ${dir}; a new one is made for the token\n`);
    return openTokens({ dir, ...(makesStore && { onMake }) }, (tokens) => work(tokens, input, io));
  };
  return {
    name: "token",
    summary: "make, list and revoke the tokens that open the API",
    commands: [createCommand, listCommand, revokeCommand].map((command) => {
      const { work: _work, makesStore: _makesStore, ...row } = command;
      return { ...row, run: (input, io) => run(command, input, io) };
    }),
  };
}

function expectNoServer(flags: FlagValues): void {
  const asked = ["server", "token", "context"].find((flag) => flagValue(flags, flag) !== undefined);
  if (asked === undefined) return;
  throw new MeshError("usage/invalid", `say --data or --${asked}, not both`, {
    hint: "--data works on the directory itself and asks no server.",
  });
}

type TokenCommand = Omit<Command, "run"> & {
  readonly work: (tokens: TokenKeeper, input: CommandInput, io: CliIo) => Promise<ExitCode>;
  /** With `--data`: also where no server has been yet. */
  readonly makesStore?: true;
};

const createCommand: TokenCommand = {
  name: "create",
  summary: "make a token; it is shown this once",
  details:
    "viewer: reads. editor: also changes rules and registers services. admin: also makes tokens.\n" +
    "Where the output is no terminal, it is the token alone.",
  arguments: "<name>",
  argumentWords: [[]],
  flags: [
    { flags: "--role <role>", summary: "what it may do", choices: ["viewer", "editor", "admin"], required: true },
    { flags: "--expires <duration>", summary: "after which it is worth nothing: 30d, 12h (default: never)" },
    dataFlag,
    outputFlag,
    ...serverFlags,
  ],
  examples: [
    { line: "fairway token create ci --role editor --expires 90d", summary: "for a pipeline" },
    {
      line: "fairway token create anna --role admin --data /var/lib/fairway > anna.token",
      summary: "on the server's machine, also while it is down",
    },
  ],
  makesStore: true,
  work: async (tokens, { arguments: [name = ""], flags }, io) => {
    const expires = flagValue(flags, "expires");
    const role = flagValue(flags, "role") as Role;
    const order = { name, role, ...(expires !== undefined && { expiresIn: lifetimeOf(expires) }) };
    const token = await tokens.create(order);
    if (wantsJson(flags)) writeJson(io, token);
    else if (io.terminal === undefined) io.out(`${token.token}\n`);
    else io.out(formatNew(token, io.now(), styleFor(io)));
    return 0;
  },
};

const listCommand: TokenCommand = {
  name: "list",
  summary: "list the tokens: whose, what each may do, when it was used last",
  flags: [dataFlag, outputFlag, ...serverFlags],
  examples: [{ line: "fairway token list", summary: "all that are worth something" }],
  work: async (tokens, { flags }, io) => {
    const items = await tokens.list();
    if (wantsJson(flags)) writeJson(io, { items });
    else io.out(formatTokens(items, io.now(), styleFor(io)));
    return 0;
  },
};

const revokeCommand: TokenCommand = {
  name: "revoke",
  summary: "make tokens worthless, at once",
  arguments: "<token...>",
  argumentWords: [[]],
  flags: [dataFlag, ...serverFlags],
  examples: [{ line: "fairway token revoke ci", summary: "by its name or id" }],
  work: async (tokens, { arguments: names }, io) => {
    for (const name of names) {
      await tokens.revoke(name);
      io.out(`token ${name} revoked\n`);
    }
    return 0;
  },
};

/** Days are the operators' unit, hours the largest of the API. */
function lifetimeOf(text: string): string {
  const days = /^([0-9]{1,5})d$/.exec(text)?.[1];
  if (days !== undefined) return `${Number(days) * 24}h`;
  if (/^([0-9]+(ms|s|m|h))+$/.test(text)) return text;
  throw new MeshError("usage/invalid", `--expires: expected a duration, found ${JSON.stringify(text)}`, {
    hint: "For example 30d or 12h.",
  });
}

async function serversTokens(flags: FlagValues, io: CliIo): Promise<TokenKeeper> {
  const server = await serverOf(flags, io);
  const path = pathOf("tokens");
  return {
    create: async (body) => (await askJson(server, { method: "POST", path, body }, newTokenView)).value,
    list: async () => (await listAll(server, path, {}, tokenView)).items.map(({ item }) => item),
    revoke: async (token) => {
      await ask(server, { method: "DELETE", path: pathOf("tokens", token) });
    },
  };
}

function formatNew({ name, role, expiresAt, token }: NewTokenView, nowMs: number, style: Style): string {
  const end = expiresAt === undefined ? "never expires" : `expires in ${formatTimeLeft(Date.parse(expiresAt), nowMs)}`;
  return `${style("strong", token)}\n\n${style("quiet", `This is the token ${name} (${role}, ${end}). It is not shown again.`)}\n`;
}

const columns = ["NAME", "ROLE", "ID", "CREATED", "BY", "EXPIRES", "LAST USED"].map((title) => ({ title }));

function formatTokens(tokens: readonly TokenView[], nowMs: number, style: Style): string {
  if (tokens.length === 0) return "There are no tokens. `fairway token create` makes one.\n";
  const rows = tokens.map(({ name, role, id, createdAt, createdBy, expiresAt, lastUsedAt }): readonly Cell[] => [
    { text: name, tone: "strong" },
    role,
    id,
    ago(createdAt, nowMs),
    createdBy,
    expiresAt === undefined ? { text: "never", tone: "quiet" } : `in ${formatTimeLeft(Date.parse(expiresAt), nowMs)}`,
    lastUsedAt === undefined ? { text: "never", tone: "quiet" } : ago(lastUsedAt, nowMs),
  ]);
  return `${formatTable(columns, rows, style)}\n${count(tokens.length, "token")}\n`;
}

const ago = (time: string, nowMs: number): string => `${formatAge(Date.parse(time), nowMs)} ago`;
