import { describe, expect, test } from "vitest";
import { createSignal } from "../../src/base/signal.ts";
import { combineRuleSets, followRuleSets } from "../../src/config/combine-rule-sets.ts";
import { directoryJournal } from "../../src/config/directory-journal.ts";
import { loadRuleSet } from "../../src/config/load.ts";
import { emptyRuleSet, type RuleSet } from "../../src/config/rule-set.ts";
import { key } from "./store-support.ts";
import { file, findings, rulesOf, virtualService } from "./support.ts";

const combined = (...sources: readonly RuleSet[]) => combineRuleSets(emptyRuleSet, sources);
const broken = (name: string) => virtualService(name).replace(/spec:[\s\S]*/, "spec: {hosts: 7}\n");
const names = (ruleSet: RuleSet) =>
  [...ruleSet.rules.values()].map(({ name, spec }) => `${name} ${"hosts" in spec && spec.hosts}`);

describe("a key belongs to the first source that has it", () => {
  const own = rulesOf(
    `${virtualService("a", { host: "own" })}---\n${virtualService("b", { host: "own" })}`,
    "own.yaml",
  );

  test("valid or refused there, it is refused in the later one", () => {
    const valid = combined(rulesOf(virtualService("a", { host: "theirs" }), "dir.yaml"), own);
    expect(names(valid)).toEqual(["a theirs", "b own"]);
    expect(findings(valid)).toEqual([
      "own.yaml:3:18 error rule/managed-elsewhere /metadata/name VirtualService/default/a is managed elsewhere, in dir.yaml:1; that document counts. " +
        "Change the rule there, and delete this one; or remove it there, then this one counts.",
    ]);
    expect(valid.documents.map(({ name, verdict }) => `${name} ${verdict}`)).toEqual([
      "a valid",
      "a refused",
      "b valid",
    ]);
    expect(valid.locate(key("a"), "").file).toBe("dir.yaml");
    expect(valid.locate(key("b"), "").file).toBe("own.yaml");

    const refused = combined(rulesOf(broken("a"), "dir.yaml"), own);
    expect(names(refused)).toEqual(["b own"]);
    expect(refused.locate(key("a"), "/spec")).toEqual({ pointer: "/spec" });
  });

  test("a rule that stays in force although its file cannot be read keeps its key", () => {
    const before = rulesOf(virtualService("a", { host: "theirs" }), "dir.yaml");
    const unread = loadRuleSet(before, [{ kind: "problem", file: "dir.yaml", problem: "unreadable", message: "no" }]);
    expect(names(combined(unread, own))).toEqual(["a theirs", "b own"]);
  });
});

test("the same sources give the same object; what did not change is the same in the next one", () => {
  const dir = rulesOf(`${virtualService("a")}---\n${virtualService("c")}`, "dir.yaml");
  const own = rulesOf(`${virtualService("a")}---\n${virtualService("b")}`, "own.yaml");
  const first = combineRuleSets(emptyRuleSet, [dir, own]);
  expect(combineRuleSets(first, [dir, own])).toBe(first);
  expect([...first.rules.keys()]).toEqual([key("a"), key("b"), key("c")]);

  const changed = loadRuleSet(own, [
    file("own.yaml", `${virtualService("a")}---\n${virtualService("b", { host: "x" })}`),
  ]);
  const second = combineRuleSets(first, [dir, changed]);
  expect(second.revision).toBe(first.revision + 1);
  expect(second.rules.get(key("a"))).toBe(first.rules.get(key("a")));
  expect(second.documents[2]).toBe(first.documents[2]);
  expect(second.documents[2]?.verdict).toBe("refused");

  const alone = combineRuleSets(second, [emptyRuleSet, changed]);
  expect(alone.revision).toBe(second.revision + 1);
  expect([...alone.rules.values()]).toEqual([...changed.rules.values()]);
});

test("follows its sources until it is closed", () => {
  const [dir, own] = [createSignal(emptyRuleSet), createSignal(rulesOf(virtualService("a")))];
  const { ruleSet, close } = followRuleSets([dir, own]);
  const heard: number[] = [];
  ruleSet.subscribe(({ rules }) => heard.push(rules.size));
  dir.set(rulesOf(virtualService("b"), "dir.yaml"));
  own.set(emptyRuleSet);
  close();
  dir.set(emptyRuleSet);
  expect(heard).toEqual([2, 1]);
});

describe("what a directory's rules are written down as", () => {
  test("the document of each rule in force, as JSON, with its place", () => {
    const text = `${virtualService("a").replace("{name", "{labels: {team: x}, name")}---\n${broken("b")}`;
    const [put, ...none] = directoryJournal(rulesOf(text, "dir.yaml"));
    expect(none).toEqual([]);
    expect(put).toMatchObject({ kind: "VirtualService", namespace: "default", name: "a", labels: { team: "x" } });
    expect(put).toMatchObject({ format: "json", source: { file: "dir.yaml", line: 1 }, text: put?.json });
    expect(JSON.parse(put?.json ?? "")).toMatchObject({ apiVersion: "networking.istio.io/v1", spec: { hosts: ["a"] } });
  });

  test("of a rule that is held, the version that is in force; of a changed annotation, the new one", () => {
    const first = rulesOf(virtualService("a"), "dir.yaml");
    const held = loadRuleSet(first, [file("dir.yaml", broken("a"))]);
    expect(directoryJournal(held)).toEqual(directoryJournal(first));
    const noted = virtualService("a").replace("{name", "{annotations: {note: new}, name");
    const next = loadRuleSet(first, [file("dir.yaml", noted)]);
    expect(next.rules).toBe(first.rules);
    expect(directoryJournal(next)[0]?.json).toContain("note");
  });
});
