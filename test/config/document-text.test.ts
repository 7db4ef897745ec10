import { describe, expect, test } from "vitest";
import { parseDocuments } from "../../src/base/yaml-document.ts";
import { documentAs } from "../../src/config/document-text.ts";

const data = { kind: "Gateway", metadata: { name: "edge", labels: { version: "1.0" } }, spec: { servers: [] } };
const json = JSON.stringify(data);
const yaml = { format: "yaml", text: "# mine\nkind:   Gateway\n", json: '{"kind":"Gateway"}' } as const;

describe("a stored document", () => {
  test("that is YAML is given as its author wrote it", () => {
    expect(documentAs(yaml, "yaml")).toBe(yaml.text);
    expect(documentAs(yaml, "json")).toEqual({ kind: "Gateway" });
  });

  test("that is JSON is given as YAML of the same data", () => {
    const document = { format: "json", text: json, json } as const;
    expect(documentAs(document, "json")).toEqual(data);
    const text = documentAs(document, "yaml");
    expect(text).toBe('kind: Gateway\nmetadata:\n  name: edge\n  labels:\n    version: "1.0"\nspec:\n  servers: []\n');
    expect(parseDocuments(text)[0]?.value).toEqual(data);
  });
});
