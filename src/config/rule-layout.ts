import type { LayoutStep } from "../base/database.ts";

/** How rules are laid out in a database at first. Never changed: what comes later is a step of its own. */
export const ruleLayout: LayoutStep = {
  name: "rules",
  sql: `
      -- One row: the last revision, the last one of which events were deleted, and the last one that was
    -- given out before a backup was put in this file's place.
      CREATE TABLE rule_state (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        revision INTEGER NOT NULL,
        forgotten INTEGER NOT NULL,
        restored INTEGER NOT NULL
      ) STRICT;
      INSERT INTO rule_state (id, revision, forgotten, restored) VALUES (1, 0, 0, 0);

      CREATE TABLE rule_revisions (
        number INTEGER PRIMARY KEY,
        at_ms INTEGER NOT NULL,
        by_whom TEXT NOT NULL,
        reason TEXT,
        request_id TEXT,
        idempotency_key TEXT
      ) STRICT;

      -- Immutable but for replaced_in, the revision that wrote the next version or deleted the rule.
      CREATE TABLE rule_versions (
        id INTEGER PRIMARY KEY,
        key TEXT NOT NULL,
        owner TEXT NOT NULL CHECK (owner IN ('store', 'directory')),
        revision INTEGER NOT NULL REFERENCES rule_revisions (number),
        replaced_in INTEGER REFERENCES rule_revisions (number),
        kind TEXT NOT NULL,
        namespace TEXT NOT NULL,
        name TEXT NOT NULL,
        labels TEXT NOT NULL,
        uid TEXT NOT NULL,
        generation INTEGER NOT NULL,
        created_at_ms INTEGER NOT NULL,
        created_by TEXT NOT NULL,
        updated_at_ms INTEGER NOT NULL,
        updated_by TEXT NOT NULL,
        source_file TEXT,
        source_line INTEGER,
        format TEXT NOT NULL CHECK (format IN ('yaml', 'json')),
        text TEXT NOT NULL,
        json TEXT NOT NULL,
        UNIQUE (key, owner, revision)
      ) STRICT;
      CREATE INDEX rule_versions_by_revision ON rule_versions (revision);
      CREATE INDEX rule_versions_replaced ON rule_versions (replaced_in) WHERE replaced_in IS NOT NULL;

      CREATE TABLE rule_heads (
        key TEXT NOT NULL,
        owner TEXT NOT NULL,
        version INTEGER NOT NULL UNIQUE REFERENCES rule_versions (id),
        PRIMARY KEY (key, owner)
      ) STRICT, WITHOUT ROWID;

      -- version: of a deletion, the last one.
      CREATE TABLE rule_events (
        revision INTEGER NOT NULL REFERENCES rule_revisions (number),
        position INTEGER NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('added', 'modified', 'deleted')),
        version INTEGER NOT NULL REFERENCES rule_versions (id),
        PRIMARY KEY (revision, position)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX rule_events_by_version ON rule_events (version);

      -- What was answered to changes with an idempotency key: [{key, action, version?}, …] in results.
      CREATE TABLE rule_outcomes (
        id INTEGER PRIMARY KEY,
        by_whom TEXT NOT NULL,
        idempotency_key TEXT NOT NULL,
        revision INTEGER NOT NULL,
        results TEXT NOT NULL,
        UNIQUE (by_whom, idempotency_key)
      ) STRICT;
  `,
};

/** Bounds of the history in bytes, whom an idempotency key belongs to, and events of what is seen. */
export const ruleHistoryLayout: LayoutStep = {
  name: "rule history",
  sql: `
      -- replaced_bytes: of the texts of all versions that were replaced.
      ALTER TABLE rule_state ADD COLUMN replaced_bytes INTEGER NOT NULL DEFAULT 0;
      UPDATE rule_state SET replaced_bytes = (
        SELECT coalesce(sum(octet_length(text) + octet_length(json)), 0) FROM rule_versions WHERE replaced_in IS NOT NULL);
      CREATE TRIGGER rule_version_replaced AFTER UPDATE OF replaced_in ON rule_versions
        BEGIN
          UPDATE rule_state SET replaced_bytes = replaced_bytes + octet_length(new.text) + octet_length(new.json);
        END;
      CREATE TRIGGER rule_version_forgotten AFTER DELETE ON rule_versions WHEN old.replaced_in IS NOT NULL
        BEGIN
          UPDATE rule_state SET replaced_bytes = replaced_bytes - octet_length(old.text) - octet_length(old.json);
        END;

      -- digest: of the change that had the key; NULL: nobody knows. note: text that is given back with the answer.
      ALTER TABLE rule_outcomes ADD COLUMN digest TEXT;
      ALTER TABLE rule_outcomes ADD COLUMN note TEXT;

      -- Events are of the one document of a key that everybody sees. Those of each owner's own tell something else.
      DELETE FROM rule_events;
      UPDATE rule_state SET forgotten = revision;
  `,
};
