import type { DatabaseSync } from "node:sqlite";
import type { RuleKey } from "./rule.ts";
import { documentColumns, documentOf, rowsOf } from "./rule-rows.ts";
import type { DocumentOwner, StoredDocument } from "./store.ts";

/** The present version of one owner's document. */
export interface Head {
  /** Of the row in `rule_versions`. */
  readonly id: number;
  readonly document: StoredDocument;
}

export type Heads = Readonly<Partial<Record<DocumentOwner, Head>>>;

/** Finds what is there of a key. */
export function headFinder(db: DatabaseSync): (key: RuleKey) => Heads {
  const find = db.prepare(
    `SELECT ${documentColumns} FROM rule_heads h JOIN rule_versions v ON v.id = h.version WHERE h.key = ?`,
  );
  return (key) => {
    const heads: Partial<Record<DocumentOwner, Head>> = {};
    for (const row of rowsOf(find, key)) {
      const document = documentOf(row);
      heads[document.owner] = { id: Number(row["id"]), document };
    }
    return heads;
  };
}

/** The one that everybody sees. */
export const seenOf = ({ directory, store }: Heads): Head | undefined => directory ?? store;
