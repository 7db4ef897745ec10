import { setTimeout as delay } from "node:timers/promises";
import { runMove } from "../change.ts";
import { moveInstance } from "../fixture/edits.ts";
import { everything } from "../fixture/groups.ts";
import type { MeshService } from "../fixture/mesh.ts";
import { type Session, streamsByView, verify } from "../session.ts";
import { costFigures, editFigures, resourcesOf, sumOf } from "./figures.ts";
import type { Figures, Workload } from "./workload.ts";

const pauseMs = 100;
/** After what was before: the first change of a quiet time is what is measured. */
const calmMs = 1_000;

/** Services without subsets: a change of theirs is one resource. */
export function plainServices({ mesh }: Session): readonly MeshService[] {
  const withRules = new Set([...mesh.rules.values()].map(({ spec }) => spec["host"]));
  return [...mesh.services.values()].filter(({ host }) => !withRules.has(host));
}

/** Lone endpoint changes, one after the other: each half a second or more after the one before. */
export async function loneChanges(session: Session, count: number, seenBy: SeenBy): Promise<Figures> {
  const services = plainServices(session);
  const streams = streamsByView(session);
  const changes = [];
  let expected = 0;
  await delay(calmMs);
  await session.server.inside?.loopDelay();
  for (let index = 0; index < count; index++) {
    // Far from each other.
    const host = services[(index * 37) % services.length]?.host ?? "";
    const service = session.mesh.services.get(host);
    if (service === undefined) throw new Error(`the mesh has no service ${host}`);
    const views = seenBy(service).filter((view) => streams.has(view));
    expected += views.reduce((sum, view) => sum + (streams.get(view) ?? 0), 0);
    changes.push(await runMove(session, moveInstance(service, session.events++), views));
    await delay(pauseMs);
  }
  const late = await session.server.inside?.loopDelay();
  await verify(session, "after lone changes");
  const costs = changes.map(({ cost }) => cost);
  return {
    ...editFigures(changes.map(({ tookMs }) => tookMs)),
    ...costFigures(costs, count),
    missingCount: changes.reduce((sum, { missing }) => sum + missing, 0),
    touchedCount: sumOf(costs, ({ counts }) => counts.touched) / count,
    expectedCount: expected / count,
    /** Resources beyond the one of the service at each proxy that sees it. */
    strayCount: sumOf(costs, ({ counts }) => resourcesOf(counts)) - expected,
    ...(late && { loopP99Ms: late.p99Ms }),
  };
}

/** Who sees a service: names of what groups see. */
export type SeenBy = (service: MeshService) => readonly string[];

export const everybody: SeenBy = () => [everything];
export const neighbours: SeenBy = ({ namespace }) => [namespace];

export const loneChange: Workload = {
  id: "W2a",
  title: "a lone endpoint change, every half second",
  setting: "whole",
  variants: ["delta", "sotw"],
  run: (session, { changes, wholeSetChanges }) =>
    loneChanges(session, session.variant === "sotw" ? wholeSetChanges : changes, everybody),
};
