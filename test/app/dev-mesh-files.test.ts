import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, type TestContext, test } from "vitest";
import {
  canaryFile,
  canaryLine,
  catalogFile,
  meshFiles,
  ruleFolders,
  storedCanaryFile,
} from "../../src/app/dev/mesh-files.ts";
import { type MeshPlan, planMesh, proxyNameOf } from "../../src/app/dev/mesh-plan.ts";
import { createCompiler } from "../../src/compile/compile.ts";
import { createWorld } from "../../src/compile/world.ts";
import { checkReferences } from "../../src/config/checks.ts";
import { readRules } from "../../src/config/file-store.ts";
import { defaultMeshSettings } from "../../src/model/mesh-settings.ts";
import { readCatalog } from "../../src/registry/file.ts";
import { gateway, sidecar } from "../support/mesh.ts";

const appPorts = [41_001, 41_002, 41_003, 41_004, 41_005];

/** The files of a mesh, written and read as the control plane reads them. */
async function readBack({ onTestFinished }: Pick<TestContext, "onTestFinished">, plan: MeshPlan) {
  const dir = mkdtempSync(join(tmpdir(), "fairway-files-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const { generated, rules } = meshFiles(plan, appPorts);
  for (const [path, text] of Object.entries({ ...generated, ...rules })) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
  const ruleSet = await readRules([...ruleFolders, storedCanaryFile].map((path) => join(dir, path)));
  const read = await readCatalog([join(dir, catalogFile)], defaultMeshSettings);
  if (!read.ok) throw new Error(read.problems.map(({ message }) => message).join(" "));
  return { ruleSet, catalog: read.catalog };
}

describe("the files of the example mesh", () => {
  test("have no findings, not even warnings", async (context) => {
    const { ruleSet, catalog } = await readBack(context, await planMesh({ usualPorts: false }));
    expect(ruleSet.documents.flatMap(({ findings }) => findings)).toEqual([]);
    expect(checkReferences(ruleSet, catalog, defaultMeshSettings)).toEqual([]);
    expect([...ruleSet.rules.keys()]).toEqual([
      "DestinationRule/shop/ratings",
      "DestinationRule/shop/reviews",
      "Gateway/shop/gateway",
      "Sidecar/shop/ratings-v1",
      "Sidecar/shop/ratings-v2",
      "Sidecar/shop/reviews-v1",
      "Sidecar/shop/reviews-v2",
      "Sidecar/shop/web-v1",
      "VirtualService/shop/ratings",
      "VirtualService/shop/reviews",
      "VirtualService/shop/web",
    ]);
  });

  test("compile to the listeners that the plan names, and to no reference that leads nowhere", async (context) => {
    const plan = await planMesh({ usualPorts: false });
    const { ruleSet, catalog } = await readBack(context, plan);
    const compiler = createCompiler();
    const world = createWorld(catalog, ruleSet, [], defaultMeshSettings);
    const listenersOf = (node: Parameters<typeof compiler.compileFor>[1]) => [
      ...compiler.compileFor(world, node).resources.LDS.keys(),
    ];
    const edge = gateway("gateway", { labels: { app: "gateway" }, addresses: [plan.gateway.address] });
    expect(listenersOf(edge)).toEqual([`${plan.gateway.address}_${plan.gateway.port}`]);
    for (const workload of plan.workloads) {
      const { service, version, address, ingressPort, calls } = workload;
      const node = sidecar(proxyNameOf(workload), { labels: { app: service, version }, addresses: [address] });
      const ports = [ingressPort, ...calls.map((called) => plan.servicePorts[called] ?? 0)];
      expect(listenersOf(node).sort()).toEqual(ports.map((port) => `${address}_${port}`).sort());
    }
  });

  test("say who owns them", async () => {
    const { generated, rules } = meshFiles(await planMesh({ usualPorts: false }), appPorts);
    for (const text of Object.values(generated)) {
      expect(text).toMatch(/^# .*\n# Written anew each time `fairway dev` starts, .*\n/);
    }
    expect(Object.keys(rules)).toEqual([canaryFile, "rules/ratings.yaml", "rules/web.yaml", storedCanaryFile]);
  });

  test("the line to edit is the first weight", async () => {
    const { rules } = meshFiles(await planMesh({ usualPorts: false }), appPorts);
    const text = rules[canaryFile] ?? "";
    expect(text.split("\n")[canaryLine(text) - 1]).toBe("          weight: 90");
    // The user may have written something else.
    expect(canaryLine("kind: VirtualService\n")).toBe(0);
  });
});

test("a plan has addresses and ports that do not collide", async () => {
  const { gateway: edge, workloads, servicePorts, controlPlane } = await planMesh({ usualPorts: false });
  const { host, xds, api, metrics } = controlPlane;
  const listeners = [
    `${edge.address}:${edge.port}`,
    ...[xds, api, metrics].map((port) => `${host}:${port}`),
    ...workloads.flatMap(({ address, ingressPort, calls }) =>
      [ingressPort, ...calls.map((called) => servicePorts[called])].map((port) => `${address}:${port}`),
    ),
  ];
  expect(listeners).toHaveLength(11);
  expect(new Set(listeners).size).toBe(11);
  expect(listeners.filter((listener) => !/^127\.[\d.]+:[1-9]\d+$/.test(listener))).toEqual([]);
});
