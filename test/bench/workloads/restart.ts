import { usageOf } from "../servers/process-usage.ts";
import { type Cost, costOf, knownByProxies, type Session, verify } from "../session.ts";
import { spreadOf } from "../statistics.ts";
import { costFigures } from "./figures.ts";
import type { Workload } from "./workload.ts";

const quietMs = 1_500;
const withinMs = 150_000;

interface Return {
  readonly cost: Cost;
  readonly lastMs: number;
  readonly readyMs: number;
  /** From the server's start. */
  readonly wholeCpuS: number;
}

async function comeBack(session: Session): Promise<Return> {
  const { server, load } = session;
  const known = session.variant === "delta" ? knownByProxies(session) : [];
  await load.tell({ do: "let-go" });
  await server.restart();
  const { cost, value } = await costOf(session, () => load.tell({ do: "return", known, quietMs, withinMs }));
  await verify(session, "after the restart");
  const { userSeconds, systemSeconds } = usageOf(server.pids());
  const [last = value.begunAt] = value.doneAt;
  return { cost, lastMs: last - value.begunAt, readyMs: server.readyMs(), wholeCpuS: userSeconds + systemSeconds };
}

export const restart: Workload = {
  id: "W5",
  title: "the server is killed and comes back; nothing changed",
  setting: "whole",
  variants: ["delta", "sotw"],
  run: async (session, { restarts }) => {
    const returns: Return[] = [];
    for (let index = 0; index < restarts; index++) returns.push(await comeBack(session));
    const costs = returns.map(({ cost }) => cost);
    const median = (of: (one: Return) => number): number => spreadOf(returns.map(of)).median;
    return {
      ...costFigures(costs, restarts),
      lastMs: median(({ lastMs }) => lastMs),
      readyMs: median(({ readyMs }) => readyMs),
      wholeCpuS: median(({ wholeCpuS }) => wholeCpuS),
      loadShare: median(({ cost, lastMs }) => cost.counts.cpuMs / Math.max(1, lastMs)),
    };
  },
};
