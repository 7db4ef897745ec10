import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makePrivateFolder, readPrivateFile, writePrivateFile } from "../../src/base/private-file.ts";

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "fairway-private-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

const modeOf = (path: string): string => (lstatSync(path).mode & 0o777).toString(8);

describe("writePrivateFile", () => {
  test("only its owner can read it, also where a readable file stood before", async () => {
    const path = join(dir, "token");
    writeFileSync(path, "old", { mode: 0o644 });
    await writePrivateFile(path, "new");
    expect(readFileSync(path, "utf8")).toBe("new");
    expect(modeOf(path)).toBe("600");
    expect(readdirSync(dir)).toEqual(["token"]);
  });

  test("a symbolic link is replaced, and what it leads to is left alone", async () => {
    const path = join(dir, "token");
    writeFileSync(join(dir, "other"), "mine");
    symlinkSync(join(dir, "other"), path);
    await writePrivateFile(path, "secret");
    expect(readFileSync(join(dir, "other"), "utf8")).toBe("mine");
    expect(lstatSync(path).isSymbolicLink()).toBe(false);
    expect(readFileSync(path, "utf8")).toBe("secret");
  });

  test("what cannot be written leaves nothing behind", async () => {
    mkdirSync(join(dir, "token"));
    await expect(writePrivateFile(join(dir, "token"), "secret")).rejects.toThrow();
    expect(readdirSync(dir)).toEqual(["token"]);
    await expect(writePrivateFile(join(dir, "missing", "token"), "secret")).rejects.toThrow(/ENOENT/);
  });
});

describe("readPrivateFile", () => {
  test("the text; undefined when there is none", async () => {
    await writePrivateFile(join(dir, "token"), "grüße");
    expect(await readPrivateFile(join(dir, "token"), 100)).toBe("grüße");
    expect(await readPrivateFile(join(dir, "none"), 100)).toBeUndefined();
  });

  test("refuses links, folders, pipes and what is too large", async () => {
    writeFileSync(join(dir, "large"), "123456");
    symlinkSync(join(dir, "large"), join(dir, "link"));
    execFileSync("mkfifo", [join(dir, "pipe")]);
    await expect(readPrivateFile(join(dir, "link"), 100)).rejects.toThrow("is a symbolic link");
    await expect(readPrivateFile(dir, 100)).rejects.toThrow("is no plain file");
    await expect(readPrivateFile(join(dir, "pipe"), 100)).rejects.toThrow("is no plain file");
    await expect(readPrivateFile(join(dir, "large"), 5)).rejects.toThrow("is larger than 5 bytes");
    expect(await readPrivateFile(join(dir, "large"), 6)).toBe("123456");
  });
});

describe("makePrivateFolder", () => {
  test("makes it with all above it, for its owner alone", async () => {
    const path = join(dir, "a", "b");
    await makePrivateFolder(path);
    await makePrivateFolder(path);
    expect([modeOf(join(dir, "a")), modeOf(path)]).toEqual(["700", "700"]);
  });

  test("closes one that is open to others, and leaves those above it as they are", async () => {
    chmodSync(dir, 0o755);
    mkdirSync(join(dir, "a"), { mode: 0o755 });
    await makePrivateFolder(join(dir, "a"));
    expect([modeOf(dir), modeOf(join(dir, "a"))]).toEqual(["755", "700"]);
  });

  test("does not go through a symbolic link", async () => {
    mkdirSync(join(dir, "real"), { mode: 0o755 });
    symlinkSync(join(dir, "real"), join(dir, "link"));
    await expect(makePrivateFolder(join(dir, "link"))).rejects.toThrow("is a symbolic link");
    expect((statSync(join(dir, "real")).mode & 0o777).toString(8)).toBe("755");
    expect(existsSync(join(dir, "real"))).toBe(true);
  });
});
