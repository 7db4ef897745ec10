import type { RuleKey } from "../config/rule.ts";
import type { DocumentEvent, StoredDocument } from "../config/store.ts";

/** Which documents a watch is about. */
export interface WatchSelection {
  /** Never changes for a rule: its kind and namespace. */
  readonly concerns: (document: StoredDocument) => boolean;
  /** May change from one version to the next: its labels. Absent: all are selected. */
  readonly selects?: (document: StoredDocument) => boolean;
  /** Those of `concerns` that are there now. */
  readonly documents: () => readonly StoredDocument[];
}

/** What one watcher knows of, so that what stops to match is deleted for it, and what begins to match is added. */
export interface WatchFilter {
  /** Takes up a document that is there; false: it is not for this watcher. */
  readonly admit: (document: StoredDocument) => boolean;
  /** Takes up what a watcher that goes on knows: what was not touched since then, and perhaps what was. */
  readonly begin: (present: readonly StoredDocument[], since: readonly DocumentEvent[] | "gone") => void;
  /** What an event is for this watcher; undefined: nothing. */
  readonly see: (event: DocumentEvent) => "ADDED" | "MODIFIED" | "DELETED" | undefined;
}

const names = { added: "ADDED", modified: "MODIFIED", deleted: "DELETED" } as const;

export function createWatchFilter({ concerns, selects }: WatchSelection): WatchFilter {
  if (selects === undefined) {
    return {
      admit: concerns,
      begin: () => {},
      see: ({ kind, document }) => (concerns(document) ? names[kind] : undefined),
    };
  }
  const known = new Set<RuleKey>();
  /** Changed between the watcher's position and now: whether it knew them cannot be told. */
  const unsure = new Set<RuleKey>();
  const admit = (document: StoredDocument) => {
    const admitted = concerns(document) && selects(document);
    if (admitted) known.add(document.key);
    return admitted;
  };
  return {
    admit,
    begin: (present, since) => {
      for (const { document } of since === "gone" ? [] : since) if (concerns(document)) unsure.add(document.key);
      for (const document of present) if (!unsure.has(document.key)) admit(document);
    },
    see: ({ kind, document }) => {
      if (!concerns(document)) return undefined;
      const { key } = document;
      const wasUnsure = unsure.delete(key);
      const wasKnown = known.has(key);
      if (kind !== "deleted" && selects(document)) {
        known.add(key);
        return wasKnown || (wasUnsure && kind === "modified") ? "MODIFIED" : "ADDED";
      }
      known.delete(key);
      return wasKnown || (wasUnsure && kind !== "added") ? "DELETED" : undefined;
    },
  };
}
