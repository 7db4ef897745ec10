import { describe, expect, test } from "vitest";
import { parseNode, readNodeFile } from "../../src/cli/node-file.ts";

const id = "sidecar~10.0.0.5~web-1.shop~shop.svc.cluster.local";

describe("a proxy out of a file", () => {
  test.each([
    [
      "a node in JSON",
      JSON.stringify({
        id,
        locality: { region: "r1", zone: "z1", subZone: "s1" },
        metadata: { LABELS: { app: "web" } },
      }),
    ],
    [
      "a node in YAML, as Envoy spells it",
      `id: ${id}\ncluster: web\nlocality: { region: r1, zone: z1, sub_zone: s1 }\nmetadata: { LABELS: { app: web } }\n`,
    ],
    [
      "a whole bootstrap",
      `admin: {}\nnode:\n  id: ${id}\n  locality: { region: r1, zone: z1, sub_zone: s1 }\n  metadata: { LABELS: { app: web } }\nstatic_resources: {}\n`,
    ],
  ])("%s", (_what, text) => {
    expect(parseNode(text, "node.yaml")).toMatchObject({
      id,
      kind: "sidecar",
      name: "web-1",
      namespace: "shop",
      addresses: ["10.0.0.5"],
      labels: { app: "web" },
      locality: { region: "r1", zone: "z1", subzone: "s1" },
      client: { name: "envoy", version: "" },
    });
  });

  test("the client, where it is said", () => {
    const text = `id: ${id}\nuser_agent_name: grpc-node\nuser_agent_version: 1.14.0\n`;
    expect(parseNode(text, "node.yaml").client).toEqual({ name: "grpc-node", version: "1.14.0" });
  });

  test.each([
    ["", "node.yaml: The file is empty."],
    ["node: 5\n", "node.yaml:1:7: Expected an object, found 5."],
    ["cluster: web\n", "node.yaml:1:1: The field id is missing."],
    ["node:\n  id: [a]\n", "node.yaml:2:7: Expected a text, found a list."],
    ["id: web\n", 'node.id "web" does not name a proxy'],
    ["id: [\n", "node.yaml:1:5: The YAML is broken: "],
  ])("%j", (text, message) => {
    expect(() => parseNode(text, "node.yaml")).toThrow(message);
  });

  test("a file that is not there", async () => {
    await expect(readNodeFile("missing/node.yaml")).rejects.toMatchObject({ code: "usage/invalid" });
  });
});
