import { setTimeout as delay } from "node:timers/promises";
import { everything, groupsOf } from "../fixture/groups.ts";
import { createClients } from "../fixture/nodes.ts";
import { usageOf } from "../servers/process-usage.ts";
import { costOf, type Session, verify, withProxies } from "../session.ts";
import { costFigures, timeFigures } from "./figures.ts";
import type { Figures, Workload } from "./workload.ts";

const withinMs = 150_000;
const settleMs = 3_000;

async function storm(session: Session): Promise<Figures> {
  const { load, server } = session;
  const compiled = async () => (await server.inside?.metrics())?.("fairway_compiles_total") ?? Number.NaN;
  const compiledBefore = await compiled();
  await server.inside?.loopDelay();
  const { cost, value } = await costOf(session, () => load.tell({ do: "storm", withinMs }));
  if (value.missing > 0) {
    throw new Error(
      `${session.kind.name}, storm: ${value.missing} proxies are not complete after ${withinMs / 1_000} s; drops: ${JSON.stringify(cost.counts.drops)}`,
    );
  }
  const late = await server.inside?.loopDelay();
  await load.tell({ do: "quiet", quietMs: 500, withinMs: 10_000 });
  await verify(session, "after the storm");
  return {
    ...timeFigures(value.doneAt.map((at) => at - value.begunAt)),
    ...costFigures([cost]),
    loadShare: cost.loadBusy,
    compilesCount: (await compiled()) - compiledBefore,
    profilesCount: session.groups.length,
    ...(late && { loopP99Ms: late.p99Ms, loopMaxMs: late.maxMs }),
  };
}

export const coldStorm: Workload = {
  id: "W1",
  title: "cold storm: all dial at once",
  setting: "whole",
  variants: ["delta", "sotw"],
  run: async (session) => {
    const emptyReadyMs = session.server.readyMs();
    const figures = await storm(session);
    await delay(settleMs);
    const { residentBytes, peakBytes } = usageOf(session.server.pids());
    // A library is ready when its program is: there is nothing to compare.
    return { ...figures, ...(session.server.inside && { emptyReadyMs }), residentBytes, peakBytes };
  },
};

/** Kinds of proxies, each with a configuration of its own. */
const profiles = 5;

export const stormOfProfiles: Workload = {
  id: "W1b",
  title: `storm of ${profiles} kinds of proxies`,
  setting: "whole",
  variants: ["delta"],
  run: async (session) => {
    const { server, compiler, kind, variant, mesh } = session;
    const count = session.groups.reduce((sum, { nodes }) => sum + nodes.length, 0);
    const names = Array.from({ length: profiles }, (_, index) => `tenant-${index}`);
    const groups = groupsOf(createClients(count, names), () => everything);
    await server.expectGroups(groups);
    return withProxies({ server, compiler, kind, variant, mesh }, groups, storm);
  },
};
