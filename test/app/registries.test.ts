import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { RegistryView } from "../../src/api/types/registries.ts";
import { type ControlPlane, startControlPlane } from "../../src/app/control-plane.ts";
import { createLog } from "../../src/base/log.ts";
import { parseHostname } from "../../src/model/hostname.ts";
import { defaultMeshSettings } from "../../src/model/mesh-settings.ts";
import { waitFor } from "../support/wait-for.ts";

/* Registries as operators see them, around a whole control plane. */

const host = "reviews.shop.svc.cluster.local";
const none = { host: "127.0.0.1", port: 0 };

const catalogText = (count: number): string =>
  JSON.stringify({
    services: [
      {
        host,
        ports: [{ name: "http", number: 9080 }],
        instances: Array.from({ length: count }, (_, i) => ({ address: `10.0.0.${i + 1}` })),
      },
    ],
  });

function lab() {
  const dir = mkdtempSync(join(tmpdir(), "registries-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const catalog = join(dir, "catalog.json");
  const lines: string[] = [];
  return {
    write: (text: string) => writeFileSync(catalog, text),
    lines,
    start: async (part: Partial<Parameters<typeof startControlPlane>[0]> = {}): Promise<ControlPlane> => {
      const plane = await startControlPlane({
        ...{ rules: [], catalog: [catalog], mesh: defaultMeshSettings, xds: none, api: none, metrics: none },
        store: { kind: "sqlite", folder: join(dir, "data") },
        log: createLog({ level: "warn", format: "json", write: (line) => lines.push(line) }),
        ...part,
      });
      onTestFinished(() => plane.stop());
      return plane;
    },
  };
}

const viewOf = ({ ports }: ControlPlane, name = "file"): RegistryView =>
  ports.registries.list().find((each) => each.name === name) ?? expect.fail(`no registry ${name}`);

const instancesIn = ({ world }: ControlPlane): readonly string[] =>
  [...(world.value?.catalog.instances.values() ?? [])].flat().map(({ id, registry }) => `${registry} ${id}`);

test("a tenth is left: it is held and announced everywhere, until somebody releases it", async () => {
  const { write, start, lines } = lab();
  write(catalogText(10));
  const plane = await start();
  await waitFor(() => instancesIn(plane).length === 10);
  write(catalogText(1));
  await waitFor(() => viewOf(plane).state === "SUSPECT");
  expect(viewOf(plane)).toMatchObject({
    instances: 10,
    held: { services: 1, instances: 9, items: [{ host, reason: "shrunk", held: 9, served: 10 }] },
  });
  expect(plane.ports.findings()).toMatchObject([
    { about: { kind: "Registry", name: "file" }, code: "catalog/held", severity: "warning" },
  ]);
  expect((await plane.ports.metrics()).text).toContain('fairway_registry_held_instances{registry="file"} 9');
  expect(lines.map((line) => JSON.parse(line))).toContainEqual(
    expect.objectContaining({ registry: "file", instances: 9, first: [`${host} (shrunk)`] }),
  );
  expect(instancesIn(plane)).toHaveLength(10);
  expect(plane.ports.registries.release("file", "anna")).toMatchObject({ state: "LIVE", instances: 1 });
  await waitFor(() => instancesIn(plane).length === 1);
  expect(plane.ports.findings()).toEqual([]);
});

test("what is trusted goes at once, and all of it where nothing is to be held", async () => {
  const { write, start } = lab();
  for (const registries of [
    { trustRemovals: [parseHostname("*.shop.svc.cluster.local") ?? expect.fail()] },
    { removalHold: 0 },
  ]) {
    write(catalogText(3));
    const plane = await start({ registries, store: { kind: "memory" } });
    await waitFor(() => instancesIn(plane).length === 3);
    write(catalogText(0));
    await waitFor(() => viewOf(plane).instances === 0);
    expect(viewOf(plane).state).toBe("LIVE");
    await plane.stop();
  }
});

test("a start with a broken file serves what there was, also what was held; a hold outlives restarts", async () => {
  const { write, start } = lab();
  write(catalogText(3));
  const first = await start();
  await waitFor(() => instancesIn(first).length === 3);
  first.ports.registries.hold("file", "anna");
  await first.stop();

  write("{");
  const second = await start();
  await waitFor(() => instancesIn(second).length === 3);
  expect(viewOf(second)).toMatchObject({
    state: "OUTAGE",
    hold: { by: "anna" },
    problems: [{ code: "catalog/invalid" }, { code: "catalog/outdated" }],
  });
  expect(second.ports.ready().ready).toBe(true);
  write(catalogText(1));
  await waitFor(() => viewOf(second).state === "SUSPECT");
  expect(viewOf(second)).toMatchObject({ instances: 3, held: { instances: 2, items: [{ reason: "operator" }] } });
  await second.stop();

  const third = await start();
  await waitFor(() => instancesIn(third).length === 3);
  third.ports.registries.release("file", "anna");
  await waitFor(() => instancesIn(third).length === 1);
});

test("the order of registries says whose service counts; hosts that are joined have the instances of both", async () => {
  const { write, start } = lab();
  write(catalogText(1));
  const register = async ({ ports }: ControlPlane) => {
    await ports.registrations.putService(host, { ports: [{ name: "http", number: 9090 }] }, "ci");
    await ports.registrations.putInstance(host, "r-1", { address: "10.1.0.1" }, "ci");
  };
  const plain = await start({ store: { kind: "memory" } });
  await register(plain);
  await waitFor(() => plain.ports.findings().length === 1);
  expect(instancesIn(plain)).toEqual(["file 10.0.0.1:9080"]);

  const turned = await start({
    store: { kind: "memory" },
    registries: { registryOrder: ["rest", "kubernetes", "file"] },
  });
  await register(turned);
  await waitFor(() => instancesIn(turned).join() === "rest r-1");
  expect(turned.ports.registries.list().map(({ name, precedence }) => [name, precedence])).toEqual([
    ["rest", 1],
    ["file", 2],
  ]);

  const joined = await start({
    store: { kind: "memory" },
    registries: { joinHosts: [parseHostname(host) ?? expect.fail()] },
  });
  await register(joined);
  await waitFor(() => instancesIn(joined).length === 2);
  expect(instancesIn(joined)).toEqual(["file 10.0.0.1:9080", "rest r-1"]);
  expect(joined.ports.services()[0]?.instances.map(({ registry }) => registry)).toEqual(["file", "rest"]);
});

test("what registered itself goes by its own word, were it all; but not while it is held", async () => {
  const { write, start } = lab();
  write('{ "services": [] }');
  const plane = await start({ store: { kind: "memory" } });
  const { registrations, registries } = plane.ports;
  await registrations.putService(host, { ports: [{ name: "http", number: 9090 }] }, "ci");
  for (const id of ["1", "2", "3"]) await registrations.putInstance(host, id, { address: `10.1.0.${id}` }, "ci");
  for (const id of ["1", "2"]) await registrations.deleteInstance(host, id, "ci");
  expect(viewOf(plane, "rest")).toMatchObject({ state: "LIVE", instances: 1 });
  registries.hold("rest", "anna");
  await registrations.deleteInstance(host, "3", "ci");
  expect(viewOf(plane, "rest")).toMatchObject({ state: "SUSPECT", instances: 1 });
  registries.release("rest", "anna");
  expect(viewOf(plane, "rest")).toMatchObject({ state: "LIVE", instances: 0 });
});
