import type { DatabaseSync } from "node:sqlite";
import type { Procedures } from "../base/database.ts";
import { changeRules } from "./change-rules.ts";
import { documentColumns, documentOf, type Row, rowsOf } from "./rule-rows.ts";
import { stateOf } from "./rule-state.ts";
import type { DocumentEvent, DocumentOwner, EventPosition, StoredDocument } from "./store.ts";

/** Where the next page of present documents starts. */
export interface RulesPage {
  readonly after?: { readonly key: string; readonly owner: DocumentOwner };
  readonly limit: number;
}

/** Present documents of both owners in the order of their keys; fewer than `limit` are the last ones. */
function readRules(db: DatabaseSync, { after, limit }: RulesPage): readonly StoredDocument[] {
  return rowsOf(
    db.prepare(
      `SELECT ${documentColumns} FROM rule_heads h JOIN rule_versions v ON v.id = h.version
       WHERE (h.key, h.owner) > (?, ?) ORDER BY h.key, h.owner LIMIT ?`,
    ),
    after?.key ?? "",
    after?.owner ?? "",
    limit,
  ).map(documentOf);
}

/** The last events, and what is known of the time before. */
export interface RecentEvents {
  /** The last revision; 0: none. */
  readonly revision: number;
  /** In their order. */
  readonly events: readonly DocumentEvent[];
  /** The last event that is not among them. */
  readonly forgotten: EventPosition;
}

function readRuleEvents(db: DatabaseSync, { limit }: { readonly limit: number }): RecentEvents {
  const { revision, forgotten } = stateOf(db);
  // One more than asked for tells where the time before ends.
  const rows = rowsOf(
    db.prepare(
      `SELECT e.kind AS event, e.revision AS event_revision, e.position, ${documentColumns}
       FROM rule_events e JOIN rule_versions v ON v.id = e.version
       ORDER BY e.revision DESC, e.position DESC LIMIT ?`,
    ),
    limit + 1,
  );
  const events = rows.map(eventOf).reverse();
  const before = rows.length > limit ? events.shift() : undefined;
  return {
    revision,
    events,
    forgotten: before ?? { revision: forgotten, index: forgotten === 0 ? 0 : Number.POSITIVE_INFINITY },
  };
}

const eventOf = (row: Row): DocumentEvent => ({
  kind: row["event"] as DocumentEvent["kind"],
  revision: Number(row["event_revision"]),
  index: Number(row["position"]),
  document: documentOf(row),
});

/** All that is done with rules in the database. */
export const ruleProcedures = { readRules, readRuleEvents, changeRules } satisfies Procedures;
