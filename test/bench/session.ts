import { type Delta, deltasOf, type MeshCompiler, type Resources } from "./fixture/compiled.ts";
import { digestOf } from "./fixture/digest.ts";
import { applyEdit, type Edit } from "./fixture/edits.ts";
import type { Mesh } from "./fixture/mesh.ts";
import { benchTypes, perType } from "./fixture/types.ts";
import { type Load, startLoad } from "./load/client.ts";
import type { LoadCounts } from "./load/commands.ts";
import type { PlanSpec } from "./load/plans.ts";
import type { Variant } from "./load/skim.ts";
import { monotonicMs } from "./monotonic.ts";
import { usageOf } from "./servers/process-usage.ts";
import type { BenchServer, Group, ServerKind } from "./servers/server.ts";

/** One server with its proxies, from its start to its end. */
export interface Session {
  readonly server: BenchServer;
  readonly kind: ServerKind;
  readonly variant: Variant;
  readonly compiler: MeshCompiler;
  readonly groups: readonly Group[];
  readonly load: Load;
  /** As it is now. */
  mesh: Mesh;
  /** Markers that were given away. */
  events: number;
}

export interface SessionPlan {
  readonly kind: ServerKind;
  readonly variant: Variant;
  readonly compiler: MeshCompiler;
  readonly mesh: Mesh;
  readonly groups: readonly Group[];
}

const checkEvery = 100;

/** Starts a server with the mesh, and proxies that have not dialed yet; ends both, whatever becomes of the work. */
export async function withSession<T>(plan: SessionPlan, work: (session: Session) => Promise<T>): Promise<T> {
  const server = await plan.kind.start(plan.compiler);
  try {
    await server.load(plan.mesh, plan.groups);
    return await withProxies({ ...plan, server }, plan.groups, work);
  } finally {
    await server.stop();
  }
}

/** Other proxies at a server that runs already. */
export async function withProxies<T>(
  base: Omit<Session, "load" | "groups" | "events">,
  groups: readonly Group[],
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const { server, variant } = base;
  const load = startLoad();
  try {
    const plans = groups.map((group) => planOf(group, base));
    const nodes = groups.flatMap((group, plan) => group.nodes.map((node) => ({ node, plan })));
    await load.tell({ do: "setup", spec: { variant, ...server.address, plans, nodes, checkEvery, answers: true } });
    return await work({ ...base, groups, load, events: 0 });
  } finally {
    await load.close();
  }
}

function planOf(
  { key, nodes: [node] }: Group,
  { compiler, mesh, kind }: Pick<Session, "compiler" | "mesh" | "kind">,
): PlanSpec {
  if (node === undefined) throw new Error(`the group ${key} has no proxy`);
  const resources = compiler.resourcesOf(mesh, node);
  const named = (type: keyof Resources): boolean => type === "EDS" || type === "RDS";
  return {
    key,
    names: perType((type) => (named(type) ? [...resources[type].keys()] : [])),
    // Another compiler's sets are other ones: who has endpoints of every cluster, and some of the rest, counts as complete.
    expect: perType((type) => (kind.exact || type === "EDS" ? resources[type].size : 1)),
  };
}

/** What each group would get in a mesh. */
export const resourcesOfGroup = (session: Session, { nodes: [node] }: Group, mesh = session.mesh): Resources => {
  if (node === undefined) throw new Error("a group without a proxy");
  return session.compiler.resourcesOf(mesh, node);
};

/** What becomes different for each group; those for which nothing does are left out. */
export function deltasByGroup(session: Session, edit: Edit): ReadonlyMap<string, readonly Delta[]> {
  const next = applyEdit(session.mesh, edit);
  const found = session.groups.map((group) => {
    const deltas = deltasOf(resourcesOfGroup(session, group), resourcesOfGroup(session, group, next));
    return [group.key, deltas] as const;
  });
  return new Map(found.filter(([, deltas]) => deltas.length > 0));
}

/** Every checking proxy holds what the compiler says; throws with what differs otherwise. */
export async function verify(session: Session, when: string): Promise<void> {
  if (!session.kind.exact) return;
  const held = await session.load.tell({ do: "digests" });
  const wanted = new Map(
    session.groups.map((group) => {
      const resources = resourcesOfGroup(session, group);
      return [group.key, perType((type) => digestOf(type, resources[type]))] as const;
    }),
  );
  for (const { plan, digests } of held) {
    for (const type of benchTypes) {
      const want = wanted.get(plan)?.[type];
      if (digests[type] === want) continue;
      throw new Error(
        `${session.kind.name}, ${session.variant}, ${when}: a proxy of ${plan} holds ${type} ${digests[type]}, the compiler says ${want}`,
      );
    }
  }
}

/** What a piece of work cost. */
export interface Cost {
  readonly userSeconds: number;
  readonly systemSeconds: number;
  readonly counts: LoadCounts;
  /** The load process's share of one core. */
  readonly loadBusy: number;
  readonly wallMs: number;
}

/** Measures a piece of work: the server's CPU, and what reached the proxies. */
export async function costOf<T>(
  session: Session,
  work: () => Promise<T>,
): Promise<{ readonly cost: Cost; readonly value: T }> {
  const { server, load } = session;
  await load.tell({ do: "counts" });
  const before = usageOf(server.pids());
  const begun = monotonicMs();
  const value = await work();
  const wallMs = monotonicMs() - begun;
  const after = usageOf(server.pids());
  const counts = await load.tell({ do: "counts" });
  const cost = {
    userSeconds: after.userSeconds - before.userSeconds,
    systemSeconds: after.systemSeconds - before.systemSeconds,
    ...{ counts, wallMs, loadBusy: counts.cpuMs / counts.wallMs },
  };
  return { cost, value };
}
