import { chainPrefix, type PlannedRule, type TableName } from "./capture-plan.ts";

/** A rule of somebody else's chain that leads into one of ours. */
export interface Hook {
  readonly chain: string;
  /** As `iptables-save` writes it. */
  readonly args: string;
  /** Its place in the chain, from 1; absent: at the end. */
  readonly at?: number;
}

/** What is ours in one table. */
export interface TableState {
  readonly chains: readonly string[];
  /** Of our chains: `-A FAIRWAY_INBOUND …`. */
  readonly rules: readonly string[];
  readonly hooks: readonly Hook[];
}

export type TablesState = Readonly<Record<TableName, TableState>>;

export const tableNames: readonly TableName[] = ["nat", "mangle"];

const isOurs = (chain: string): boolean => chain.startsWith(chainPrefix);

export function plannedTables(rules: readonly PlannedRule[]): TablesState {
  const state = (table: TableName): TableState => {
    const here = rules.filter((rule) => rule.table === table);
    const inside = here.filter(({ chain }) => isOurs(chain));
    return {
      chains: [...new Set(inside.map(({ chain }) => chain))],
      rules: inside.map(({ chain, args }) => `-A ${chain} ${args.join(" ")}`),
      hooks: here.filter(({ chain }) => !isOurs(chain)).map(({ chain, args }) => ({ chain, args: args.join(" ") })),
    };
  };
  return { nat: state("nat"), mangle: state("mangle") };
}

/** Out of what `iptables-save` prints. */
export function readTables(saved: string): TablesState {
  const found: Record<TableName, Found> = { nat: nothingFound(), mangle: nothingFound() };
  let table: Found | undefined;
  for (const line of saved.split("\n")) {
    if (line.startsWith("*"))
      table = tableNames.includes(line.slice(1) as TableName) ? found[line.slice(1) as TableName] : undefined;
    if (table !== undefined) readLine(line, table);
  }
  return found;
}

interface Found {
  readonly chains: string[];
  readonly rules: string[];
  readonly hooks: Hook[];
  /** Rules so far, by chain. */
  readonly seen: Map<string, number>;
}

const nothingFound = (): Found => ({ chains: [], rules: [], hooks: [], seen: new Map() });

function readLine(line: string, { chains, rules, hooks, seen }: Found): void {
  const declared = /^:(\S+) /.exec(line)?.[1];
  if (declared !== undefined && isOurs(declared)) chains.push(declared);
  const [, chain, args = ""] = /^-A (\S+) ?(.*)$/.exec(line) ?? [];
  if (chain === undefined) return;
  const at = (seen.get(chain) ?? 0) + 1;
  seen.set(chain, at);
  if (isOurs(chain)) rules.push(line);
  else if (leadsToOurs(args)) hooks.push({ chain, args, at });
}

/** A comment, which is quoted, may say whatever it likes. */
function leadsToOurs(args: string): boolean {
  const words = args.match(/"(?:\\.|[^"\\])*"|\S+/g) ?? [];
  return words.some((word, index) => (word === "-j" || word === "-g") && isOurs(words[index + 1] ?? ""));
}

/**
 * Input for `iptables-restore --noflush` that makes what is ours out of `from` be `to`, and touches nothing else; empty when neither has anything.
 * A table is changed as a whole or not at all.
 */
export const tableChanges = (from: TablesState, to: TablesState): string =>
  tableNames.map((table) => changesOf(table, from[table], to[table])).join("");

function changesOf(table: TableName, from: TableState, to: TableState): string {
  const gone = from.chains.filter((chain) => !to.chains.includes(chain));
  const { removed, added } = hookChanges(from.hooks, to.hooks);
  const lines = [
    // A chain that is named here begins empty, also one that was there.
    ...[...to.chains, ...gone].map((chain) => `:${chain} - [0:0]`),
    ...removed.map(({ chain, args }) => `-D ${chain} ${args}`),
    ...to.rules,
    ...gone.map((chain) => `-X ${chain}`),
    ...added.map(({ chain, args, at }) => (at === undefined ? `-A ${chain} ${args}` : `-I ${chain} ${at} ${args}`)),
  ];
  return lines.length === 0 ? "" : [`*${table}`, ...lines, "COMMIT", ""].join("\n");
}

/** A hook that is there stays where it is among the rules of others. */
function hookChanges(
  from: readonly Hook[],
  to: readonly Hook[],
): { readonly removed: readonly Hook[]; readonly added: readonly Hook[] } {
  const left = [...from];
  const added = to.filter((hook) => {
    const index = left.findIndex(({ chain, args }) => chain === hook.chain && args === hook.args);
    if (index >= 0) left.splice(index, 1);
    return index < 0;
  });
  return { removed: left, added };
}
