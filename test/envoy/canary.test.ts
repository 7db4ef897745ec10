import { describe, expect, test } from "vitest";
import type { ControlPlane } from "../../src/app/control-plane.ts";
import { chooseLauncher } from "../../src/app/envoy/choose.ts";
import { controlPlaneHere } from "../support/control-plane.ts";
import { envoyBinary } from "../support/envoy.ts";
import { startExampleMesh } from "../support/example-mesh.ts";
import { realPart } from "../support/real-part.ts";
import { type Answer, askMany, steadyTraffic } from "../support/traffic.ts";
import { waitFor } from "../support/wait-for.ts";

const requests = 2000;

/** Of `answers`, how many came from reviews v2. */
const fromV2 = (answers: readonly Answer[]): number => answers.filter(({ text }) => text.includes("reviews v2")).length;

const failures = (answers: readonly Answer[]): readonly Answer[] => answers.filter(({ status }) => status !== 200);

/**
 * Asks 2,000 times: nobody fails, and the share of v2 is within three standard deviations of its weight. Chance alone breaks that
 * once in 370 samples, so a sample outside is followed by a second one, which must be inside.
 */
async function expectShare(url: string, share: number): Promise<void> {
  const sigma = Math.sqrt(requests * share * (1 - share));
  const offBy = async (): Promise<number> => {
    const answers = await askMany(url, requests);
    expect(failures(answers)).toEqual([]);
    return Math.abs(fromV2(answers) - requests * share) / sigma;
  };
  const first = await offBy();
  if (first > 3) expect(await offBy(), `a second sample; the first was off by ${first} sigma`).toBeLessThanOrEqual(3);
}

/** Waits until the ledger says that the proxy took the route table of the present world. */
const routesTaken = (plane: ControlPlane, revision: number, proxy: string): Promise<unknown> =>
  waitFor(() => {
    if (plane.world.value?.revision !== revision) return false;
    const delivery = plane.ledger.proxies().find(({ node }) => node.name === proxy);
    const wanted = delivery && plane.resources.resourcesOf(delivery.node);
    const held = delivery && plane.ledger.resourcesOf(delivery.node.id);
    return held
      ?.filter(({ type }) => type === "RDS")
      .every(({ name, accepted }) => accepted?.version === wanted?.resources.RDS.get(name)?.version);
  });

describe.each(["delta", "sotw"] as const)("%s", (variant) => {
  test("a weight edit moves traffic, and no request fails", { timeout: 90_000 }, async (context) => {
    let plane: ControlPlane | undefined;
    const mesh = await startExampleMesh({
      context,
      variant,
      startControlPlane: async (input) => {
        plane = await controlPlaneHere(context, input);
      },
    });
    if (plane === undefined) throw new Error("no control plane");

    await expectShare(mesh.url, 0.1);

    const load = steadyTraffic(mesh.url);
    await waitFor(() => load.answers.length > 50);
    const revision = plane.ruleSet.value.revision + 1;
    mesh.setWeights(30, 70);
    await routesTaken(plane, revision, "web-v1");
    const atEdit = load.answers.length;
    await waitFor(() => load.answers.length > atEdit + 50);
    const during = await load.stop();
    expect(failures(during)).toEqual([]);

    await expectShare(mesh.url, 0.7);
  });
});

test("the same in containers", { timeout: 120_000 }, async (context) => {
  const binary = await envoyBinary(context);
  const launcher = await realPart(context, "a container engine", () =>
    chooseLauncher({ ...process.env, FAIRWAY_ENVOY: "container" }, binary),
  );
  let plane: ControlPlane | undefined;
  const mesh = await startExampleMesh({
    context,
    launcher,
    startControlPlane: async (input) => {
      plane = await controlPlaneHere(context, input);
    },
  });
  const revision = (plane?.ruleSet.value.revision ?? 0) + 1;
  mesh.setWeights(0, 100);
  if (plane !== undefined) await routesTaken(plane, revision, "web-v1");
  const answers = await askMany(mesh.url, 200);
  expect(failures(answers)).toEqual([]);
  expect(fromV2(answers)).toBe(200);
});
