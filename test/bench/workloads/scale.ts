import type { MeshCompiler } from "../fixture/compiled.ts";
import { everything, groupsOf } from "../fixture/groups.ts";
import { createMesh } from "../fixture/mesh.ts";
import { createClients } from "../fixture/nodes.ts";
import type { ServerKind } from "../servers/server.ts";
import { withSession } from "../session.ts";
import { everybody, loneChanges } from "./lone-changes.ts";
import type { Figures } from "./workload.ts";

export interface ScaleOptions {
  readonly kind: ServerKind;
  readonly compiler: MeshCompiler;
  /** The larger mesh has ten times as many. */
  readonly services: number;
  readonly instances: number;
  readonly changes: number;
}

/** Few, so that what a change costs is not what its sending costs. */
const proxies = 100;
const times = 10;

/** What a lone endpoint change costs in a mesh, and in one of ten times its size. */
export async function changeAtTwoSizes(options: ScaleOptions): Promise<Figures> {
  const small = await changeAt(options, options.services);
  const large = await changeAt(options, times * options.services);
  const [smallS = 0, largeS = 0] = [small["cpuS"], large["cpuS"]];
  return {
    smallCpuS: smallS,
    largeCpuS: largeS,
    growthFactor: largeS / Math.max(smallS, 0.001),
    smallP99Ms: small["p99Ms"] ?? 0,
    largeP99Ms: large["p99Ms"] ?? 0,
    largeReadyMs: large["readyMs"] ?? 0,
  };
}

function changeAt({ kind, compiler, instances, changes }: ScaleOptions, services: number): Promise<Figures> {
  const mesh = createMesh({ services, instances, visibility: "everything" });
  const groups = groupsOf(createClients(proxies, ["clients"]), () => everything);
  return withSession({ kind, variant: "delta", compiler, mesh, groups }, async (session) => {
    const { missing } = await session.load.tell({ do: "storm", withinMs: 120_000 });
    if (missing > 0) throw new Error(`${missing} proxies are not complete in a mesh of ${services} services`);
    const figures = await loneChanges(session, changes, everybody);
    await session.load.tell({ do: "let-go" });
    await session.server.restart();
    return { ...figures, readyMs: session.server.readyMs() };
  });
}
