import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { checkReferences } from "../../src/config/checks.ts";
import { findingCodes } from "../../src/config/finding.ts";
import { emptyCatalog } from "../../src/model/catalog.ts";
import { defaultMeshSettings } from "../../src/model/mesh-settings.ts";
import { rulesOf } from "./support.ts";

const page = readFileSync(new URL("../../docs/errors.md", import.meta.url), "utf8");
const [findings = ""] = page.split(/^# Problems of the API$/m);
const sections = findings
  .split(/^## /m)
  .slice(1)
  .map((section) => ({
    code: section.slice(0, section.indexOf("\n")),
    text: section.slice(section.indexOf("\n")).trim(),
    example: /```yaml\n([\s\S]*?)```/.exec(section)?.[1],
  }));

test("docs/errors.md has one section for each code, in the same order", () => {
  expect(sections.map(({ code }) => code)).toEqual([...findingCodes]);
});

/** What no text of a rule can show. */
const withoutExample = new Set([
  "rule/host-is-alias",
  "text/too-large",
  "text/unreadable",
  "rule/still-referenced",
  "rule/wrong-place",
  "rule/managed-elsewhere",
  "catalog/invalid",
  "catalog/held",
  "catalog/outdated",
  "compile/failed",
]);

describe.each(sections)("$code", ({ code, text, example }) => {
  test("is explained", () => {
    expect(text.replace(/```[\s\S]*```/, "").length).toBeGreaterThan(80);
  });

  test("is what its example gives", () => {
    expect(example === undefined).toBe(withoutExample.has(code));
    if (example === undefined) return;
    const rules = rulesOf(example);
    const errors = rules.documents.flatMap(({ findings }) => findings);
    const found = errors.length > 0 ? errors : checkReferences(rules, emptyCatalog, defaultMeshSettings);
    expect(found.map((finding) => finding.code)).toContain(code);
  });
});
