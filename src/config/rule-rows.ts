import type { SQLInputValue, SQLOutputValue, StatementSync } from "node:sqlite";
import type { RuleKey, RuleKind } from "./rule.ts";
import type { DocumentFormat, DocumentOwner, StoredDocument } from "./store.ts";

export type Row = Readonly<Record<string, SQLOutputValue>>;

export function rowsOf(statement: StatementSync, ...values: readonly SQLInputValue[]): readonly Row[] {
  return statement.all(...values);
}

/** Of the table `rule_versions`, named `v`. */
export const documentColumns = [
  ...["id", "key", "kind", "namespace", "name", "labels", "owner", "uid", "generation", "revision"],
  ...["created_at_ms", "created_by", "updated_at_ms", "updated_by", "source_file", "source_line"],
  ...["format", "text", "json"],
]
  .map((column) => `v.${column}`)
  .join(", ");

/** The file's layout says what each column holds; nobody else writes it. */
export function documentOf(row: Row): StoredDocument {
  const file = row["source_file"];
  return {
    key: row["key"] as RuleKey,
    kind: row["kind"] as RuleKind,
    namespace: String(row["namespace"]),
    name: String(row["name"]),
    labels: JSON.parse(String(row["labels"])) as StoredDocument["labels"],
    owner: row["owner"] as DocumentOwner,
    uid: String(row["uid"]),
    generation: Number(row["generation"]),
    revision: Number(row["revision"]),
    created: { atMs: Number(row["created_at_ms"]), by: String(row["created_by"]) },
    updated: { atMs: Number(row["updated_at_ms"]), by: String(row["updated_by"]) },
    ...(typeof file === "string" && { source: { file, line: Number(row["source_line"]) } }),
    format: row["format"] as DocumentFormat,
    text: String(row["text"]),
    json: String(row["json"]),
  };
}
