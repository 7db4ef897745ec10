import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { compileGolden, goldenFolder } from "./support/golden.ts";

/*
 * A golden case is a folder `<feature>-<variation>`: rules, catalog, proxy (and mesh settings, and fields of the model that a catalog's
 * text has no words for) in, resources out.
 * UPDATE_GOLDEN=1 rewrites the wanted files; look at the difference before committing it.
 */

const inputs = new Set(["rules.yaml", "catalog.yaml", "model.yaml", "proxy.yaml", "mesh.yaml"]);
const cases = readdirSync(goldenFolder);

describe.each(cases)("%s", (name) => {
  const wanted = join(goldenFolder, name, "want.yaml");

  test("compiles to what is wanted", async () => {
    const { json } = await compileGolden(name);
    const text = stringify(json, { lineWidth: 0 });
    if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(wanted, text);
    expect(existsSync(wanted), "no want.yaml: run UPDATE_GOLDEN=1 npm test -- test/golden.test.ts").toBe(true);
    expect(text, "differs: if that is meant, run UPDATE_GOLDEN=1 npm test -- test/golden.test.ts").toBe(
      readFileSync(wanted, "utf8"),
    );
  });

  test("its rules are valid and nothing lies about", async () => {
    const { ruleSet } = await compileGolden(name);
    expect(ruleSet.documents.flatMap(({ findings }) => findings)).toEqual([]);
    const others = readdirSync(join(goldenFolder, name)).filter((file) => !inputs.has(file));
    expect(others).toEqual(["want.yaml"]);
  });
});
