import { type Delta, deltasOf, type MeshCompiler, noResources, type Resources } from "./fixture/compiled.ts";
import { digestOf } from "./fixture/digest.ts";
import { type Group, speakerOf } from "./fixture/groups.ts";
import type { Mesh } from "./fixture/mesh.ts";
import { benchTypes, perType } from "./fixture/types.ts";
import { type Load, startLoad } from "./load/client.ts";
import type { Known, LoadCounts } from "./load/commands.ts";
import type { PlanSpec } from "./load/plans.ts";
import type { Variant } from "./load/skim.ts";
import { monotonicMs } from "./monotonic.ts";
import { usageOf } from "./servers/process-usage.ts";
import type { BenchServer, ServerKind } from "./servers/server.ts";

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
    const views = [...viewsOf(groups).values()];
    const plans = views.map((alike) => planOf(alike, base));
    const nodes = views.flatMap((alike, plan) => alike.flatMap((group) => group.nodes.map((node) => ({ node, plan }))));
    await load.tell({ do: "setup", spec: { variant, ...server.address, plans, nodes, checkEvery, answers: true } });
    return await work({ ...base, groups, load, events: 0 });
  } finally {
    await load.close();
  }
}

/** Groups by what they see. One of them speaks for the others, where it is about names and counts. */
export const viewsOf = (groups: readonly Group[]): ReadonlyMap<string, readonly Group[]> =>
  Map.groupBy(groups, ({ sees }) => sees);

export const streamsByView = ({ groups }: Session): ReadonlyMap<string, number> =>
  new Map([...viewsOf(groups)].map(([sees, alike]) => [sees, alike.reduce((sum, { nodes }) => sum + nodes.length, 0)]));

function planOf(
  alike: readonly Group[],
  { compiler, mesh, kind }: Pick<Session, "compiler" | "mesh" | "kind">,
): PlanSpec {
  const [first, ...others] = alike.map((group) => ({ group, resources: compiler.resourcesOf(mesh, speakerOf(group)) }));
  if (first === undefined) throw new Error("a plan for nobody");
  const { group, resources } = first;
  const odd = others.find((other) => benchTypes.some((type) => other.resources[type].size !== resources[type].size));
  if (odd !== undefined) throw new Error(`${odd.group.key} gets more or fewer resources than ${group.key}`);
  const named = (type: keyof Resources): boolean => type === "EDS" || type === "RDS";
  return {
    key: group.sees,
    names: perType((type) => (named(type) ? [...resources[type].keys()] : [])),
    // Another compiler's sets are other ones: who has endpoints of every cluster, and some of the rest, counts as complete.
    expect: perType((type) => (kind.exact || type === "EDS" ? resources[type].size : 1)),
  };
}

/** What becomes different for those who see the same, by what they see; those for which nothing does are left out. */
export function deltasByView(session: Session, next: Mesh): ReadonlyMap<string, readonly Delta[]> {
  const { compiler, mesh, groups } = session;
  const speakers = [...viewsOf(groups)].flatMap(([sees, [first]]) =>
    first === undefined ? [] : [{ sees, node: speakerOf(first) }],
  );
  const before = speakers.map(({ node }) => compiler.resourcesOf(mesh, node));
  const found = speakers.map(({ sees, node }, index) => {
    const deltas = deltasOf(before[index] ?? noResources, compiler.resourcesOf(next, node));
    return [sees, deltas] as const;
  });
  return new Map(found.filter(([, deltas]) => deltas.length > 0));
}

/** What proxies know when they come back: versions as the server gives them. */
export function knownByProxies({ server, groups, compiler, mesh }: Session): readonly Known[] {
  return [...viewsOf(groups)].map(([plan, alike]) => {
    const all = alike.map((group) => ({ group, resources: compiler.resourcesOf(mesh, speakerOf(group)) }));
    const base = all[0]?.resources ?? noResources;
    const names = perType(() => new Set<string>());
    for (const { type, changed, removed } of all.flatMap(({ resources }) => deltasOf(base, resources))) {
      for (const name of [...changed.keys(), ...removed]) names[type].add(name);
    }
    const versions = (resources: Resources, holds: (type: keyof Resources, name: string) => boolean) =>
      perType((type) =>
        [...resources[type].values()]
          .filter(({ name }) => holds(type, name))
          .map((resource) => [resource.name, server.versionOf(resource)] as const),
      );
    return {
      plan,
      common: versions(base, (type, name) => !names[type].has(name)),
      own: new Map(
        all.map(({ group, resources }) => [group.key, versions(resources, (type, name) => names[type].has(name))]),
      ),
    };
  });
}

/** Every checking proxy holds what the compiler says; throws with what differs otherwise. */
export async function verify(session: Session, when: string): Promise<void> {
  const { kind, load, groups, compiler, mesh, variant } = session;
  if (!kind.exact) return;
  const held = await load.tell({ do: "digests" });
  const byKey = new Map(groups.map((group) => [group.key, group]));
  for (const { workload, digests } of held) {
    const group = byKey.get(workload);
    if (group === undefined) throw new Error(`nobody knows the workload ${workload}`);
    const resources = compiler.resourcesOf(mesh, speakerOf(group));
    for (const type of benchTypes) {
      const want = digestOf(
        type,
        [...resources[type].values()].map(({ name, bytes }) => [name, bytes]),
      );
      if (digests[type] === want) continue;
      throw new Error(
        `${kind.name}, ${variant}, ${when}: a proxy of ${workload} holds ${type} ${digests[type]}, the compiler says ${want}`,
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
