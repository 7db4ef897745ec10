import { costOf, verify } from "../session.ts";
import { loneChanges, neighbours } from "./lone-changes.ts";
import type { Workload } from "./workload.ts";

export const scopedMesh: Workload = {
  id: "W9",
  title: "each proxy sees its own namespace; endpoints change",
  setting: "scoped",
  variants: ["delta"],
  run: async (session, { changes }) => {
    const { cost, value } = await costOf(session, () => session.load.tell({ do: "storm", withinMs: 150_000 }));
    if (value.missing > 0) throw new Error(`${session.kind.name}: ${value.missing} proxies are not complete`);
    await session.load.tell({ do: "quiet", quietMs: 500, withinMs: 10_000 });
    await verify(session, "after the storm");
    const stormLastMs = Math.max(...value.doneAt) - value.begunAt;
    const stormCpuS = cost.userSeconds + cost.systemSeconds;
    return { ...(await loneChanges(session, changes, neighbours)), stormLastMs, stormCpuS };
  },
};
