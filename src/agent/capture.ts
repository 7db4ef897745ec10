import { readFile } from "node:fs/promises";
import { MeshError } from "../base/errors.ts";
import { type Family, families } from "./capture-options.ts";
import { emptyPlan, type FamilyPlan } from "./capture-plan.ts";
import { type RoutingState, readRouting, routingChanges, routingQueries } from "./routing-state.ts";
import type { RunCommand } from "./run-command.ts";
import { plannedTables, readTables, type TablesState, tableChanges } from "./table-state.ts";

/** What is ours in one family. */
export interface CaptureState {
  readonly tables: TablesState;
  readonly routing: RoutingState;
}

/** What became of one family. */
export interface FamilyOutcome {
  readonly family: Family;
  /** Is it captured now? */
  readonly captured: boolean;
  /** Was it otherwise before? */
  readonly changed: boolean;
}

export interface CaptureSystem {
  readonly run: RunCommand;
  /** Is IPv6 switched off on `lo`? Then no address can be added there, and nobody calls anybody by IPv6. */
  readonly isIpv6Off: () => Promise<boolean>;
}

export const isIpv6Off = async (): Promise<boolean> =>
  (await readFile("/proc/sys/net/ipv6/conf/lo/disable_ipv6", "utf8").catch(() => "0")).trim() === "1";

/**
 * Makes the present network namespace what the plans say; families without a plan are freed. Either all of it is done, or, when something fails, what was
 * there before is put back and the failure thrown.
 */
export async function setCapture(
  system: CaptureSystem,
  plans: readonly FamilyPlan[],
): Promise<readonly FamilyOutcome[]> {
  const before = await readFamilies(system, plans);
  const done: Step[] = [];
  try {
    for (const step of stepsOf(before, plans)) {
      done.push(step);
      await step.to(system);
    }
  } catch (cause) {
    throw await goneBack(system, done, MeshError.from(cause));
  }
  const outcomes: FamilyOutcome[] = [];
  for (const [family, was] of before) {
    const is = await readState(system, family);
    outcomes.push({
      family,
      captured: plans.some((plan) => plan.family === family && plan.rules.length > 0),
      changed: JSON.stringify(is) !== JSON.stringify(was),
    });
  }
  return outcomes;
}

/** A family that nobody asked for may be one that the system does not have. */
async function readFamilies(
  system: CaptureSystem,
  plans: readonly FamilyPlan[],
): Promise<ReadonlyMap<Family, CaptureState>> {
  const states = new Map<Family, CaptureState>();
  let failure: unknown;
  for (const family of families) {
    try {
      states.set(family, await readState(system, family));
    } catch (cause) {
      if (plans.some((plan) => plan.family === family)) throw cause;
      failure ??= cause;
    }
  }
  if (states.size === 0) throw failure;
  return states;
}

const commandOf: Readonly<Record<Family, string>> = { ipv4: "iptables", ipv6: "ip6tables" };

const readState = async (system: CaptureSystem, family: Family): Promise<CaptureState> => ({
  tables: await tablesNow(system, family),
  routing: await routingNow(system, family),
});

const tablesNow = async ({ run }: CaptureSystem, family: Family): Promise<TablesState> =>
  readTables(await run(`${commandOf[family]}-save`, []));

async function routingNow({ run }: CaptureSystem, family: Family): Promise<RoutingState> {
  const answers: string[] = [];
  for (const query of routingQueries(family)) answers.push(await run("ip", query).catch(noSuchTable));
  return readRouting(answers);
}

/** A route table comes with its first route. */
function noSuchTable(cause: unknown): string {
  if (cause instanceof MeshError && /FIB table does not exist/.test(cause.message)) return "";
  throw cause;
}

/** A part of the way, there and back. */
interface Step {
  readonly to: (system: CaptureSystem) => Promise<void>;
  readonly back: (system: CaptureSystem) => Promise<void>;
}

/** What the rules rely on is there before them, and goes after them. */
function stepsOf(before: ReadonlyMap<Family, CaptureState>, plans: readonly FamilyPlan[]): readonly Step[] {
  return [...before].flatMap(([family, was]): readonly Step[] => {
    const plan = plans.find((one) => one.family === family) ?? emptyPlan(family);
    const routing = (to: RoutingState): Step => ({
      to: (system) => setRouting(system, family, to),
      back: (system) => setRouting(system, family, was.routing),
    });
    return [
      routing(joined(was.routing, plan.routing)),
      {
        to: (system) => setTables(system, family, plannedTables(plan.rules)),
        back: (system) => setTables(system, family, was.tables),
      },
      routing(plan.routing),
    ];
  });
}

const joined = (a: RoutingState, b: RoutingState): RoutingState => ({
  selectors: [...new Set([...a.selectors, ...b.selectors])],
  hasRoute: a.hasRoute || b.hasRoute,
  hasAddress: a.hasAddress || b.hasAddress,
});

async function setTables(system: CaptureSystem, family: Family, to: TablesState): Promise<void> {
  const input = tableChanges(await tablesNow(system, family), to);
  if (input !== "") await system.run(`${commandOf[family]}-restore`, restoreArgs, input);
}

/** Waits for the lock of the tables for up to 10 s. */
export const restoreArgs: readonly string[] = ["--noflush", "--wait=10"];

async function setRouting(system: CaptureSystem, family: Family, wanted: RoutingState): Promise<void> {
  const routing = await routingNow(system, family);
  const hasAddress = wanted.hasAddress && (routing.hasAddress || !(await system.isIpv6Off()));
  for (const command of routingChanges(family, routing, { ...wanted, hasAddress })) await system.run("ip", command);
}

/** The last step too: it may be half done. */
async function goneBack(system: CaptureSystem, done: readonly Step[], failure: MeshError): Promise<MeshError> {
  const also: string[] = [];
  for (const step of done.toReversed()) {
    await step.back(system).catch((cause: unknown) => also.push(MeshError.from(cause).message));
  }
  if (also.length === 0) {
    return new MeshError(failure.code, `${failure.message}\n  Everything is as it was before.`, {
      ...(failure.hint !== undefined && { hint: failure.hint }),
      cause: failure,
    });
  }
  return new MeshError("capture/failed", [failure.message, ...also].join("\n  "), {
    hint: "Not everything could be put back: run `fairway agent capture --remove` when the cause is gone.",
    cause: failure,
  });
}
