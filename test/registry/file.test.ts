import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { systemClock } from "../../src/base/clock.ts";
import { createLog } from "../../src/base/log.ts";
import { createFileRegistry, readCatalog } from "../../src/registry/file.ts";
import { describeRegistry, instance, type RegistryLab, type Truth } from "./conformance.ts";

const log = createLog({ level: "silent", format: "json", write: () => {} });

const yamlOf = (truth: Truth): string =>
  stringify({
    services: Object.entries(truth).map(([host, { ports, instances }]) => ({
      host,
      ports: Object.entries(ports).map(([name, port]) => ({ name, ...port })),
      instances: Object.entries(instances).map(([id, item]) => ({ id, ...item })),
    })),
  });

async function createFileLab(): Promise<RegistryLab> {
  const dir = await mkdtemp(join(tmpdir(), "fairway-registry-"));
  const path = join(dir, "catalog.yaml");
  const away = join(dir, "catalog.away");
  const open = () => createFileRegistry({ paths: [path], domain: "cluster.local", clock: systemClock, log });
  await writeFile(path, "services: []\n");
  let source = await open();
  return {
    source: () => source,
    publish: (truth) => writeFile(path, yamlOf(truth)),
    publishBroken: (truth) =>
      writeFile(
        path,
        `${yamlOf({ ...truth, "extra.shop.svc.cluster.local": { ports: {}, instances: { x: instance(9) } } })}`,
      ),
    stop: () => rename(path, away),
    start: () => rename(away, path),
    restartSource: async () => {
      await source.close();
      source = await open();
    },
    close: async () => {
      await source.close();
      await rm(dir, { recursive: true });
    },
  };
}

describeRegistry("file", createFileLab);

test("problems of all files at once, each at its place; nothing of the good file is taken alone", async () => {
  const dir = await mkdtemp(join(tmpdir(), "fairway-registry-"));
  try {
    await writeFile(
      join(dir, "a.yaml"),
      "services:\n  - host: a.shop.svc.cluster.local\n    ports: [{ name: http, number: 80 }]\n",
    );
    await writeFile(
      join(dir, "b.json"),
      '{ "services": [{ "host": "b", "ports": [{ "name": "http", "number": 0 }], "extenal": true }] }',
    );
    await writeFile(
      join(dir, "c.yaml"),
      "services:\n  - host: a.shop.svc.cluster.local\n    ports: [{ name: http, number: 80 }]\n",
    );
    await writeFile(join(dir, "d.yaml"), "services: [\n");
    await writeFile(join(dir, "e.yaml"), "# nothing yet\n");
    const result = await readCatalog([dir, join(dir, "missing.yaml")], { domain: "cluster.local" });
    if (result.ok) expect.fail("problems expected");
    const told = result.problems.map(
      ({ file = "", line, column, message }) => `${file.slice(dir.length + 1)}:${line}:${column} ${message}`,
    );
    expect(told).toEqual([
      "b.json:1:69 Expected a whole number from 1 to 65535, found 0.",
      'b.json:1:75 There is no field "extenal".',
      `c.yaml:2:5 The service a.shop.svc.cluster.local of namespace shop is there already, in ${dir}/a.yaml:2.`,
      expect.stringMatching(/^d\.yaml:1:11 The YAML is broken: /),
      "e.yaml:undefined:undefined The file is empty.",
      "missing.yaml:undefined:undefined There is no file or directory missing.yaml here.",
    ]);
  } finally {
    await rm(dir, { recursive: true });
  }
});
