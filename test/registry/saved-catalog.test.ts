import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { createLog } from "../../src/base/log.ts";
import { createSignal } from "../../src/base/signal.ts";
import { type Catalog, createCatalog } from "../../src/model/catalog.ts";
import type { Instance } from "../../src/model/instance.ts";
import type { Service } from "../../src/model/service.ts";
import type { GuardedRegistry } from "../../src/registry/guard/guarded.ts";
import { savedText } from "../../src/registry/saved/format.ts";
import { openSavedCatalog } from "../../src/registry/saved/saved-catalog.ts";
import type { RegistryHealth } from "../../src/registry/source.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { host, instance, service } from "../support/mesh.ts";

/* Whoever adds a field to these: would a catalog that was saved without it be misread, or lack it? Then the format has a new version. */

const everyInstance: Required<Instance> = {
  ...instance("a-1"),
  otherAddresses: ["fd00::1"],
  ports: { http: 8080 },
  lacks: ["admin"],
  labels: { app: "ä\n\u2028" },
  health: "draining",
  node: "node-1",
  serviceAccount: "default",
  network: "n1",
  hostname: "a-1",
};

const everyService: Required<Service> = {
  ...service("a").service,
  addresses: ["10.96.0.1"],
  aliasOf: host("b.example"),
  visibleIn: ["shop"],
  distribution: "same-node",
  externalAddresses: ["192.0.2.1"],
  nodePorts: { http: 30_080 },
};

const full: Catalog = createCatalog([
  { service: everyService, instances: [everyInstance, instance("a-2")] },
  service("empty"),
]);

const big = (count: number): Catalog =>
  createCatalog(
    Array.from({ length: count / 10 }, (_, s) =>
      service(
        `s${s}`,
        Array.from({ length: 10 }, (_, i) => instance(`i${i}`)),
      ),
    ),
  );

const owner = { registry: "kubernetes", place: "https://cluster" };
const startMs = Date.parse("2026-11-23T08:00:00Z");

function lab(catalogNow: Catalog | undefined = full) {
  const folder = join(mkdtempSync(join(tmpdir(), "saved-")), "catalogs");
  onTestFinished(() => rmSync(join(folder, ".."), { recursive: true, force: true }));
  const clock = createFakeClock(startMs);
  const lines: string[] = [];
  const log = createLog({ level: "info", format: "json", write: (line) => lines.push(line) });
  const catalog = createSignal<Catalog | undefined>(catalogNow);
  const health = createSignal<RegistryHealth>({ state: "LIVE", since: startMs, problems: [] });
  const closed: string[] = [];
  const registry: GuardedRegistry = {
    ...{ name: "kubernetes", catalog, health },
    hold: () => {},
    release: () => {},
    close: async () => void closed.push("closed"),
  };
  const open = (by = owner) => openSavedCatalog({ folder, owner: by, clock, log });
  const files = () => readdirSync(folder);
  const fileOf = () => join(folder, files().find((name) => name.endsWith(".jsonl")) ?? expect.fail("no file"));
  const text = () => readFileSync(fileOf(), "utf8");
  return { folder, clock, lines, catalog, health, closed, registry, open, files, fileOf, text };
}

test("what is kept is found again, whole; for nobody else to read", async () => {
  const { open, registry, closed, files, folder, fileOf, clock } = lab();
  const { lastGood, keep } = await open();
  expect(lastGood).toBeUndefined();
  clock.advance(1_000);
  await keep(registry).close();
  expect(closed).toEqual(["closed"]);
  expect([statSync(folder).mode & 0o777, statSync(fileOf()).mode & 0o777]).toEqual([0o700, 0o600]);
  const again = (await open()).lastGood ?? expect.fail("nothing was found");
  expect(again.savedAt).toBe(startMs + 1_000);
  expect([...again.catalog.services]).toEqual([...full.services]);
  expect([...again.catalog.instances]).toEqual([...full.instances]);
  expect(files()).toHaveLength(1);
});

test("changes are written together, some time after the first of them; what did not change is not", async () => {
  const { open, registry, catalog, clock, files, text } = lab(undefined);
  const kept = (await open()).keep(registry);
  clock.advance(60_000);
  expect(files()).toEqual([]);
  catalog.set(big(10));
  clock.advance(1_000);
  catalog.set(full);
  clock.advance(1_000);
  await vi.waitFor(() => expect(text()).toContain("a-2"));
  catalog.set(big(10));
  catalog.set(full);
  const before = text();
  clock.advance(60_000);
  await kept.close();
  // Only the end has another time to tell.
  expect(text().split("\n").slice(1, -2)).toEqual(before.split("\n").slice(1, -2));
});

test("a hold is kept; and in an outage the time of which the catalog is", async () => {
  const { open, registry, health, clock } = lab();
  health.set({ state: "OUTAGE", since: 5, problems: [], asOf: 5, hold: { by: "anna", since: 4 } });
  const { keep } = await open();
  clock.advance(3_600_000);
  await keep(registry).close();
  expect((await open()).lastGood).toMatchObject({ savedAt: 5, hold: { by: "anna", since: 4 } });
});

test("what was saved of another place is not there", async () => {
  const { open, registry, files } = lab();
  await (await open()).keep(registry).close();
  const other = { ...owner, place: "https://other" };
  const { lastGood, keep } = await open(other);
  expect(lastGood).toBeUndefined();
  await keep(registry).close();
  expect(files()).toHaveLength(2);
  expect((await open()).lastGood).toBeDefined();
});

test.each<[string, (text: string) => string, string]>([
  ["cut off", (text) => text.slice(0, 200), "It is not as it was written."],
  ["changed by hand", (text) => text.replace("10.0.0.1", "10.0.0.2"), "It is not as it was written."],
  ["empty", () => "", "It is not as it was written."],
  ["something else", () => "services: []\n", "It is not as it was written."],
  [
    "of another registry",
    () => [...savedText({ registry: "file", place: "x" }, { catalog: full, savedAt: 1 })].join(""),
    "It is of the registry file at x.",
  ],
])("a file that is %s: told, ignored, and kept under another name", async (_what, change, reason) => {
  const { open, registry, fileOf, text, files, lines, folder } = lab();
  await (await open()).keep(registry).close();
  const changed = change(text());
  writeFileSync(fileOf(), changed);
  const { lastGood, keep } = await open();
  expect(lastGood).toBeUndefined();
  expect(JSON.parse(lines.at(-1) ?? "{}")).toMatchObject({ level: "error", reason: `Error: ${reason}` });
  await keep(registry).close();
  const set = files().find((name) => name.includes("unreadable")) ?? expect.fail("it is gone");
  expect(readFileSync(join(folder, set), "utf8")).toBe(changed);
  expect((await open()).lastGood).toBeDefined();
});

test("a folder that cannot be written to costs nothing but a line of the log; what was killed while it wrote leaves nothing", async () => {
  const { open, registry, folder, files, lines, closed } = lab();
  const { keep } = await open();
  const kept = keep({ ...registry });
  rmSync(folder, { recursive: true });
  await kept.close();
  expect(JSON.parse(lines.at(-1) ?? "{}")).toMatchObject({
    level: "error",
    msg: expect.stringContaining("cannot be saved"),
  });
  expect(closed).toEqual(["closed"]);
  const again = await open();
  await again.keep(registry).close();
  const [name = ""] = files();
  writeFileSync(join(folder, `.${name}.0815`), "half");
  chmodSync(join(folder, `.${name}.0815`), 0o600);
  await open();
  expect(files()).toEqual([name]);
});

test("a folder that cannot be made costs nothing but a line of the log either", async () => {
  const { open, registry, folder, lines } = lab();
  writeFileSync(folder, "a file");
  const { lastGood, keep } = await open();
  expect([lastGood, keep(registry)]).toEqual([undefined, registry]);
  expect(lines).toHaveLength(1);
});

test("the text is made in parts, that others are not kept waiting", () => {
  const parts = [...savedText(owner, { catalog: big(10_000), savedAt: 1 })];
  expect(parts.length).toBeGreaterThan(15);
  expect(Math.max(...parts.map(({ length }) => length))).toBeLessThan(300_000);
});
