import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { createMeshCompiler } from "./fixture/compiled.ts";
import { applyEdit, type Edit, maxMarkers, moveInstance, shiftWeight } from "./fixture/edits.ts";
import { everything, groupsOf } from "./fixture/groups.ts";
import { createMesh } from "./fixture/mesh.ts";
import { type BenchNode, createClients } from "./fixture/nodes.ts";
import { createRandom } from "./fixture/random.ts";
import { checkLimits } from "./limits.ts";
import { monotonicMs } from "./monotonic.ts";
import { fairway } from "./servers/fairway.ts";
import type { Held } from "./servers/server.ts";
import { type Session, verify, withProxies, withSession } from "./session.ts";
import { spreadOf } from "./statistics.ts";
import { WrongUse } from "./wrong-use.ts";

/*
 * A day of a mesh in half an hour: instances move, rules are edited, proxies leave and come back, and the server must hold no more
 * at the end than it did when it had warmed up.
 */

export const soakHelp = `Usage: npm run bench -- soak [options]

Half an hour of changes at 48 times the rate of a day, in which 9,000 instances move, a rule is edited 90 times, and each proxy
comes back every half an hour. Prints what the server holds each time, and exits with 1 when it grows.

Options:
  --minutes N     how long (default 30)
  --services N    of the mesh, ten instances each (default 1000)
  --proxies N     that stay; a tenth of their number comes and goes (default 1000)
  -h, --help      show this help`;

interface SoakOptions {
  readonly minutes: number;
  readonly services: number;
  readonly proxies: number;
}

const movesPerSecond = 5;
const secondsPerRule = 20;
/** A tenth of the proxies comes, and goes: 48 times each in a day that lasts half an hour. */
const secondsPerVisit = 3.75;
const looks = 30;
/** Looks of which medians are taken: what it held when it had warmed up, after a third of the time, and at the end. */
const sample = 5;
const mayGrow = 1.05;
const withinMs = 60_000;

interface Look extends Held {
  readonly atMs: number;
  readonly watches: number;
  readonly streams: number;
  readonly ledger: number;
}

/** Returns the exit code. */
export async function soak(args: readonly string[]): Promise<0 | 1> {
  const options = readSoakOptions(args);
  if (options === undefined) {
    console.log(soakHelp);
    return 0;
  }
  const { services, proxies } = options;
  const visitors = Math.ceil(proxies / 10);
  checkLimits(proxies + visitors);
  const mesh = createMesh({ services, instances: 10, visibility: "everything" });
  const nodes = createClients(proxies + visitors, ["clients"]);
  const groups = groupsOf(nodes.slice(0, proxies), () => everything);
  const looksTaken = await withSession(
    { kind: fairway, variant: "delta", compiler: createMeshCompiler(), mesh, groups },
    async (session) => {
      // Timers are counted from the first look on.
      await lookAt(session, 0);
      await session.load.tell({ do: "storm", withinMs });
      const visits = () => visit(session, nodes.slice(proxies));
      const taken = await changeAndLook(session, options.minutes * 60_000, visits);
      await session.load.tell({ do: "quiet", quietMs: 1_000, withinMs });
      await verify(session, "after the soak");
      return taken;
    },
  );
  return report(looksTaken, proxies, visitors);
}

function readSoakOptions(args: readonly string[]): SoakOptions | undefined {
  const number = (fallback: string) => ({ type: "string", default: fallback }) as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: number("30"),
      services: number("1000"),
      proxies: number("1000"),
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return undefined;
  const read = (name: "minutes" | "services" | "proxies"): number => {
    const value = Number(values[name]);
    if (!(value > 0)) throw new WrongUse(`--${name} ${values[name]} is no positive number`);
    return value;
  };
  return { minutes: read("minutes"), services: read("services"), proxies: read("proxies") };
}

/** All three kinds of change go on beside each other until the time is over; between visits it is looked what the server holds. */
async function changeAndLook(session: Session, forMs: number, visits: () => Promise<void>): Promise<readonly Look[]> {
  const begun = monotonicMs();
  const isOver = (): boolean => monotonicMs() - begun >= forMs;
  const taken: Look[] = [];
  const edits = editing(session, isOver);
  for (let visited = 0; !isOver(); visited++) {
    // Where an edit fails, this fails as well.
    await Promise.race([visits(), edits.then(() => delay(withinMs))]);
    await delay(Math.max(0, begun + (visited + 1) * secondsPerVisit * 1_000 - monotonicMs()));
    if (monotonicMs() - begun < ((taken.length + 1) * forMs) / looks) continue;
    const look = await lookAt(session, monotonicMs() - begun);
    taken.push(look);
    console.log(line(look));
  }
  await edits;
  return taken;
}

/** Instances move and a rule changes, at their times. */
async function editing(session: Session, isOver: () => boolean): Promise<void> {
  const random = createRandom(1);
  const hosts = [...session.mesh.services.keys()];
  const rule = [...session.mesh.rules.values()].find(({ kind }) => kind === "VirtualService");
  if (rule === undefined)
    throw new WrongUse("the mesh is too small to have a VirtualService: give it 20 services or more");
  const send = async (edit: Edit): Promise<void> => {
    session.mesh = applyEdit(session.mesh, edit);
    await session.server.prepare(edit, session.mesh).send();
  };
  const move = async (): Promise<void> => {
    const service = session.mesh.services.get(hosts[random.below(hosts.length)] ?? "");
    if (service !== undefined) await send(moveInstance(service, session.events++ % maxMarkers));
  };
  const every = async (ms: number, task: (index: number) => Promise<void>): Promise<void> => {
    const begun = monotonicMs();
    for (let index = 0; !isOver(); index++) {
      await task(index);
      await delay(Math.max(0, begun + (index + 1) * ms - monotonicMs()));
    }
  };
  await Promise.all([
    every(1_000 / movesPerSecond, move),
    every(secondsPerRule * 1_000, (index) => send(shiftWeight(rule, 10 + (index % 80)))),
  ]);
}

/** Proxies come, get everything, and are cut off. */
async function visit({ server, kind, variant, compiler, mesh }: Session, nodes: readonly BenchNode[]) {
  const groups = groupsOf(nodes, () => everything);
  await withProxies({ server, kind, variant, compiler, mesh }, groups, async ({ load }) => {
    await load.tell({ do: "storm", withinMs });
  });
}

async function lookAt({ server }: Session, atMs: number): Promise<Look> {
  const { inside } = server;
  if (inside === undefined) throw new Error("nobody can look inside this server");
  const held = await inside.held();
  const metric = await inside.metrics();
  return {
    ...{ ...held, atMs, watches: metric("fairway_xds_watches"), streams: metric("fairway_xds_streams") },
    ledger: metric("fairway_ledger_proxies"),
  };
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

const line = ({ atMs, heapBytes, bufferBytes, timers, watches, streams, ledger }: Look): string =>
  [
    `${(atMs / 60_000).toFixed(1).padStart(5)} min`,
    `heap ${megabytes(heapBytes)}`,
    `buffers ${megabytes(bufferBytes)}`,
    `${timers} timers, ${watches} watches, ${streams} streams, ${ledger} proxies in the ledger`,
  ].join("  ");

function report(taken: readonly Look[], proxies: number, visitors: number): 0 | 1 {
  const medianOf = (looked: readonly Look[], of: (look: Look) => number): number => spreadOf(looked.map(of)).median;
  const warm = taken.slice(Math.floor(taken.length / 3), Math.floor(taken.length / 3) + sample);
  const last = taken.slice(-sample);
  if (taken.length < 3 * sample) throw new Error(`only ${taken.length} looks: make it longer`);
  const growth = (of: (look: Look) => number): number => medianOf(last, of) / Math.max(1, medianOf(warm, of));
  const rows = [
    ["heap, end to warm", growth(({ heapBytes }) => heapBytes), mayGrow],
    ["heap and buffers, end to warm", growth((look) => look.heapBytes + look.bufferBytes), mayGrow],
    ["timers, end to warm", growth(({ timers }) => timers), mayGrow],
    ["watches for each stream", Math.max(...last.map(({ watches, streams }) => watches / streams)), 1],
    ["streams for each proxy", Math.max(...last.map(({ streams }) => streams / (proxies + visitors))), 1],
    [
      "proxies in the ledger for each that was there",
      Math.max(...last.map(({ ledger }) => ledger / (proxies + visitors))),
      1,
    ],
  ] as const;
  for (const [what, found, atMost] of rows) {
    console.log(`${found <= atMost ? "met   " : "missed"}  ${what}: ${found.toFixed(3)}, at most ${atMost}`);
  }
  return rows.every(([, found, atMost]) => found <= atMost) ? 0 : 1;
}
