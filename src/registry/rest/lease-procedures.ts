import type { LayoutStep, Procedures } from "../../base/database.ts";

/**
 * A service goes with its instances. Heartbeats are not kept: after a restart every lease gets a whole new period.
 */
export const leaseLayout: LayoutStep = {
  name: "registrations",
  sql: `
    CREATE TABLE registered_services (
      host TEXT NOT NULL PRIMARY KEY,
      data TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE registered_instances (
      host TEXT NOT NULL REFERENCES registered_services (host) ON DELETE CASCADE,
      id TEXT NOT NULL,
      data TEXT NOT NULL,
      PRIMARY KEY (host, id)
    ) STRICT, WITHOUT ROWID;
  `,
};

/** `data` is JSON. */
export interface ServiceRow {
  readonly host: string;
  readonly data: string;
}

export interface InstanceRow {
  readonly host: string;
  readonly id: string;
  readonly data: string;
}

/** Rows to delete, then rows to put. */
export interface RowChanges {
  readonly deletedServices: readonly string[];
  readonly deletedInstances: readonly { readonly host: string; readonly id: string }[];
  readonly services: readonly ServiceRow[];
  readonly instances: readonly InstanceRow[];
}

export interface Rows {
  readonly services: readonly ServiceRow[];
  readonly instances: readonly InstanceRow[];
}

export const leaseProcedures = {
  loadRegistrations: (db, _input: undefined): Rows => ({
    services: db
      .prepare("SELECT host, data FROM registered_services")
      .all()
      .map(({ host, data }) => ({ host: String(host), data: String(data) })),
    instances: db
      .prepare("SELECT host, id, data FROM registered_instances")
      .all()
      .map(({ host, id, data }) => ({ host: String(host), id: String(id), data: String(data) })),
  }),

  writeRegistrations: (db, { deletedServices, deletedInstances, services, instances }: RowChanges): void => {
    const deleteService = db.prepare("DELETE FROM registered_services WHERE host = ?");
    const deleteInstance = db.prepare("DELETE FROM registered_instances WHERE host = ? AND id = ?");
    const putService = db.prepare(
      "INSERT INTO registered_services (host, data) VALUES (?, ?) ON CONFLICT (host) DO UPDATE SET data = excluded.data",
    );
    const putInstance = db.prepare(
      `INSERT INTO registered_instances (host, id, data) VALUES (?, ?, ?)
       ON CONFLICT (host, id) DO UPDATE SET data = excluded.data`,
    );
    for (const host of deletedServices) deleteService.run(host);
    for (const { host, id } of deletedInstances) deleteInstance.run(host, id);
    for (const { host, data } of services) putService.run(host, data);
    for (const { host, id, data } of instances) putInstance.run(host, id, data);
  },

  /** Writes, and leaves nothing behind: does the database take writes again? */
  tryRegistrations: (db, _input: undefined): void => {
    db.exec(
      "INSERT INTO registered_services (host, data) VALUES ('', ''); DELETE FROM registered_services WHERE host = ''",
    );
  },
} as const satisfies Procedures;
