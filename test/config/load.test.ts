import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { FileProblem, FileRead } from "../../src/base/read-files.ts";
import { loadRuleSet } from "../../src/config/load.ts";
import { ruleKey } from "../../src/config/rule.ts";
import { emptyRuleSet, type RuleSet } from "../../src/config/rule-set.ts";
import { file, findings, virtualService } from "./support.ts";

/** Reads one state of the files after the other. */
const loadAll = (...states: readonly (readonly FileRead[])[]): RuleSet => states.reduce(loadRuleSet, emptyRuleSet);

const keys = (ruleSet: RuleSet) => [...ruleSet.rules.keys()];
const verdicts = (ruleSet: RuleSet) => ruleSet.documents.map(({ verdict }) => verdict);
const hostOf = (ruleSet: RuleSet, name: string) => {
  const rule = ruleSet.rules.get(ruleKey("VirtualService", "default", name));
  return rule?.kind === "VirtualService" ? rule.spec.hosts[0] : undefined;
};
const problem = (name: string, kind: FileProblem["problem"] = "unreadable"): FileProblem => ({
  kind: "problem",
  file: name,
  problem: kind,
  message: "It cannot be read: permission denied.",
});

const a = virtualService("a");
const b = virtualService("b");
const brokenA = virtualService("a", { extra: "timeout: 1s" });

describe("the last valid version stays in force", () => {
  test("when a document has errors now", () => {
    const rules = loadAll(
      [file("x.yaml", `${a}---\n${b}`)],
      [file("x.yaml", `${brokenA}---\n${virtualService("b", { host: "c" })}`)],
    );
    expect(keys(rules)).toEqual(["VirtualService/default/a", "VirtualService/default/b"]);
    expect([hostOf(rules, "a"), hostOf(rules, "b")]).toEqual(["a", "c"]);
    expect(verdicts(rules)).toEqual(["refused", "valid"]);
  });

  test("for as long as it has errors, also where it moved to another file", () => {
    const rules = loadAll(
      [file("x.yaml", a)],
      [file("x.yaml", brokenA)],
      [file("y.yaml", brokenA)],
      [file("y.yaml", `\n${brokenA}`)],
    );
    expect(hostOf(rules, "a")).toBe("a");
    expect(rules.documents).toMatchObject([{ file: "y.yaml", line: 2, verdict: "refused" }]);
    expect(rules.locate(ruleKey("VirtualService", "default", "a"), "/spec/hosts/0")).toEqual({
      pointer: "/spec/hosts/0",
      file: "x.yaml",
      line: 5,
      column: 11,
    });
  });

  test.each([
    ["the YAML of its document is broken", `${a}  x: [\n---\n${b}`],
    ["the YAML of another document is broken, and its own is gone", `${b}---\n"\n`],
    ["its kind is misspelt", `${a.replace("kind: VirtualService", "kind: VirtualServic")}---\n${b}`],
    ["its API is misspelt", `${a.replace("istio.io", "istio")}---\n${b}`],
    ["its kind is gone", `${a.replace("kind: VirtualService\n", "")}---\n${b}`],
    ["its name is gone", `${a.replace("name: a, ", "")}---\n${b}`],
    ["its name is none", `${a.replace("name: a,", "name: A,")}---\n${b}`],
    ["all of the file is broken", "{"],
  ])("when %s", (_name, text) => {
    const rules = loadAll(
      [file("x.yaml", `${a}---\n${b}`), file("y.yaml", "")],
      [file("x.yaml", text), file("y.yaml", "")],
    );
    expect(keys(rules)).toEqual(["VirtualService/default/a", "VirtualService/default/b"]);
    expect(verdicts(rules)).toContain("refused");
  });

  test.each([
    ["cannot be read", problem("rules/x.yaml")],
    ["is too large", problem("rules/x.yaml", "too-large")],
    ["is in a directory that is missing", problem("./rules", "missing")],
    ["is among too many", problem("rules/w.yaml", "too-many")],
  ])("when its file %s", (_name, read) => {
    const rules = loadAll([file("rules/x.yaml", a), file("y.yaml", b)], [file("y.yaml", b), read]);
    expect(keys(rules)).toEqual(["VirtualService/default/a", "VirtualService/default/b"]);
    expect(rules.documents[1]).toMatchObject({
      file: read.file,
      verdict: "refused",
      findings: [{ severity: "error" }],
    });
  });

  test("but not when its document is gone", () => {
    expect(keys(loadAll([file("x.yaml", `${a}---\n${b}`)], [file("x.yaml", b)]))).toEqual(["VirtualService/default/b"]);
    expect(keys(loadAll([file("x.yaml", a)], []))).toEqual([]);
    expect(keys(loadAll([file("x.yaml", a)], [file("x.yaml", brokenA)], [file("x.yaml", "")]))).toEqual([]);
  });

  test.each([
    ["another file is broken", [file("y.yaml", "{")]],
    ["another file cannot be read", [problem("y.yaml")]],
    ["another directory is missing", [problem("rul", "missing")]],
    ["a document of another kind is in its file", [file("rules/x.yaml", "apiVersion: apps/v1\nkind: Deployment\n")]],
    [
      "a rule of a kind not carried out is in its file",
      [file("rules/x.yaml", "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\n")],
    ],
    ["another rule with errors is in its file", [file("rules/x.yaml", virtualService("c", { extra: "timeout: 1s" }))]],
  ])("and not when it is gone and %s", (_name, files) => {
    expect(keys(loadAll([file("rules/x.yaml", a)], files))).toEqual([]);
  });

  test("a new valid version replaces it", () => {
    const rules = loadAll(
      [file("x.yaml", a)],
      [file("x.yaml", brokenA)],
      [file("x.yaml", virtualService("a", { host: "c" }))],
    );
    expect(hostOf(rules, "a")).toBe("c");
    expect(verdicts(rules)).toEqual(["valid"]);
  });

  test("nothing is in force that never was valid", () => {
    expect(keys(loadAll([file("x.yaml", brokenA)]))).toEqual([]);
  });
});

describe("a key in two documents", () => {
  const other = virtualService("a", { host: "other" });

  test("the first counts, the later one is refused", () => {
    const rules = loadAll([file("x.yaml", a), file("y.yaml", `#\n${other}`)]);
    expect(hostOf(rules, "a")).toBe("a");
    expect(findings(rules)).toEqual([
      "y.yaml:4:18 error rule/duplicate-document /metadata/name VirtualService/default/a is already there, in x.yaml:1; that one counts. Remove one of the two, or give it another name.",
    ]);
    expect(verdicts(rules)).toEqual(["valid", "refused"]);
  });

  test("also when the first has errors", () => {
    const rules = loadAll([file("x.yaml", a), file("y.yaml", other)], [file("x.yaml", brokenA), file("y.yaml", other)]);
    expect(hostOf(rules, "a")).toBe("a");
    expect(verdicts(rules)).toEqual(["refused", "refused"]);
  });

  test("when the first is gone, the later one counts", () => {
    expect(hostOf(loadAll([file("x.yaml", a), file("y.yaml", other)], [file("y.yaml", other)]), "a")).toBe("other");
  });

  test("of two kinds or namespaces are two keys", () => {
    const rules = loadAll([file("x.yaml", `${a}---\n${virtualService("a", { namespace: "shop" })}`)]);
    expect(keys(rules)).toEqual(["VirtualService/default/a", "VirtualService/shop/a"]);
  });
});

describe("identity and revision", () => {
  test("nothing changed: the same rule set", () => {
    const files = [file("x.yaml", a)];
    const first = loadAll(files);
    expect(first.revision).toBe(1);
    expect(loadRuleSet(first, files)).toBe(first);
    const again = loadRuleSet(first, [file("x.yaml", a)]);
    expect([again.revision, again.rules, again.documents]).toEqual([1, first.rules, first.documents]);
    expect(again.rules).toBe(first.rules);
    expect(loadRuleSet(emptyRuleSet, [])).toBe(emptyRuleSet);
  });

  test("a document that moves within its file: another revision, the same rules, other lines", () => {
    const first = loadAll([file("x.yaml", a)]);
    const second = loadRuleSet(first, [file("x.yaml", `# moved\n${a}`)]);
    expect(second.revision).toBe(2);
    expect(second.rules).toBe(first.rules);
    expect(second.documents).toMatchObject([{ line: 2 }]);
    const key = ruleKey("VirtualService", "default", "a");
    expect(first.locate(key, "/spec/hosts/0")).toMatchObject({ line: 5, column: 11 });
    expect(second.locate(key, "/spec/hosts/0")).toMatchObject({ line: 6, column: 11 });
  });

  test("a field that moves: the same revision, the same rules, other lines", () => {
    const first = loadAll([file("x.yaml", a)]);
    const second = loadRuleSet(first, [file("x.yaml", a.replace("spec:", "spec: # what it says\n"))]);
    expect([second.revision, second.rules === first.rules]).toEqual([1, true]);
    expect(second.locate(ruleKey("VirtualService", "default", "a"), "/spec/hosts/0")).toMatchObject({ line: 6 });
  });

  test("one rule of two changes: the other is the same object", () => {
    const first = loadAll([file("x.yaml", `${a}---\n${b}`)]);
    const second = loadRuleSet(first, [file("x.yaml", `${virtualService("a", { host: "c" })}---\n${b}`)]);
    const key = ruleKey("VirtualService", "default", "b");
    expect(second.revision).toBe(2);
    expect(second.rules).not.toBe(first.rules);
    expect(second.rules.get(key)).toBe(first.rules.get(key));
  });

  test("a finding alone is a new revision", () => {
    expect(loadAll([file("x.yaml", a)], [file("x.yaml", brokenA)]).revision).toBe(2);
  });

  test("a rule that is not there is nowhere", () => {
    expect(emptyRuleSet.locate(ruleKey("Gateway", "a", "b"), "/spec")).toEqual({ pointer: "/spec" });
    expect(loadAll([file("x.yaml", a)]).locate(ruleKey("Gateway", "a", "b"), "/spec")).toEqual({ pointer: "/spec" });
  });
});

test("documents in whatever order and files give the same rules", () => {
  const names = fc.uniqueArray(fc.constantFrom("a", "b", "c", "d", "e", "f", "g"), { minLength: 1 });
  fc.assert(
    fc.property(names, fc.infiniteStream(fc.nat(3)), fc.infiniteStream(fc.nat()), (present, filesOf, orders) => {
      const documents = present.map((name) => virtualService(name));
      const shuffled = documents
        .map((text) => ({ text, order: orders.next().value ?? 0, place: filesOf.next().value ?? 0 }))
        .sort((x, y) => x.order - y.order);
      const files = [0, 1, 2, 3].map((place) =>
        file(
          `${place}.yaml`,
          shuffled
            .filter((document) => document.place === place)
            .map(({ text }) => text)
            .join("---\n"),
        ),
      );
      const one = loadAll([file("all.yaml", documents.join("---\n"))]);
      const many = loadAll(files);
      expect([...many.rules]).toStrictEqual([...one.rules]);
      expect(loadRuleSet(one, files).rules).toBe(one.rules);
    }),
  );
});
