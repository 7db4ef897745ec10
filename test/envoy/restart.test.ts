import { describe, expect, test } from "vitest";
import type { Child } from "../../src/app/child.ts";
import type { EnvoyProcess } from "../../src/app/envoy/launch.ts";
import { controlPlaneProcess } from "../support/control-plane.ts";
import { startExampleMesh } from "../support/example-mesh.ts";
import { metric } from "../support/metrics.ts";
import { quietCounters } from "../support/quiet-envoy.ts";
import { steadyTraffic } from "../support/traffic.ts";
import { waitFor } from "../support/wait-for.ts";

/** How often each Envoy has connected to a control plane. */
async function isConnected(envoy: EnvoyProcess): Promise<boolean> {
  const stats = await (await envoy.admin()).stats("^control_plane\\.connected_state$");
  return stats.get("control_plane.connected_state") === 1;
}

// Most of the time is Envoy's back-off: both at once.
describe.concurrent.each([
  ["delta", 10],
  ["sotw", 3],
] as const)("%s", (variant, kills) => {
  test(`the control plane is killed ${kills} times under load`, { timeout: 120_000 }, async (context) => {
    let plane: Child | undefined;
    const mesh = await startExampleMesh({
      context,
      variant,
      startControlPlane: async (input) => {
        plane = await controlPlaneProcess(context, input);
      },
    });
    const port = mesh.plan.controlPlane.metrics;
    const before = await quietCounters(mesh.envoys);
    const load = steadyTraffic(mesh.url, { maxMs: 110_000 });

    for (let kill = 1; kill <= kills; kill++) {
      process.kill(plane?.pid ?? 0, "SIGKILL");
      await plane?.exited;
      await waitFor(async () => !(await Promise.all(mesh.envoys.map(isConnected))).includes(true), {
        what: "the loss of the control plane",
      });
      const served = load.answers.length;
      await waitFor(() => load.answers.length > served + 20, { what: "traffic without a control plane" });

      plane = await controlPlaneProcess(context, mesh);
      await waitFor(
        async () => {
          const asked = await metric(port, "fairway_xds_pushes_total").catch(() => ({}) as Record<string, number>);
          const everyoneHeard = mesh.envoys.length;
          return (asked['type="CDS"'] ?? 0) >= everyoneHeard && (asked['type="LDS"'] ?? 0) >= everyoneHeard;
        },
        { withinMs: 20_000, what: `the answer to everybody's first requests after kill ${kill}` },
      );
      if (variant === "delta") {
        const sent = await metric(port, "fairway_xds_resource_bytes_total");
        expect([sent['type="CDS"'], sent['type="LDS"']], "bytes of clusters and listeners sent again").toEqual([0, 0]);
      }
      expect(await metric(port, "fairway_xds_nacks_total")).toEqual({});
    }

    const answers = await load.stop();
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    expect(await quietCounters(mesh.envoys)).toEqual(before);
    expect(answers.length).toBeGreaterThan(kills * 20);
  });
});
