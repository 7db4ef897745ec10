import { describe, expect, test } from "vitest";
import { groups } from "./cases.ts";
import { wanted } from "./expected.ts";
import { type MeshOptions, sharedMesh } from "./mesh.ts";
import { traced } from "./pod.ts";

/** Each mode and policy, and each release line with either of them; each family alone, too. */
const meshes: readonly MeshOptions[] = [
  { mode: "redirect", policy: "ALLOW_ANY", line: "1.40", families: ["ipv4", "ipv6"] },
  { mode: "redirect", policy: "REGISTRY_ONLY", line: "1.36", families: ["ipv4", "ipv6"] },
  { mode: "tproxy", policy: "ALLOW_ANY", line: "1.36", families: ["ipv4", "ipv6"] },
  { mode: "tproxy", policy: "REGISTRY_ONLY", line: "1.40", families: ["ipv4", "ipv6"] },
  { mode: "redirect", policy: "REGISTRY_ONLY", line: "1.40", families: ["ipv6"] },
  { mode: "tproxy", policy: "ALLOW_ANY", line: "1.40", families: ["ipv6"] },
  { mode: "redirect", policy: "ALLOW_ANY", line: "1.36", families: ["ipv4"] },
];

const titleOf = ({ mode, policy, families, line }: MeshOptions): string =>
  `${mode}, ${policy}, ${families.join(" and ")}, Envoy ${line}`;

describe.each(meshes.map((mesh) => [titleOf(mesh), mesh] as const))("%s", (_title, options) => {
  const { mode, policy, families } = options;
  const meshOf = sharedMesh(options);

  describe.each(groups)("%s", (_group, cases) => {
    const rows = cases.flatMap(({ name, ...each }) => families.map((family) => [name, family, each] as const));

    test.for(rows)("%s (%s)", { timeout: 90_000 }, async ([, family, { from, call, expected }], context) => {
      const mesh = await meshOf(context);
      const traffic = await traced(mesh.pods, () => mesh.at(from).ask("call", call(family)));
      const who = "who" in traffic.result ? traffic.result.who : undefined;
      expect(traffic).toEqual(wanted(expected[policy], { mode, families, family, from }, who));
    });
  });

  test("no sidecar warned of anything", async (context) => {
    const { pods } = await meshOf(context);
    expect(pods.map(({ warnings }) => warnings())).toEqual(pods.map(() => []));
  });
});
