import { globSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { describe, expect, test } from "vitest";

/**
 * Who may import whom (docs/architecture.md has the same table, in words): folders, and parts of folders that may more than the rest.
 * `types`: `import type` only. `only`: these files only.
 */
interface Row {
  readonly may: readonly string[];
  readonly types?: readonly string[];
  readonly only?: Readonly<Record<string, readonly string[]>>;
}

const table: Readonly<Record<string, Row>> = {
  base: { may: [] },
  gen: { may: [] },
  model: { may: ["base"] },
  envoy: { may: ["base", "gen"] },
  config: { may: ["base", "model"] },
  kube: { may: ["base"] },
  registry: { may: ["base", "model"] },
  "registry/kubernetes": { may: ["base", "model", "kube"] },
  security: { may: ["base", "model"] },
  compile: { may: ["base", "model", "envoy", "gen"], types: ["config"] },
  snapshot: { may: ["base", "model", "envoy", "compile"], types: ["config"] },
  delivery: { may: ["base", "model", "envoy"], types: ["config"] },
  xds: { may: ["base", "model", "envoy", "gen"] },
  explain: { may: ["base", "model", "envoy"] },
  api: { may: ["base", "model", "config"] },
  agent: { may: ["base", "model"], types: ["api"] },
  cli: {
    may: ["base", "model", "config", "envoy", "compile", "explain"],
    types: ["api"],
    only: {
      registry: ["source.ts", "file.ts"],
      api: ["services", "registries", "rules", "proxies", "access"].map((file) => `shapes/${file}.ts`),
    },
  },
  app: {
    may: [
      "base",
      "model",
      "kube",
      "config",
      "registry",
      "security",
      "envoy",
      "gen",
      "compile",
      "snapshot",
      "delivery",
      "explain",
      "xds",
      "api",
      "agent",
      "cli",
    ],
  },
};

/** No input or output, clock, randomness or `node:` in these. `base/digest.ts` may hash. */
const pure = new Set(["model", "envoy", "compile", "explain"]);

/** Global names that only `app`, `cli` and `base/clock.ts` may touch. */
const ambient = /\b(process\.(env|argv)|Date\.now|Math\.random|setTimeout|setInterval|setImmediate)\b/;

interface Import {
  readonly spec: string;
  readonly typeOnly: boolean;
}

function importsOf(text: string): readonly Import[] {
  const statements =
    /^\s*(?:import|export)\s+(type\s+)?(?:[^"';]*?\sfrom\s+)?["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)/gm;
  return [...text.matchAll(statements)].map((m) => ({ spec: m[2] ?? m[3] ?? "", typeOnly: m[1] !== undefined }));
}

const withoutComments = (text: string): string => text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");

const files = globSync("**/*.ts", { cwd: "src" })
  .filter((file) => !file.startsWith("gen/"))
  .sort();

function edgesOf(file: string): readonly { readonly target: string; readonly typeOnly: boolean }[] {
  return importsOf(readFileSync(`src/${file}`, "utf8"))
    .filter(({ spec }) => spec.startsWith("."))
    .map(({ spec, typeOnly }) => ({ target: posix.join(posix.dirname(file), spec), typeOnly }));
}

describe.each(files)("src/%s", (file) => {
  const [from = "", part] = file.split("/");
  const row = table[`${from}/${part}`] ?? table[from];
  const text = readFileSync(`src/${file}`, "utf8");

  test("stays in its layer", () => {
    expect(row, `src/${from} is not in the table`).toBeDefined();
    for (const { target, typeOnly } of edgesOf(file)) {
      const [to = "", ...rest] = target.split("/");
      if (to === from) continue;
      const allowed =
        row?.may.includes(to) || (typeOnly && row?.types?.includes(to)) || row?.only?.[to]?.includes(rest.join("/"));
      expect(allowed, `${file} must not import ${target}`).toBe(true);
    }
  });

  test("is as pure as its folder", () => {
    if (pure.has(from)) {
      for (const { spec } of importsOf(text)) expect(spec, `${from} is pure`).not.toMatch(/^node:/);
    }
    if (from !== "app" && from !== "cli" && file !== "base/clock.ts") {
      expect(withoutComments(text)).not.toMatch(ambient);
    }
  });
});

/** Strongly connected groups of more than one node (Tarjan). */
function cycles(graph: ReadonlyMap<string, ReadonlySet<string>>): readonly (readonly string[])[] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  const visit = (node: string): void => {
    index.set(node, index.size);
    low.set(node, index.get(node) ?? 0);
    stack.push(node);
    for (const next of graph.get(node) ?? []) {
      if (!index.has(next)) visit(next);
      if (stack.includes(next)) low.set(node, Math.min(low.get(node) ?? 0, low.get(next) ?? 0));
    }
    if (low.get(node) !== index.get(node)) return;
    const group = stack.splice(stack.indexOf(node));
    if (group.length > 1) found.push(group);
  };
  for (const node of graph.keys()) if (!index.has(node)) visit(node);
  return found;
}

test("no cycle between files", () => {
  expect(cycles(new Map(files.map((file) => [file, new Set(edgesOf(file).map(({ target }) => target))])))).toEqual([]);
});

test("no cycle between folders", () => {
  const folders = new Map<string, Set<string>>();
  for (const file of files) {
    const from = file.split("/")[0] ?? "";
    for (const { target } of edgesOf(file)) {
      const to = target.split("/")[0] ?? "";
      if (to === from) continue;
      folders.set(from, (folders.get(from) ?? new Set()).add(to));
    }
  }
  expect(cycles(folders)).toEqual([]);
});

test("the check finds a planted cycle", () => {
  expect(
    cycles(
      new Map([
        ["a", new Set(["b"])],
        ["b", new Set(["c"])],
        ["c", new Set(["a"])],
      ]),
    ),
  ).toHaveLength(1);
});
