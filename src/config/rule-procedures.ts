import type { DatabaseSync } from "node:sqlite";
import type { Procedures } from "../base/database.ts";
import { changeRules, previewRules } from "./change-rules.ts";
import { readOutcome } from "./rule-outcomes.ts";
import { documentColumns, documentOf, type Row, rowsOf } from "./rule-rows.ts";
import { type RuleState, stateOf } from "./rule-state.ts";
import type { DocumentEvent, DocumentOwner, EventPosition, StoredDocument } from "./store.ts";
import { lengthOf } from "./store-events.ts";

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

const readRuleState = (db: DatabaseSync): RuleState => stateOf(db);

/** A page of events, counted back from the newest. */
export interface EventsPage {
  /** Absent: the newest. */
  readonly before?: EventPosition;
  readonly limit: number;
  /** The event with which the texts reach this length, in UTF-16 units, is the last of the page. */
  readonly length: number;
}

/** The newest first, as far back as they are complete; none: there are no more. */
function readRuleEvents(db: DatabaseSync, { before, limit, length }: EventsPage): readonly DocumentEvent[] {
  const { revision, forgotten } = stateOf(db);
  const rows = db
    .prepare(
      `SELECT e.kind AS event, e.revision AS event_revision, e.position, ${documentColumns}
       FROM rule_events e JOIN rule_versions v ON v.id = e.version
       WHERE e.revision > ? AND (e.revision, e.position) < (?, ?)
       ORDER BY e.revision DESC, e.position DESC LIMIT ?`,
    )
    .iterate(forgotten, before?.revision ?? revision + 1, before?.index ?? 0, limit);
  const events: DocumentEvent[] = [];
  let room = length;
  for (const row of rows) {
    const event = eventOf(row);
    events.push(event);
    room -= lengthOf(event.document);
    if (room <= 0) break;
  }
  return events;
}

const eventOf = (row: Row): DocumentEvent => ({
  kind: row["event"] as DocumentEvent["kind"],
  revision: Number(row["event_revision"]),
  index: Number(row["position"]),
  document: documentOf(row),
});

/** All that is done with rules in the database. */
export const ruleProcedures = {
  readRules,
  readRuleState,
  readRuleEvents,
  readOutcome,
  changeRules,
  previewRules,
} satisfies Procedures;
