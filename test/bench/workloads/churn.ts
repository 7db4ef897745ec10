import { setTimeout as delay } from "node:timers/promises";
import { applyEdit, maxMarkers, moveInstance } from "../fixture/edits.ts";
import { createRandom } from "../fixture/random.ts";
import { monotonicMs } from "../monotonic.ts";
import { usageOf } from "../servers/process-usage.ts";
import type { Prepared } from "../servers/server.ts";
import { costOf, type Session, verify } from "../session.ts";
import { costFigures } from "./figures.ts";
import { plainServices } from "./lone-changes.ts";
import type { Figures, Sizes, Workload } from "./workload.ts";

const quietMs = 2_000;
const withinMs = 60_000;

interface Plan {
  readonly first: number;
  readonly events: readonly Prepared[];
  /** The event before it at the same service, or -1. */
  readonly previous: readonly number[];
}

/** Random services' endpoints move, so many a second; each event is followed to each proxy. */
async function churn(session: Session, { churnSeconds, churnPerSecond }: Sizes, without: readonly number[]) {
  const { load, server } = session;
  const { first, events, previous } = prepare(session, churnSeconds * churnPerSecond);
  await load.tell({ do: "churn", first, previous });
  await server.inside?.loopDelay();
  const { cost, value: sentAt } = await costOf(session, async () => {
    const times = await sendAll(events, 1_000 / churnPerSecond);
    await load.tell({ do: "caught-up", without, withinMs });
    return times;
  });
  const late = await server.inside?.loopDelay();
  const stale = await load.tell({ do: "churned", sentAt, without });
  await load.tell({ do: "quiet", quietMs: 500, withinMs });
  if (without.length === 0) await verify(session, "after churn");
  return {
    ...{
      p50Ms: stale.p50,
      p99Ms: stale.p99,
      lastMs: stale.max,
      missingCount: stale.missing,
      watchedCount: stale.watched,
    },
    ...costFigures([cost]),
    ...(late && { loopP99Ms: late.p99Ms }),
  };
}

function prepare(session: Session, count: number): Plan {
  const first = session.events;
  if (first + count > maxMarkers) throw new Error(`more than ${maxMarkers} events in one session cannot be told apart`);
  const random = createRandom(first + 1);
  const services = plainServices(session);
  const last = new Map<string, number>();
  const previous: number[] = [];
  const events = Array.from({ length: count }, (_, event) => {
    const { host = "" } = services[random.below(services.length)] ?? {};
    const service = session.mesh.services.get(host);
    if (service === undefined) throw new Error(`the mesh has no service ${host}`);
    previous.push(last.get(host) ?? -1);
    last.set(host, event);
    const edit = moveInstance(service, session.events++);
    session.mesh = applyEdit(session.mesh, edit);
    return session.server.prepare(edit, session.mesh);
  });
  return { first, events, previous };
}

/** At their times, whether or not the ones before were taken; when each was sent. */
async function sendAll(events: readonly Prepared[], everyMs: number): Promise<readonly number[]> {
  const begun = monotonicMs();
  const sentAt: number[] = [];
  const sending: Promise<void>[] = [];
  for (const [index, event] of events.entries()) {
    await delay(Math.max(0, begun + index * everyMs - monotonicMs()));
    sentAt.push(monotonicMs());
    sending.push(event.send());
  }
  await Promise.all(sending);
  return sentAt;
}

/** The p99 without a stalled proxy, of each session that measured it. */
const undisturbed = new WeakMap<object, number>();

export const steadyChurn: Workload = {
  id: "W2b",
  title: "steady churn of endpoints",
  setting: "whole",
  variants: ["delta"],
  run: async (session, sizes) => {
    const figures = await churn(session, sizes, []);
    undisturbed.set(session, figures.p99Ms);
    return figures;
  },
};

/** Not one that checks. */
const stalled = 1;

export const stalledProxy: Workload = {
  id: "W8",
  title: "steady churn with one proxy that reads nothing",
  setting: "whole",
  variants: ["delta"],
  run: async (session, sizes): Promise<Figures> => {
    const usualP99Ms = undisturbed.get(session) ?? (await churn(session, sizes, [])).p99Ms;
    const before = await heldBytes(session);
    await session.load.tell({ do: "pause", stream: stalled });
    const figures = await churn(session, sizes, [stalled]);
    const { residentBytes } = usageOf(session.server.pids());
    const growthBytes = (await heldBytes(session)) - before;
    await session.load.tell({ do: "resume", stream: stalled });
    await session.load.tell({ do: "quiet", quietMs, withinMs });
    await verify(session, "after the stalled proxy read again");
    return { ...figures, usualP99Ms, residentBytes, ...(session.server.inside && { growthBytes }) };
  },
};

/** What our server holds when its garbage is collected; 0 of any other. */
async function heldBytes({ server: { inside } }: Session): Promise<number> {
  const held = await inside?.held();
  return held === undefined ? 0 : held.heapBytes + held.bufferBytes;
}
