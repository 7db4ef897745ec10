import { DatabaseSync } from "node:sqlite";
import type { Call } from "../../src/base/database.ts";
import { MeshError } from "../../src/base/errors.ts";
import { createLog } from "../../src/base/log.ts";
import { leaseLayout, leaseProcedures } from "../../src/registry/rest/lease-procedures.ts";
import { openRestRegistry, type RestRegistryOptions } from "../../src/registry/rest/rest-registry.ts";
import { createFakeClock } from "../support/fake-clock.ts";

export const silentLog = createLog({ level: "silent", format: "json", write: () => {} });

/** The procedures on a database in memory, each call one transaction; it can be told to fail, and counts its calls. */
export function createLeaseDatabase() {
  const db = new DatabaseSync(":memory:");
  db.exec(leaseLayout.sql);
  const state = { failing: false, calls: [] as string[] };
  const call: Call<typeof leaseProcedures> = async (name, input) => {
    state.calls.push(name);
    if (state.failing) throw new MeshError("store/full", "The disk is full.", { hint: "Make room." });
    db.exec("BEGIN IMMEDIATE");
    try {
      const output = (leaseProcedures[name] as (db: DatabaseSync, input: unknown) => unknown)(db, input);
      db.exec("COMMIT");
      return output as never;
    } catch (error) {
      db.exec("ROLLBACK");
      throw error;
    }
  };
  return { db, call, state };
}

export const host = "reviews.shop.svc.cluster.local";
export const ports = [{ name: "http", number: 9080 }];

/** A registry with a clock of its own on a database of its own, and the service `host` in it. */
export async function createRestLab(options: Partial<RestRegistryOptions> = {}) {
  const database = createLeaseDatabase();
  const clock = createFakeClock();
  const open = () => openRestRegistry({ call: database.call, clock, log: silentLog, ...options });
  const registry = await open();
  await registry.registrations.putService(host, { ports }, "ci");
  const healths = (from = registry) =>
    Object.fromEntries(
      [...(from.catalog.value?.instances.values() ?? [])].flat().map(({ id, health }) => [id, health]),
    );
  return { ...database, clock, open, registry, api: registry.registrations, healths };
}

/** How many rows there are. */
export const rowCount = (db: DatabaseSync, table: "registered_services" | "registered_instances"): number =>
  Number(db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.["n"]);
