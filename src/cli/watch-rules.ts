import type { CliIo } from "./command.ts";
import { followRules, type RuleNews } from "./follow.ts";
import { cellsOf, type RuleTableShape, ruleColumns } from "./rule-table.ts";
import type { Server } from "./server.ts";
import { styleFor, type Tone } from "./style.ts";
import { layOutTable, type TableLayout } from "./table.ts";

export interface RuleWatch {
  readonly server: Server;
  /** Of the list that is watched. */
  readonly path: string;
  readonly selector: string | undefined;
  readonly shape: RuleTableShape;
  /** One JSON object a line instead of a table. */
  readonly asJson: boolean;
}

const changes: Readonly<Record<RuleNews["type"], readonly [string, Tone]>> = {
  ADDED: ["added", "good"],
  MODIFIED: ["changed", "accent"],
  DELETED: ["deleted", "caution"],
};

/** Prints the rules that are there, then each change, until Ctrl-C. */
export async function watchRules({ server, path, selector, shape, asJson }: RuleWatch, io: CliIo): Promise<void> {
  const style = styleFor(io);
  const columns = ruleColumns(shape);
  let table: TableLayout | undefined;
  const print = (news: readonly RuleNews[]) => {
    if (asJson) {
      for (const { type, raw } of news) io.out(`${JSON.stringify({ type, object: raw })}\n`);
      return;
    }
    const rows = news.map(({ rule, type }) => {
      const [word, tone] = changes[type];
      const cells = cellsOf(columns, rule, io.now());
      // What is there from the beginning is no change.
      return table === undefined ? cells : [...cells, { text: word, tone }];
    });
    if (table === undefined) {
      table = layOutTable([...columns, { title: "CHANGE" }], rows, style);
      io.out(table.titles);
    }
    io.out(rows.map(table.row).join(""));
  };
  await followRules({
    server,
    path,
    query: { labelSelector: selector },
    onNews: print,
    onTrouble: (message) => io.err(`fairway: ${message}\n`),
    signal: AbortSignal.any([io.signal, ...(io.hearInterrupt === undefined ? [] : [io.hearInterrupt()])]),
  });
}
