import { expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { openRestRegistry } from "../../src/registry/rest/rest-registry.ts";
import { describeRegistry, instance, type RegistryLab, type Truth } from "./conformance.ts";
import { createLeaseDatabase, createRestLab, host, ports, rowCount, silentLog } from "./rest-lab.ts";

/** Clients register what is true; the other side that may go away is the database. */
async function createRestRegistryLab(): Promise<RegistryLab> {
  const { db, call, state } = createLeaseDatabase();
  const open = () => openRestRegistry({ call, clock: systemClock, log: silentLog, retryMs: 10 });
  let source = await open();
  /** All in one breath, so that it becomes true at once. */
  const publishTo = async ({ registrations: api }: typeof source, truth: Truth): Promise<void> => {
    const writes: Promise<unknown>[] = [];
    for (const [name, service] of Object.entries(truth)) {
      const list = Object.entries(service.ports).map(([port, part]) => ({ name: port, ...part }));
      writes.push(api.putService(name, { ports: list }, "lab"));
      const gone = (api.instances(name) ?? []).filter(({ id }) => service.instances[id] === undefined);
      const instances = Object.entries(service.instances).map(([id, item]) => ({ id, ...item }));
      writes.push(...gone.map(({ id }) => api.deleteInstance(name, id, "lab")));
      writes.push(api.putInstances(name, { instances }, "lab"));
    }
    const gone = api.services().filter(({ host: name }) => truth[name] === undefined);
    writes.push(...gone.map(({ host: name }) => api.deleteService(name, "lab", { cascade: true })));
    await Promise.all(writes);
  };
  const publish = async (truth: Truth): Promise<void> => {
    await publishTo(source, truth).catch(async () => {
      const other = await open();
      await publishTo(other, truth);
      await other.close();
    });
  };
  const restartSource = async () => {
    await source.close();
    source = await open();
  };
  return {
    source: () => source,
    publish: async (truth) => {
      await publish(truth);
      await source.registrations.deleteService("broken", "lab").catch(() => {});
    },
    publishBroken: async (truth) => {
      await publish(truth);
      db.exec("INSERT INTO registered_services (host, data) VALUES ('broken', '{}')");
      await restartSource();
    },
    stop: async () => {
      state.failing = true;
      await source.registrations.putService("other", { ports }, "lab").catch(() => {});
    },
    start: async () => {
      state.failing = false;
    },
    restartSource,
    close: () => source.close(),
  };
}

describeRegistry("rest", createRestRegistryLab);

test("rows that cannot be read are named and kept, until they are registered again or deleted", async () => {
  const { api, db, open, registry } = await createRestLab();
  await api.putInstance(host, "a", instance(1), "ci");
  await api.putInstance(host, "b", instance(2), "ci");
  await registry.close();
  db.exec("UPDATE registered_instances SET data = '{' WHERE id = 'a'");
  db.exec(`INSERT INTO registered_services (host, data) VALUES ('old', '{"ports":[]}'), ('older', '{"ports":[]}')`);
  db.exec("INSERT INTO registered_instances (host, id, data) VALUES ('old', 'x', '{}'), ('older', 'x', '{}')");
  const again = await open();
  expect(again.health.value.state).toBe("LIVE");
  expect(again.health.value.problems.map(({ message }) => message)).toEqual([
    "The registration of the service old cannot be read: /namespace The field namespace is missing. /ports Expected at least 1 item, found 0. /external The field external is missing. /registered The field registered is missing.",
    expect.stringContaining("service older"),
    `The registration of the instance a of ${host} cannot be read: It is not JSON.`,
  ]);
  expect(again.registrations.instances(host)?.map(({ id }) => id)).toEqual(["b"]);
  expect(rowCount(db, "registered_services")).toBe(3);
  await again.registrations.putService("old", { ports }, "ci");
  const gone = { kind: "done", created: false, value: undefined };
  expect(await again.registrations.deleteService("older", "ci")).toEqual(gone);
  expect(await again.registrations.deleteInstance(host, "a", "ci")).toEqual(gone);
  expect(again.health.value.problems).toEqual([]);
  expect([rowCount(db, "registered_services"), rowCount(db, "registered_instances")]).toEqual([2, 1]);
});

test("while nothing can be read, nothing is answered", async () => {
  const { open, state, clock, registry } = await createRestLab({ retryMs: 1_000 });
  await registry.close();
  state.failing = true;
  const again = await open();
  expect(again.catalog.value).toBeUndefined();
  expect(() => again.registrations.services()).toThrow("The disk is full.");
  expect(() => again.registrations.heartbeat(host, "a", {})).toThrow("The disk is full.");
  await expect(again.registrations.putService("x", { ports }, "ci")).rejects.toMatchObject({ code: "store/full" });
  state.failing = false;
  clock.advance(1_000);
  await new Promise(setImmediate);
  expect(again.registrations.services()).toHaveLength(1);
  expect(again.health.value).toMatchObject({ state: "LIVE", problems: [] });
});
