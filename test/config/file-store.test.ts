import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { createLog } from "../../src/base/log.ts";
import { type FileStore, openFileStore, readRules } from "../../src/config/file-store.ts";
import type { RuleSet } from "../../src/config/rule-set.ts";
import { virtualService } from "./support.ts";

let root: string;
let stores: FileStore[];
let logged: string[];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "fairway-rules-"));
  stores = [];
  logged = [];
});

afterEach(async () => {
  await Promise.all(stores.map((store) => store.close()));
  await rm(root, { recursive: true, force: true });
});

const at = (...parts: readonly string[]) => join(root, ...parts);
const a = virtualService("a");
const b = virtualService("b");
const brokenA = virtualService("a", { extra: "timeout: 1s" });
const names = (rules: RuleSet) => [...rules.rules.values()].map(({ name }) => name).join("");

async function open(...paths: readonly string[]): Promise<FileStore> {
  const log = createLog({ level: "info", format: "json", write: (text) => logged.push(text) });
  const store = await openFileStore({ paths, log, clock: systemClock });
  stores.push(store);
  return store;
}

/** The first rule set from now on for which the condition holds. */
function until(store: FileStore, condition: (rules: RuleSet) => boolean): Promise<RuleSet> {
  return new Promise((resolve, reject) => {
    const give = (rules: RuleSet) => {
      if (!condition(rules)) return;
      stop();
      cancel();
      resolve(rules);
    };
    const stop = store.ruleSet.subscribe(give);
    const cancel = systemClock.after(10_000, () => {
      stop();
      reject(new Error(`waited for too long; the rules are ${names(store.ruleSet.value)}`));
    });
    give(store.ruleSet.value);
  });
}

describe("reading once", () => {
  test("files and directories with what is below them", async () => {
    await mkdir(at("rules", "deep"), { recursive: true });
    await writeFile(at("rules", "deep", "b.yml"), b);
    await writeFile(
      at("rules", "c.json"),
      JSON.stringify({
        apiVersion: "networking.istio.io/v1",
        kind: "DestinationRule",
        metadata: { name: "c" },
        spec: { host: "c" },
      }),
    );
    await writeFile(at("rules", "notes.txt"), "not a rule");
    await writeFile(at("rules", ".hidden.yaml"), "not a rule");
    await writeFile(at("a.rule"), a);
    const rules = await readRules([at("rules"), at("a.rule")]);
    expect(rules.documents.map(({ file, verdict }) => `${verdict} ${file}`)).toEqual([
      `valid ${at("rules", "c.json")}`,
      `valid ${at("rules", "deep", "b.yml")}`,
      `valid ${at("a.rule")}`,
    ]);
    expect([...rules.rules.keys()]).toEqual([
      "DestinationRule/default/c",
      "VirtualService/default/a",
      "VirtualService/default/b",
    ]);
  });

  test("what cannot be read is a finding", async () => {
    await writeFile(at("large.yaml"), `#${" ".repeat(4 * 1024 * 1024)}`);
    await writeFile(at("binary.yaml"), Buffer.from([0x80, 0xff]));
    const rules = await readRules([at("large.yaml"), at("binary.yaml"), at("missing.yaml")]);
    expect(rules.documents.flatMap(({ findings }) => findings)).toEqual([
      {
        severity: "error",
        code: "text/too-large",
        pointer: "",
        file: at("large.yaml"),
        message: "It is larger than 4194304 bytes.",
        hint: "Split it into several files.",
      },
      {
        severity: "error",
        code: "text/unreadable",
        pointer: "",
        file: at("binary.yaml"),
        message: "It is not UTF-8 text.",
        hint: "Save it as UTF-8.",
      },
      {
        severity: "error",
        code: "text/unreadable",
        pointer: "",
        file: at("missing.yaml"),
        message: "There is no file or directory missing.yaml here.",
        hint: "Create it, or leave the path out; to take rules out of force, empty the file instead.",
      },
    ]);
  });
});

describe("watching", () => {
  test("a rule that is written, changed, broken, repaired and removed", async () => {
    await writeFile(at("a.yaml"), a);
    const store = await open(root);
    expect(names(store.ruleSet.value)).toBe("a");
    await writeFile(at("b.yaml"), b);
    expect(names(await until(store, (rules) => rules.rules.size === 2))).toBe("ab");
    await writeFile(at("a.yaml"), brokenA);
    const broken = await until(store, ({ documents }) => documents[0]?.verdict === "refused");
    expect(names(broken)).toBe("ab");
    await writeFile(at("a.yaml"), "{");
    expect(names(await until(store, ({ documents }) => documents[0]?.findings[0]?.code === "text/invalid-yaml"))).toBe(
      "ab",
    );
    await writeFile(at("a.yaml"), a);
    const repaired = await until(store, ({ documents }) => documents[0]?.verdict === "valid");
    expect(repaired.rules).toBe(broken.rules);
    await rm(at("a.yaml"));
    expect(names(await until(store, (rules) => rules.rules.size === 1))).toBe("b");
    expect(logged.filter((line) => line.includes("rules read"))).toHaveLength(6);
  });

  test("editors that replace a file, or truncate it first", async () => {
    await writeFile(at("a.yaml"), a);
    const store = await open(at("a.yaml"));
    const seen: string[] = [];
    store.ruleSet.subscribe((rules) => seen.push(names(rules)));
    await writeFile(at("next"), `${a}---\n${b}`);
    await rename(at("next"), at("a.yaml"));
    await until(store, (rules) => rules.rules.size === 2);
    await writeFile(at("a.yaml"), "");
    await writeFile(at("a.yaml"), a);
    await until(store, (rules) => rules.rules.size === 1);
    expect(seen).toEqual(["ab", "a"]);
  });

  test("a named file keeps its rules while it is away", async () => {
    await writeFile(at("a.yaml"), a);
    const store = await open(at("a.yaml"));
    await rm(at("a.yaml"));
    const away = await until(store, ({ documents }) => documents[0]?.findings[0]?.code === "text/unreadable");
    expect(names(away)).toBe("a");
    await writeFile(at("a.yaml"), b);
    expect(names(await until(store, (rules) => names(rules) !== "a"))).toBe("b");
  });

  test("a directory that is there later", async () => {
    const store = await open(at("later"));
    expect(store.ruleSet.value.documents).toMatchObject([{ verdict: "refused" }]);
    await mkdir(at("later"));
    await writeFile(at("later", "a.yaml"), a);
    expect(names(await until(store, (rules) => rules.rules.size === 1))).toBe("a");
  });

  test("volumes of Kubernetes, which swap a hidden link", async () => {
    for (const [version, text] of [
      ["..1", a],
      ["..2", b],
    ] as const) {
      await mkdir(at(version));
      await writeFile(at(version, "rules.yaml"), text);
    }
    await symlink("..1", at("..data"));
    await symlink("..data/rules.yaml", at("rules.yaml"));
    const store = await open(root);
    expect(names(store.ruleSet.value)).toBe("a");
    await symlink("..2", at("..next"));
    await rename(at("..next"), at("..data"));
    await rm(at("..1"), { recursive: true });
    expect(names(await until(store, (rules) => names(rules) !== "a"))).toBe("b");
  });

  test("no news after it was closed", async () => {
    const store = await open(root);
    await store.close();
    const seen: RuleSet[] = [];
    store.ruleSet.subscribe((rules) => seen.push(rules));
    const other = await open(root);
    await writeFile(at("a.yaml"), a);
    await until(other, (rules) => rules.rules.size === 1);
    expect(seen).toEqual([]);
  });
});
