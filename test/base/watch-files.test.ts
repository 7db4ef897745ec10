import { appendFile, mkdir, mkdtemp, rename, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Clock, systemClock } from "../../src/base/clock.ts";
import { createLog } from "../../src/base/log.ts";
import { readFiles } from "../../src/base/read-files.ts";
import { type FileWatch, watchFiles } from "../../src/base/watch-files.ts";

const log = createLog({ level: "silent", format: "json", write: () => {} });
let dir: string;
let watch: FileWatch | undefined;
/** What the reader saw at each report. */
let seen: string[];
/** How often the watcher has gone to rest. */
let rests: number;
const clock: Clock = {
  ...systemClock,
  after: (delayMs, task) => {
    rests++;
    return systemClock.after(delayMs, task);
  },
};

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "fairway-watch-"));
  seen = [];
  rests = 0;
});
afterEach(async () => {
  await watch?.close();
  watch = undefined;
  await rm(dir, { recursive: true, force: true });
});

async function start(...paths: string[]): Promise<void> {
  watch = await watchFiles({
    paths: paths.map((path) => join(dir, path)),
    clock,
    log,
    onChange: () => void watch?.read().then((files) => seen.push(textOf(files))),
  });
}

const textOf = (files: Awaited<ReturnType<FileWatch["read"]>>): string =>
  files.map((f) => `${f.file.slice(dir.length + 1)}=${f.kind === "text" ? f.text : `!${f.problem}`}`).join(" ");

const sees = (text: string) => vi.waitFor(() => expect(seen.at(-1)).toBe(text), { timeout: 5_000, interval: 10 });

describe("a watched file", () => {
  beforeEach(async () => {
    await writeFile(join(dir, "a.yaml"), "one");
    await start("a.yaml");
  });

  test("written in place", async () => {
    await writeFile(join(dir, "a.yaml"), "two");
    await sees("a.yaml=two");
  });

  test("replaced by rename, twice", async () => {
    for (const text of ["two", "three"]) {
      await writeFile(join(dir, ".a.swp"), text);
      await rename(join(dir, ".a.swp"), join(dir, "a.yaml"));
      await sees(`a.yaml=${text}`);
    }
  });

  test("truncated and then written shows only the end", async () => {
    const restsBefore = rests;
    await truncate(join(dir, "a.yaml"));
    await vi.waitFor(() => expect(rests).toBeGreaterThan(restsBefore + 1), { timeout: 5_000, interval: 5 });
    await appendFile(join(dir, "a.yaml"), "two");
    await sees("a.yaml=two");
    expect(seen).toEqual(["a.yaml=two"]);
  });

  test("deleted and created again shows only the end", async () => {
    await rm(join(dir, "a.yaml"));
    await writeFile(join(dir, "a.yaml"), "two");
    await sees("a.yaml=two");
    expect(seen).toEqual(["a.yaml=two"]);
  });

  test("deleted for good", async () => {
    await rm(join(dir, "a.yaml"));
    await sees("a.yaml=!missing");
  });

  test("its whole directory replaced", async () => {
    await rm(dir, { recursive: true });
    await mkdir(dir);
    await writeFile(join(dir, "a.yaml"), "two");
    await sees("a.yaml=two");
    await writeFile(join(dir, "a.yaml"), "three");
    await sees("a.yaml=three");
  });
});

test("a directory: files appear, change and go, also in new directories below", async () => {
  await start(".");
  await writeFile(join(dir, "b.yaml"), "b");
  await sees("b.yaml=b");
  await mkdir(join(dir, "sub"));
  await writeFile(join(dir, "sub", "a.json"), "a");
  await sees("b.yaml=b sub/a.json=a");
  await writeFile(join(dir, "sub", "a.json"), "A");
  await sees("b.yaml=b sub/a.json=A");
  await rm(join(dir, "b.yaml"));
  await sees("sub/a.json=A");
});

test("files of other names are silent", async () => {
  await writeFile(join(dir, "a.yaml"), "one");
  await start(".");
  await writeFile(join(dir, "notes.txt"), "x");
  await writeFile(join(dir, "a.yaml"), "two");
  await sees("a.yaml=two");
  expect(seen).toEqual(["a.yaml=two"]);
});

test("a mounted ConfigMap: the link to the data directory is swapped", async () => {
  for (const [version, text] of [
    ["..v1", "one"],
    ["..v2", "two"],
  ] as const) {
    await mkdir(join(dir, version));
    await writeFile(join(dir, version, "a.yaml"), text);
  }
  await symlink("..v1", join(dir, "..data"));
  await symlink("..data/a.yaml", join(dir, "a.yaml"));
  await start(".");
  await symlink("..v2", join(dir, "..tmp"));
  await rename(join(dir, "..tmp"), join(dir, "..data"));
  await sees("a.yaml=two");
});

test("a path that is not there yet is waited for", async () => {
  await start("later.yaml");
  expect(textOf((await watch?.read()) ?? [])).toBe("later.yaml=!missing");
  await writeFile(join(dir, "later.yaml"), "here");
  await sees("later.yaml=here");
});

describe("readFiles", () => {
  const read = async (limits?: { maxFileBytes: number; maxFiles: number }, ...paths: string[]) =>
    textOf(await readFiles({ paths: paths.map((path) => join(dir, path)), ...(limits && { limits }) }));

  test("keeps the order of the paths, then of the names; takes a file once; leaves hidden and other files out", async () => {
    await mkdir(join(dir, "d"));
    for (const name of ["z.yaml", "d/b.yml", "d/a.json", "d/.hidden.yaml", "d/readme.md"]) {
      await writeFile(join(dir, name), "x");
    }
    expect(await read(undefined, "z.yaml", "d", "d/b.yml")).toBe("z.yaml=x d/a.json=x d/b.yml=x");
  });

  test("a file named by itself is taken whatever its name", async () => {
    await writeFile(join(dir, "rules.txt"), "x");
    expect(await read(undefined, "rules.txt")).toBe("rules.txt=x");
  });

  test("names what it cannot take", async () => {
    await writeFile(join(dir, "large.yaml"), "12345");
    await writeFile(join(dir, "binary.yaml"), new Uint8Array([0x66, 0xff, 0xfe]));
    await writeFile(join(dir, "ok.yaml"), "1234");
    await symlink("nowhere", join(dir, "dangling.yaml"));
    const limits = { maxFileBytes: 4, maxFiles: 3 };
    expect(await read(limits, ".", "missing.yaml")).toBe(
      "binary.yaml=!not-text large.yaml=!too-large ok.yaml=1234 missing.yaml=!missing",
    );
    expect(await read({ ...limits, maxFiles: 2 }, ".")).toBe(
      "binary.yaml=!not-text large.yaml=!too-large ok.yaml=!too-many",
    );
  });

  test("a loop of links ends", async () => {
    await mkdir(join(dir, "d"));
    await writeFile(join(dir, "d", "a.yaml"), "x");
    await symlink("..", join(dir, "d", "up"));
    const files = await readFiles({ paths: [dir] });
    expect(textOf(files)).toBe("d/a.yaml=x");
  });
});
