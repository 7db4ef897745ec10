import { setTimeout as delay } from "node:timers/promises";
import type { Delta } from "./fixture/compiled.ts";
import { applyEdit, type Edit } from "./fixture/edits.ts";
import type { Mesh } from "./fixture/mesh.ts";
import type { Goal, Need } from "./load/goals.ts";
import type { Follow } from "./load/plans.ts";
import { monotonicMs } from "./monotonic.ts";
import { type Cost, costOf, deltasByView, type Session } from "./session.ts";

/** One edit, from its sending until nothing more comes. */
export interface Change {
  /** How long each proxy that it touches waited for the last of it, in milliseconds. */
  readonly tookMs: readonly number[];
  /** Proxies that it should have reached and did not. */
  readonly missing: number;
  readonly cost: Cost;
  /** By what proxies see. */
  readonly expected: ReadonlyMap<string, readonly Delta[]>;
}

const withinMs = 90_000;
const quietMs = 400;

export async function runChange(session: Session, edit: Edit): Promise<Change> {
  const next = applyEdit(session.mesh, edit);
  const expected = deltasByView(session, next);
  return { ...(await send(session, edit, next, goalOf(session, expected), followOf(expected))), expected };
}

/** How long it was worked on: without the wait that makes sure that nothing more comes. */
export const workMs = ({ cost }: Pick<Change, "cost">): number => Math.max(1, cost.wallMs - quietMs);

/** An instance moves: what it changes is known without compiling. `views`: those in which its service is. */
export async function runMove(
  session: Session,
  edit: Edit,
  views: readonly string[],
): Promise<Omit<Change, "expected">> {
  const need: Need = { responses: 1, resources: 1, removed: 0 };
  const goal = Object.fromEntries(views.map((key) => [key, { EDS: need }]));
  return send(session, edit, applyEdit(session.mesh, edit), goal, {});
}

async function send(
  session: Session,
  edit: Edit,
  next: Mesh,
  goal: Goal,
  follow: Readonly<Record<string, readonly Follow[]>>,
) {
  const { server, load } = session;
  const prepared = server.prepare(edit, next);
  await load.tell({ do: "goal", goal, follow });
  const { cost, value } = await costOf(session, async () => {
    const sentAt = monotonicMs();
    const [reached] = await Promise.all([load.tell({ do: "reach", withinMs }), prepared.send()]);
    await load.tell({ do: "quiet", quietMs, withinMs });
    return { tookMs: reached.doneAt.map((at) => at - sentAt), missing: reached.missing };
  });
  session.mesh = next;
  return { ...value, cost };
}

/** An edit that must not reach any proxy. */
export async function runSilent(session: Session, edit: Edit): Promise<Cost> {
  const next = applyEdit(session.mesh, edit);
  const prepared = session.server.prepare(edit, next);
  const { cost } = await costOf(session, async () => {
    await prepared.send();
    await delay(2 * quietMs);
  });
  session.mesh = next;
  return cost;
}

/** In delta every changed resource is waited for; in state-of-the-world one response of each type that changed. */
function goalOf({ variant, kind }: Session, expected: ReadonlyMap<string, readonly Delta[]>): Goal {
  const needOf = ({ type, changed, removed }: Delta): Need | undefined => {
    // What stands for clusters is given up with them, and needs no word of its own.
    const lost = type === "CDS" || type === "LDS" ? removed.length : 0;
    if (changed.size + lost === 0) return undefined;
    return variant === "delta" && kind.exact
      ? { responses: 1, resources: changed.size, removed: lost }
      : { responses: 1, resources: 0, removed: 0 };
  };
  return Object.fromEntries(
    [...expected].map(([key, deltas]) => [
      key,
      Object.fromEntries(
        deltas.flatMap((delta) => {
          const need = needOf(delta);
          return need === undefined ? [] : [[delta.type, need]];
        }),
      ),
    ]),
  );
}

/** Endpoints of new clusters are asked for with their clusters, and those of lost ones no longer. */
function followOf(expected: ReadonlyMap<string, readonly Delta[]>): Readonly<Record<string, readonly Follow[]>> {
  return Object.fromEntries(
    [...expected].flatMap(([key, deltas]) => {
      const endpoints = deltas.find(({ type }) => type === "EDS");
      if (endpoints === undefined || (endpoints.added.length === 0 && endpoints.removed.length === 0)) return [];
      return [[key, [{ type: "EDS", subscribe: endpoints.added, unsubscribe: endpoints.removed }]]];
    }),
  );
}
