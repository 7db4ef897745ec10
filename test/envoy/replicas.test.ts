import { join } from "node:path";
import { describe, expect, type TestContext, test } from "vitest";
import type { ProxyConfigView } from "../../src/api/types/proxies.ts";
import type { Child } from "../../src/app/child.ts";
import { freePorts } from "../../src/app/dev/loopback.ts";
import type { TypeName } from "../../src/envoy/resource-types.ts";
import { createApiClient } from "../support/api-client.ts";
import { heldResources } from "../support/config-dump.ts";
import { controlPlaneProcess } from "../support/control-plane.ts";
import { temporaryFolder } from "../support/dev.ts";
import { metric } from "../support/metrics.ts";
import { quietCounters } from "../support/quiet-envoy.ts";
import { startRelay } from "../support/relay.ts";
import { steadyTraffic } from "../support/traffic.ts";
import { waitFor } from "../support/wait-for.ts";
import { type WireFiles, writeWireFiles } from "../support/wire-files.ts";
import { planWireMesh, startWireEnvoys, wireHost } from "../support/wire-mesh.ts";

/*
 * Many Envoys whose control plane restarts, and who then find another replica behind the same address. Nothing changed: so nothing
 * is warmed, drained or lost, and nothing that they hold is sent again.
 */

/** `npm run full` says 20. */
const envoyCount = Number(process.env["FAIRWAY_REPLICA_ENVOYS"] ?? 6);

/** Types that a delta client gets again although it holds them: secrets, because Envoy can have forgotten what it lists. */
const sentAgain: readonly TypeName[] = ["SDS"];

interface Replica {
  readonly xds: number;
  readonly start: () => Promise<Child>;
  readonly metric: (name: string) => Promise<Readonly<Record<string, number>>>;
  /** Once it knows that every proxy holds all that it is to have: the versions, by proxy. */
  readonly versions: (ids: readonly string[]) => Promise<Readonly<Record<string, Readonly<Record<string, string>>>>>;
}

/** `fairway serve` with these files, and a folder of its own for what it keeps. */
async function planReplica(context: TestContext, { rules, catalog }: WireFiles): Promise<Replica> {
  const dir = temporaryFolder(context);
  const address = "127.0.0.1";
  const [xds = 0, api = 0, metrics = 0] = await freePorts([{ address }, { address }, { address }]);
  const client = createApiClient({ url: `http://${address}:${api}`, tokenFile: join(dir, "data", "token") });
  const versionsAt = async (id: string): Promise<Readonly<Record<string, string>>> => {
    const { resources } = await client.json<ProxyConfigView>(`/api/v1/proxies/${encodeURIComponent(id)}/config`);
    for (const { type, name, state } of resources) expect(`${type} ${name} ${state}`).toBe(`${type} ${name} accepted`);
    expect(new Set(resources.map(({ type }) => type))).toEqual(new Set(["CDS", "EDS", "LDS", "RDS"]));
    return Object.fromEntries(resources.map(({ type, name, version }) => [`${type} ${name}`, version]));
  };
  return {
    xds,
    start: () => {
      const plan = { controlPlane: { host: address, xds, api, metrics } };
      return controlPlaneProcess(context, { plan, dir, rules: [rules], catalog: [catalog] });
    },
    metric: (name) => metric(metrics, name),
    versions: (ids) =>
      waitFor(async () => Object.fromEntries(await Promise.all(ids.map(async (id) => [id, await versionsAt(id)]))), {
        withinMs: 40_000,
        what: "every proxy to hold all that it is to have",
      }),
  };
}

// Most of the time is Envoy's back-off: both at once.
describe.concurrent.each(["delta", "sotw"] as const)("%s", (variant) => {
  test(`${envoyCount} Envoys, a restart and a change of replica`, { timeout: 180_000 }, async (context) => {
    const wishes = Array.from({ length: envoyCount }, (_, index) => ({
      kind: index % 3 === 0 ? ("gateway" as const) : ("sidecar" as const),
      variant,
    }));
    const mesh = await planWireMesh(context, wishes);
    const ids = mesh.proxies.map(({ node }) => node.id);
    const files = await writeWireFiles(temporaryFolder(context), mesh, mesh.rules({ v1: "v1", v2: "v2" }, "v1"));
    const [first, second] = [await planReplica(context, files), await planReplica(context, files)];
    const [child] = await Promise.all([first.start(), second.start()]);
    const relay = await startRelay(context, first.xds);
    const envoys = await startWireEnvoys(context, mesh, relay.port);

    const versions = await first.versions(ids);
    const look = () => Promise.all([quietCounters(envoys), Promise.all(envoys.map(heldBy))]);
    const before = await look();
    const loads = mesh.proxies.map(({ url }) => steadyTraffic(url, { host: wireHost, parallel: 1, maxMs: 170_000 }));
    await waitFor(() => loads.every(({ answers }) => answers.length > 5), { what: "traffic" });

    /** Nothing has moved at any proxy, which is all that this replica has to say. */
    const expectQuiet = async (replica: Replica, what: string): Promise<void> => {
      expect(await replica.versions(ids), `versions ${what}`).toEqual(versions);
      expect(await look(), `Envoys ${what}`).toEqual(before);
      expect(await replica.metric("fairway_xds_nacks_total"), `refusals ${what}`).toEqual({});
      const sent = await replica.metric("fairway_xds_resource_bytes_total");
      console.log(`${variant}, ${envoyCount} Envoys, bytes of resources sent ${what}: ${JSON.stringify(sent)}`);
      if (variant !== "delta") return;
      const again = Object.entries(sent).filter(
        ([labels, bytes]) => bytes > 0 && !sentAgain.some((type) => labels === `type="${type}"`),
      );
      context.expect.soft(again, `bytes of resources sent again ${what}`).toEqual([]);
    };

    await child.stop();
    await first.start();
    await expectQuiet(first, "after a restart");

    relay.switchTo(second.xds);
    await expectQuiet(second, "after a change of replica");

    const answers = await Promise.all(loads.map((load) => load.stop()));
    for (const [index, given] of answers.entries()) {
      const failed = given.filter(({ status }) => status !== 200);
      const through = `failures of ${given.length} requests through ${mesh.proxies[index]?.name}`;
      expect(failed.slice(0, 3), `${failed.length} ${through}`).toEqual([]);
    }
    expect(Math.min(...answers.map(({ length }) => length))).toBeGreaterThan(50);
  });
});

async function heldBy({ admin }: Parameters<typeof quietCounters>[0][number]): Promise<unknown> {
  return heldResources(await admin());
}
