import { documentAs } from "../config/document-text.ts";
import type { StoredDocument } from "../config/store.ts";

/** As its author wrote it; YAML made of it, where the author wrote JSON. */
export const ruleYaml = (document: StoredDocument): string => documentAs(document, "yaml");

/** Several documents as one text. */
export function rulesYaml(documents: readonly StoredDocument[]): string {
  return documents
    .map((document, index) => {
      const text = ruleYaml(document);
      const marker = index === 0 || /^(---|%)/m.test(text.slice(0, 3)) ? "" : "---\n";
      return `${marker}${text}${text.endsWith("\n") ? "" : "\n"}`;
    })
    .join("");
}
