import { createMeshCompiler } from "./fixture/compiled.ts";
import { everything, type Group, groupsOf } from "./fixture/groups.ts";
import { createMesh, type Mesh, type MeshService, servicesPerNamespace } from "./fixture/mesh.ts";
import { createClients, createNodes } from "./fixture/nodes.ts";
import type { Variant } from "./load/skim.ts";
import { monotonicMs } from "./monotonic.ts";
import type { BenchOptions } from "./options.ts";
import type { ProfileRow, ServerKind } from "./servers/server.ts";
import { type Session, type SessionPlan, withSession } from "./session.ts";
import { scaleId, workloads } from "./workloads/all.ts";
import { changeAtTwoSizes } from "./workloads/scale.ts";
import type { Figures, Setting, Sizes, Workload } from "./workloads/workload.ts";

/** What one server took in one workload of one pair. */
export interface Measurement {
  readonly workload: string;
  readonly variant: Variant;
  readonly server: string;
  readonly pair: number;
  readonly figures: Figures;
  readonly profile?: readonly ProfileRow[];
}

/** A server that was wrong, or did not get done: its further workloads of that round are missing. */
export interface Failure {
  readonly where: string;
  readonly message: string;
}

export interface Outcome {
  readonly measurements: readonly Measurement[];
  readonly failures: readonly Failure[];
}

export type Progress = (text: string) => void;

const shortened: Sizes = {
  ...{ changes: 30, wholeSetChanges: 6, churnSeconds: 10, churnPerSecond: 50 },
  ...{ ruleEdits: 6, edits: 2, restarts: 2 },
};
const long: Sizes = {
  ...{ changes: 50, wholeSetChanges: 10, churnSeconds: 60, churnPerSecond: 50 },
  ...{ ruleEdits: 10, edits: 3, restarts: 3 },
};

/** Namespaces of a scoped mesh. */
const scopedServices = 5_000;

/** All servers through all workloads, in pairs: A B A B. */
export async function runBench(options: BenchOptions, kinds: readonly ServerKind[], say: Progress): Promise<Outcome> {
  const compiler = createMeshCompiler();
  const sizes = options.full ? long : shortened;
  const begun = monotonicMs();
  const tell = (text: string): void => say(`${((monotonicMs() - begun) / 60_000).toFixed(1).padStart(5)} min  ${text}`);
  const measurements: Measurement[] = [];
  const failures: Failure[] = [];
  const attempt = async (where: string, work: () => Promise<void>): Promise<void> => {
    tell(where);
    await work().catch((error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      failures.push({ where, message });
      tell(`  failed: ${message}`);
    });
  };
  for (const variant of options.variants) {
    for (const setting of ["whole", "scoped"] as const) {
      const chosen = workloads.filter(
        (each) => each.setting === setting && each.variants.includes(variant) && options.workloads.has(each.id),
      );
      if (chosen.length === 0) continue;
      const { mesh, groups } = settings[setting](options);
      for (let pair = 0; pair < options.pairs; pair++) {
        for (const kind of kinds) {
          if (setting === "scoped" && !kind.scopes) continue;
          await attempt(`${kind.name}, ${variant}, ${setting} mesh, round ${pair + 1} of ${options.pairs}`, () =>
            runSession({ kind, variant, compiler, mesh, groups }, chosen, {
              ...{ sizes, pair, options, tell },
              report: (found) => measurements.push(found),
            }),
          );
        }
      }
    }
  }
  const own = kinds.find(({ name }) => name === "fairway");
  if (own !== undefined && options.workloads.has(scaleId) && options.variants.includes("delta")) {
    await attempt(`${own.name}, a change at two sizes`, async () => {
      const { services, instances } = options;
      const changes = 2 * sizes.changes;
      const figures = await changeAtTwoSizes({ kind: own, compiler, services, instances, changes });
      measurements.push({ workload: scaleId, variant: "delta", server: own.name, pair: 0, figures });
    });
  }
  return { measurements, failures };
}

interface Chosen {
  readonly mesh: Mesh;
  readonly groups: readonly Group[];
}

const settings: Readonly<Record<Setting, (options: BenchOptions) => Chosen>> = {
  whole: ({ services, instances, proxies, beside }) => {
    const mesh = createMesh({ services, instances, visibility: "everything" });
    const nodes =
      beside === "clients" ? createClients(proxies, ["clients"]) : createNodes(proxies, [...mesh.services.values()]);
    return { mesh, groups: groupsOf(nodes, () => everything) };
  },
  scoped: ({ services: asked, instances, proxies, beside }) => {
    const services = Math.max(asked, Math.min(scopedServices, 5 * asked));
    const mesh = createMesh({ services, instances, visibility: "own-namespace" });
    const firsts = oneOfEachNamespace([...mesh.services.values()]);
    const namespaces = [...new Set(firsts.map(({ namespace }) => namespace))];
    const nodes = beside === "clients" ? createClients(proxies, namespaces) : createNodes(proxies, firsts);
    return { mesh, groups: groupsOf(nodes, ({ namespace }) => namespace) };
  },
};

/** The first service of each namespace, then the second ones. */
const oneOfEachNamespace = (services: readonly MeshService[]): readonly MeshService[] =>
  Array.from({ length: servicesPerNamespace }, (_, nth) =>
    services.filter((_, index) => index % servicesPerNamespace === nth),
  ).flat();

interface Round {
  readonly sizes: Sizes;
  readonly pair: number;
  readonly options: BenchOptions;
  readonly tell: Progress;
  readonly report: (found: Measurement) => void;
}

/** All workloads but the first storm need proxies that are connected. */
const connects: ReadonlySet<string> = new Set(["W1", "W9"]);

function runSession(plan: SessionPlan, chosen: readonly Workload[], round: Round): Promise<void> {
  return withSession(plan, async (session) => {
    if (!connects.has(chosen[0]?.id ?? "")) await session.load.tell({ do: "storm", withinMs: 150_000 });
    for (const workload of chosen) {
      if (workload.id === "W5" && !plan.kind.restarts) continue;
      round.tell(`  ${workload.id} ${workload.title}`);
      round.report(await measure(session, workload, round));
    }
  });
}

async function measure(session: Session, workload: Workload, { sizes, pair, options }: Round): Promise<Measurement> {
  const { server, kind, variant } = session;
  const profiles = options.cpuProfile && server.inside !== undefined;
  if (profiles) await server.inside?.startProfile();
  const figures = await workload.run(session, sizes);
  const profile = profiles ? await server.inside?.stopProfile() : undefined;
  return { workload: workload.id, variant, server: kind.name, pair, figures, ...(profile && { profile }) };
}
