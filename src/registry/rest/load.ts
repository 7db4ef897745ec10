import type { Hostname } from "../../model/hostname.ts";
import { parsePlainHost } from "../catalog-format.ts";
import type { RegistryProblem } from "../source.ts";
import type { Changes, InstanceChange } from "./changes.ts";
import type { Rows } from "./lease-procedures.ts";
import type { ServiceRecord } from "./records.ts";
import { readInstanceRow, readServiceRow } from "./rows.ts";

/** What the database holds. Instances of a service that cannot be read are left out with it. */
export interface Loaded {
  readonly changes: Changes;
  /** Rows that cannot be read, by `host` or `host/id`. */
  readonly unreadable: Map<string, RegistryProblem>;
}

export function readRows(rows: Rows): Loaded {
  const services = new Map<Hostname, ServiceRecord>();
  const instances = new Map<Hostname, Map<string, InstanceChange>>();
  const unreadable = new Map<string, RegistryProblem>();
  for (const row of rows.services) {
    const read = readServiceRow(row);
    if (read.ok) services.set(read.value.host, read.value);
    else unreadable.set(row.host, notRead(`service ${row.host}`, read.reason));
  }
  for (const row of rows.instances) {
    const host = parsePlainHost(row.host);
    if (host === undefined || !services.has(host)) continue;
    const read = readInstanceRow(row);
    const byId = instances.get(host) ?? new Map<string, InstanceChange>();
    instances.set(host, byId);
    if (read.ok) byId.set(row.id, { kind: "put", record: read.value });
    else unreadable.set(`${host}/${row.id}`, notRead(`instance ${row.id} of ${host}`, read.reason));
  }
  return { changes: { deletedServices: new Set(), services, instances }, unreadable };
}

/** Drops what was written anew or deleted. */
export function dropReplaced(unreadable: Map<string, RegistryProblem>, changes: Changes): void {
  const gone: ReadonlySet<string> = changes.deletedServices;
  for (const key of unreadable.keys()) if (gone.has(key.split("/", 1)[0] ?? "")) unreadable.delete(key);
  for (const [host, byId] of changes.instances) for (const id of byId.keys()) unreadable.delete(`${host}/${id}`);
}

const notRead = (what: string, reason: string): RegistryProblem => ({
  message: `The registration of the ${what} cannot be read: ${reason}`,
  hint: "Register it again or delete it; until then it is left out, and kept.",
});
