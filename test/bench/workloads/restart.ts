import { usageOf } from "../servers/process-usage.ts";
import { costOf, verify } from "../session.ts";
import { costFigures } from "./figures.ts";
import type { Workload } from "./workload.ts";

const quietMs = 1_500;
const withinMs = 150_000;

export const restart: Workload = {
  id: "W5",
  title: "the server is killed and comes back; nothing changed",
  setting: "whole",
  variants: ["delta", "sotw"],
  run: async (session) => {
    const { server, load } = session;
    await load.tell({ do: "let-go" });
    await server.restart();
    const { cost, value } = await costOf(session, () => load.tell({ do: "return", quietMs, withinMs }));
    await verify(session, "after the restart");
    const { userSeconds, systemSeconds } = usageOf(server.pids());
    const [last = value.begunAt] = value.doneAt;
    return {
      ...costFigures([cost]),
      lastMs: last - value.begunAt,
      readyMs: server.readyMs(),
      /** From its start. */
      wholeCpuS: userSeconds + systemSeconds,
      loadShare: cost.counts.cpuMs / Math.max(1, last - value.begunAt),
    };
  },
};
