import { createSideServices } from "../../src/app/side-services.ts";
import { type Clock, systemClock } from "../../src/base/clock.ts";
import { createLog } from "../../src/base/log.ts";
import { createMetrics } from "../../src/base/metrics.ts";
import { createSignal } from "../../src/base/signal.ts";
import type { World } from "../../src/compile/world.ts";
import { createLedger } from "../../src/delivery/ledger.ts";
import { createXdsServer } from "../../src/xds/server.ts";
import { heldBytes } from "./heap.ts";
import { staticFeed } from "./static-feed.ts";
import { wireSet } from "./wire-resources.ts";
import type { WireCommand, WireReport } from "./wire-server.ts";

/**
 * An xDS server with everything beside it in a process of its own, so that what it holds is its own too. It is told what to do by
 * messages, answers each with one, and ends with the one who started it.
 */

const log = createLog({
  level: "error",
  format: "json",
  write: (line) => problems.add(`logged: ${line}`),
});
/** Each once: the same thing may go wrong a thousand times. */
const problems = new Set<string>();
process.on("unhandledRejection", (cause) => problems.add(`unhandled rejection: ${String(cause)}`));
process.on("uncaughtException", (cause) => problems.add(`uncaught: ${String(cause.stack ?? cause)}`));
process.on("warning", ({ name, message }) => problems.add(`warning: ${name} ${message}`));
process.on("disconnect", () => process.exit());

const timers = new Set<object>();
const clock: Clock = {
  ...systemClock,
  after: (delayMs, task) => {
    const timer = {};
    timers.add(timer);
    const cancel = systemClock.after(delayMs, () => {
      timers.delete(timer);
      task();
    });
    return () => {
      timers.delete(timer);
      cancel();
    };
  },
};

const worldOf = (round: number) => {
  const version = String(round);
  const some = { c0: version, c1: "1", c2: "1" };
  // Large enough that a client which does not read has something waiting for it.
  const large = "x".repeat(100_000);
  return wireSet({
    ...{ CDS: some, EDS: some, LDS: { l0: version, l1: large }, RDS: { r0: version }, ECDS: { e0: version } },
    ...{ SDS: { s0: version }, RTDS: { t0: version }, SRDS: { o0: version }, VHDS: { "r0/a": version } },
  });
};

const metrics = createMetrics();
const feed = staticFeed(worldOf(0));
// Few are remembered, so that what was remembered before is what is remembered afterwards.
const ledger = createLedger({ clock, metrics, keepCount: 10, keepMs: 1_000 });
const world = createSignal<World | undefined>(undefined);
const ports = { ledger, world, metrics, clock, log, resources: { servedTo: () => undefined } };
const { services } = createSideServices({ ...ports, lrsIntervalMs: 1_000 });
/** One for each server, and that of what is beside them. */
const registries = [metrics];

async function listen(options: Extract<WireCommand, { readonly do: "listen" }>["options"]): Promise<number> {
  const own = createMetrics();
  registries.push(own);
  const server = createXdsServer({
    ...{ feed, recorder: ledger, metrics: own, log, clock, services, identifier: "fairway/test" },
    options: {
      ...{ removalGraceMs: 20, ackTimeoutMs: 500, rememberMs: 1, maxCachedBytes: 512 * 1_024 },
      ...options,
    },
  });
  return server.listen("127.0.0.1", 0);
}

/** The sums of all gauges and counters of ours, over their labels. */
async function sums(): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  const texts = await Promise.all(registries.map(async (registry) => (await registry.expose()).text));
  for (const line of texts.join("\n").split("\n")) {
    const [, name = "", value = ""] = /^(fairway_(?:xds|side)_\w+)(?:\{.*\})? (\S+)$/.exec(line) ?? [];
    if (name !== "") found[name] = (found[name] ?? 0) + Number(value);
  }
  return found;
}

const carryOut = async (command: WireCommand): Promise<WireReport[keyof WireReport]> => {
  switch (command.do) {
    case "listen":
      return listen(command.options);
    case "set":
      feed.set(worldOf(command.round));
      return undefined;
    case "look": {
      const connected = ledger.proxies().filter(({ streams }) => streams > 0).length;
      return { metrics: await sums(), timers: timers.size, connected, problems: [...problems] };
    }
    case "weigh":
      return heldBytes();
  }
};

process.on("message", (command: WireCommand) => {
  carryOut(command).then(
    (report) => process.send?.({ report }),
    (cause: unknown) => process.send?.({ failure: String(cause) }),
  );
});
