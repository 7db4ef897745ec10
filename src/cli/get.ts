import { ruleObjectView } from "../api/shapes/rules.ts";
import type { RuleObjectView } from "../api/types/rules.ts";
import { MeshError } from "../base/errors.ts";
import { defaultNamespace } from "../config/decode-rule.ts";
import type { RuleKind } from "../config/rule.ts";
import { pluralOf } from "../config/rule-kinds.ts";
import {
  type CliIo,
  type Command,
  type CommandInput,
  type ExitCode,
  type FlagValues,
  flagValue,
  isSet,
} from "./command.ts";
import { count } from "./findings-text.ts";
import { allKinds, kindNamed, kindsHelp, kindWords } from "./kinds.ts";
import { type Listed, listAll } from "./list-all.ts";
import { writeJson } from "./output.ts";
import { ask, askJson } from "./request.ts";
import { formatRuleDetails } from "./rule-details.ts";
import { rulePath, rulesPath } from "./rule-paths.ts";
import { cellsOf, type RuleTableShape, ruleColumns } from "./rule-table.ts";
import { allNamespacesFlag, listedNamespace, namespaceFlag, type Server, serverFlags, serverOf } from "./server.ts";
import { styleFor } from "./style.ts";
import { formatTable } from "./table.ts";
import { watchRules } from "./watch-rules.ts";

export const getCommand: Command = {
  name: "get",
  summary: "show the server's rules, and where they are in force",
  details:
    "IN FORCE counts the connected proxies that have accepted all of a rule, of those that it concerns.\n" +
    "-o yaml gives rules back as they were written; -o wide also says what there is to say of one rule.\n" +
    `-w goes on to tell of changes until Ctrl-C.\n${kindsHelp}`,
  arguments: "<kind> [name]",
  argumentWords: [["all", ...kindWords], []],
  flags: [
    namespaceFlag,
    allNamespacesFlag,
    { flags: "-l, --selector <selector>", summary: "only rules with these labels, as in app=web,tier!=test" },
    { flags: "-w, --watch", summary: "go on with every change" },
    {
      flags: "-o, --output <format>",
      summary: "how to print it",
      choices: ["text", "wide", "json", "yaml"],
      default: "text",
    },
    ...serverFlags,
  ],
  examples: [
    { line: "fairway get virtualservices -n shop", summary: "the routes of a namespace" },
    { line: "fairway get all -A", summary: "all rules" },
    { line: "fairway get vs reviews -n shop -o wide", summary: "one rule, and what is wrong with it" },
    { line: "fairway get vs reviews -n shop -o yaml > reviews.yaml", summary: "as it was written" },
    { line: "fairway get vs -A -l team=shop -w", summary: "watch those of a team" },
  ],
  run: get,
};

interface Query {
  /** One kind, or all. */
  readonly kinds: readonly RuleKind[];
  readonly kind: RuleKind | undefined;
  readonly name: string | undefined;
  /** undefined: all. */
  readonly namespace: string | undefined;
  readonly selector: string | undefined;
  readonly output: string;
}

async function get({ arguments: [word = "", name], flags }: CommandInput, io: CliIo): Promise<ExitCode> {
  const kind = word.toLowerCase() === "all" ? undefined : kindNamed(word);
  const selector = flagValue(flags, "selector");
  const output = flagValue(flags, "output") ?? "text";
  expectSensible(kind, name, flags);
  const server = await serverOf(flags, io);
  const namespace = isSet(flags, "allNamespaces") ? undefined : (listedNamespace(server, flags) ?? defaultNamespace);
  const query: Query = { kinds: kind === undefined ? allKinds : [kind], kind, name, namespace, selector, output };
  if (isSet(flags, "watch")) await watch(server, query, io);
  else if (name === undefined) await printList(server, query, io);
  else await printOne(server, query, name, io);
  return 0;
}

function expectSensible(kind: RuleKind | undefined, name: string | undefined, flags: FlagValues): void {
  const wrong = (message: string) =>
    new MeshError("usage/invalid", message, { hint: "`fairway get --help` shows examples." });
  if (name !== undefined) {
    if (kind === undefined) throw wrong("a name needs its kind");
    if (isSet(flags, "allNamespaces")) throw wrong("a name needs one namespace, not all");
    if (flagValue(flags, "selector") !== undefined) throw wrong("say a name or a selector, not both");
  }
  if (!isSet(flags, "watch")) return;
  if (kind === undefined) throw wrong("one kind at a time can be watched");
  if (name !== undefined) throw wrong("a list can be watched, not a single name");
  if (flagValue(flags, "output") === "yaml") throw wrong("a watch prints a table or JSON");
}

async function printOne(server: Server, query: Query, name: string, io: CliIo): Promise<void> {
  const path = rulePath({ kind: query.kinds[0] ?? "", namespace: query.namespace ?? "", name });
  if (query.output === "yaml") {
    io.out(endLine((await ask(server, { path, accept: "application/yaml" })).body));
    return;
  }
  const { raw, value } = await askJson(server, { path }, ruleObjectView);
  if (query.output === "json") {
    writeJson(io, raw);
    return;
  }
  io.out(tableOf([value], shapeOf(query), io));
  if (query.output === "wide") io.out(`\n${formatRuleDetails(value, io)}`);
}

async function printList(server: Server, query: Query, io: CliIo): Promise<void> {
  if (query.output === "yaml") {
    await printYaml(server, query, io);
    return;
  }
  const listed = await rulesOf(server, query);
  const rules = listed.map(({ item }) => item);
  if (query.output === "json") writeJson(io, { items: listed.map(({ raw }) => raw) });
  else if (rules.length === 0) io.out(noneText(query));
  else io.out(`${tableOf(rules, shapeOf(query), io)}\n${summaryOf(rules)}`);
}

async function rulesOf(
  server: Server,
  { kinds, namespace, selector }: Query,
): Promise<readonly Listed<RuleObjectView>[]> {
  const lists = await Promise.all(
    kinds.map((kind) => listAll(server, rulesPath(kind, namespace), { labelSelector: selector }, ruleObjectView)),
  );
  return lists.flatMap(({ items }) => items);
}

function shapeOf({ kind, namespace, output }: Query): RuleTableShape {
  return { kind, withNamespace: namespace === undefined, wide: output === "wide" };
}

function tableOf(rules: readonly RuleObjectView[], shape: RuleTableShape, io: CliIo): string {
  const columns = ruleColumns(shape);
  return formatTable(
    columns,
    rules.map((rule) => cellsOf(columns, rule, io.now())),
    styleFor(io),
  );
}

function noneText({ kind, namespace, selector }: Query): string {
  const what = kind === undefined ? "rules" : pluralOf(kind);
  const where = namespace === undefined ? "" : ` in the namespace ${namespace}`;
  const which = selector === undefined ? "" : ` with ${selector}`;
  return `There are no ${what}${where}${which}.${namespace === undefined ? "" : " -A looks in all."}\n`;
}

function summaryOf(rules: readonly RuleObjectView[]): string {
  const out = rules.filter(({ status }) => status.inForce === "none").length;
  return `${count(rules.length, "rule")}${out === 0 ? "" : `, ${out} not in force`}\n`;
}

/** Pages of documents as they were written, as one stream. */
async function printYaml(server: Server, { kinds, namespace, selector }: Query, io: CliIo): Promise<void> {
  let marker = "";
  for (const kind of kinds) {
    let after: string | undefined;
    do {
      const query = { labelSelector: selector, limit: "500", continue: after };
      const { body, headers } = await ask(server, {
        path: rulesPath(kind, namespace),
        query,
        accept: "application/yaml",
      });
      if (body.trim() !== "") {
        io.out((/^(---|%)/.test(body) ? "" : marker) + endLine(body));
        marker = "---\n";
      }
      after = headers.get("x-continue") ?? undefined;
    } while (after !== undefined);
  }
}

const endLine = (text: string): string => (text.endsWith("\n") ? text : `${text}\n`);

const watch = (server: Server, query: Query, io: CliIo): Promise<void> =>
  watchRules(
    {
      server,
      path: rulesPath(query.kinds[0] ?? "VirtualService", query.namespace),
      selector: query.selector,
      shape: shapeOf(query),
      asJson: query.output === "json",
    },
    io,
  );
