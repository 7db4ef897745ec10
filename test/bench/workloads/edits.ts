import { type Change, runChange, runSilent, workMs } from "../change.ts";
import { annotate, changeBalancer, changeEveryCluster, type Edit, shiftWeight } from "../fixture/edits.ts";
import { type MeshRule, type MeshService, namespaceOf, ruleId, virtualAddress } from "../fixture/mesh.ts";
import { type BenchType, benchTypes } from "../fixture/types.ts";
import { type Session, streamsByView, verify } from "../session.ts";
import { bytesOf, costFigures, editFigures, resourcesOf, sumOf } from "./figures.ts";
import type { Figures, Workload } from "./workload.ts";

/** The edits one after the other; figures are means of one edit. */
async function runEdits(session: Session, edits: readonly Edit[]) {
  const changes: Change[] = [];
  for (const edit of edits) changes.push(await runChange(session, edit));
  await verify(session, "after edits");
  return changes;
}

function figuresOf(changes: readonly Change[]): Figures {
  const costs = changes.map(({ cost }) => cost);
  return {
    ...editFigures(changes.map(({ tookMs }) => tookMs)),
    ...costFigures(costs, changes.length),
    missingCount: changes.reduce((sum, { missing }) => sum + missing, 0),
    loadShare: sumOf(costs, ({ counts }) => counts.cpuMs) / changes.reduce((sum, change) => sum + workMs(change), 0),
  };
}

/** Resources that no proxy had to be sent; a cluster that changes may bring its endpoints. */
function strayOf(session: Session, changes: readonly Change[]): number {
  const streams = streamsByView(session);
  const due = (change: Change, type: BenchType): number =>
    [...change.expected].reduce((sum, [key, deltas]) => {
      const names = deltas.find((delta) => delta.type === type)?.changed.size ?? 0;
      return sum + names * (streams.get(key) ?? 0);
    }, 0);
  const stray = changes.map((change) =>
    benchTypes.reduce((sum, type) => {
      const sent = resourcesOf(change.cost.counts, [type]);
      const allowed = due(change, type) + (type === "EDS" ? due(change, "CDS") : 0);
      return sum + Math.max(0, sent - allowed);
    }, 0),
  );
  return stray.reduce((sum, count) => sum + count, 0);
}

/** The first rule of its kind that speaks of a service. */
function ruleOf({ mesh }: Session, kind: string): MeshRule {
  const found = [...mesh.rules.values()].find((rule) => rule.kind === kind);
  if (found === undefined) throw new Error(`the mesh is too small to have a ${kind}: give it 20 services or more`);
  return found;
}

const balancers = ["RANDOM", "ROUND_ROBIN", "LEAST_REQUEST"];
const balancerAt = (index: number): string => balancers[index % balancers.length] ?? "RANDOM";

const edited = (session: Session, count: number, edit: (index: number) => Edit) =>
  runEdits(
    session,
    Array.from({ length: count }, (_, index) => edit(index)),
  );

export const routeEdit: Workload = {
  id: "W3a",
  title: "the weights of one VirtualService",
  setting: "whole",
  variants: ["delta", "sotw"],
  run: async (session, { ruleEdits }) => {
    const rule = ruleOf(session, "VirtualService");
    const changes = await edited(session, ruleEdits, (index) => shiftWeight(rule, 50 + index));
    return { ...figuresOf(changes), strayCount: strayOf(session, changes) };
  },
};

export const clusterEdit: Workload = {
  id: "W3b",
  title: "the balancer of one DestinationRule",
  setting: "whole",
  variants: ["delta", "sotw"],
  run: async (session, { ruleEdits }) => {
    const rule = ruleOf(session, "DestinationRule");
    const changes = await edited(session, ruleEdits, (index) => changeBalancer(rule, balancerAt(index)));
    return { ...figuresOf(changes), strayCount: strayOf(session, changes) };
  },
};

export const serviceEdit: Workload = {
  id: "W4",
  title: "a service comes, and goes",
  setting: "whole",
  variants: ["delta"],
  run: async (session, { edits }) => {
    const service = newService(session);
    const changes = await edited(session, 2 * edits, (index) =>
      index % 2 === 0 ? { kind: "put-service", service } : { kind: "delete-service", service },
    );
    return figuresOf(changes);
  },
};

function newService({ mesh }: Session): MeshService {
  const [like] = mesh.services.values();
  if (like === undefined) throw new Error("the mesh has no service");
  const namespace = namespaceOf(0);
  const name = "newcomer-api";
  const instances = like.instances.map((instance, index) => ({
    ...instance,
    id: `${name}-${index}`,
    address: `10.254.0.${index}`,
  }));
  const host = `${name}.${namespace}.svc.cluster.local`;
  return { ...like, name, namespace, host, address: virtualAddress(mesh.services.size), instances };
}

export const fullPush: Workload = {
  id: "W6",
  title: "every cluster changes",
  setting: "whole",
  variants: ["delta", "sotw"],
  run: async (session, { edits }) =>
    figuresOf(await edited(session, edits, (index) => changeEveryCluster(balancerAt(index)))),
};

export const silentEdits: Workload = {
  id: "W7",
  title: "an edit that changes nothing, and an annotation",
  setting: "whole",
  variants: ["delta", "sotw"],
  run: async (session) => {
    const rule = session.mesh.rules.get(ruleId(ruleOf(session, "DestinationRule")));
    if (rule === undefined) throw new Error("the rule is gone");
    const costs = [
      await runSilent(session, { kind: "put-rule", rule }),
      await runSilent(session, annotate(rule, "reviewed")),
    ];
    return { ...costFigures(costs), sentBytes: sumOf(costs, ({ counts }) => bytesOf(counts)) };
  },
};
