import { onTestFinished } from "vitest";
import { type Clock, systemClock } from "../../src/base/clock.ts";
import { createLog } from "../../src/base/log.ts";
import { createMetrics } from "../../src/base/metrics.ts";
import { createLedger } from "../../src/delivery/ledger.ts";
import type { ResourceSet } from "../../src/envoy/resource-set.ts";
import type { XdsOptions } from "../../src/xds/options.ts";
import { createXdsServer, type XdsServerPorts } from "../../src/xds/server.ts";
import { staticFeed } from "../support/static-feed.ts";
import type { Versions } from "../support/wire-resources.ts";
import { connectXds, type DeltaStream, type Received, type SotwStream } from "../support/xds-client.ts";

export const node = { id: "sidecar~10.0.0.1~web-1.shop~shop.svc.cluster.local", userAgentName: "envoy" };

/** A node of its own for each number. */
export const nodeOf = (index: number) => ({ ...node, id: `sidecar~10.0.0.1~web-${index}.shop~shop.svc.cluster.local` });

const options: Partial<XdsOptions> = { removalGraceMs: 50, ackTimeoutMs: 2_000 };

/** A server on loopback with a feed and clients of the test's own; all of it ends with the test. */
export async function startServer(
  first: ResourceSet,
  more: Partial<XdsOptions> = {},
  ports: Partial<XdsServerPorts> = {},
) {
  const feed = staticFeed(first);
  const metrics = createMetrics();
  const ledger = createLedger({ clock: systemClock, metrics });
  const { clock, pending } = countingClock();
  const server = createXdsServer({
    feed,
    recorder: ledger,
    metrics,
    log: createLog({ level: "silent", format: "json", write: () => {} }),
    clock,
    identifier: "fairway/test",
    ...ports,
    options: { ...options, ...more },
  });
  onTestFinished(server.close);
  const port = await server.listen("127.0.0.1", 0);
  const client = () => {
    const one = connectXds(port);
    onTestFinished(one.close);
    return one;
  };
  /** The sum of the metric `fairway_xds_…` over its labels that begin like this. */
  const metric = async (name: string, labels = ""): Promise<number> => {
    const lines = (await metrics.expose()).text.split("\n").filter((line) => {
      const [, found, shown = ""] = /^(\w+)(?:\{(.*)\})? /.exec(line) ?? [];
      return found === `fairway_xds_${name}` && shown.startsWith(labels);
    });
    return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
  };
  return { server, feed, ledger, port, client, metrics, metric, pending, openStreams: () => metric("streams") };
}

/** The system's clock, which knows how many timers wait. */
function countingClock(): { readonly clock: Clock; readonly pending: () => number } {
  const waiting = new Set<object>();
  const clock: Clock = {
    ...systemClock,
    after: (delayMs, task) => {
      const timer = {};
      waiting.add(timer);
      const cancel = systemClock.after(delayMs, () => {
        waiting.delete(timer);
        task();
      });
      return () => {
        waiting.delete(timer);
        cancel();
      };
    },
  };
  return { clock, pending: () => waiting.size };
}

export const versions = ({ resources }: Received): Record<string, string> =>
  Object.fromEntries([...resources].map(([name, { content }]) => [name, content]));

/** One resource of each compiled type. */
export const old: Versions = { CDS: { c1: "1" }, EDS: { c1: "1" }, LDS: { l: "1" }, RDS: { r: "1" } };

export async function startSotw(stream: SotwStream): Promise<void> {
  stream.send("CDS", { node });
  await stream.accept("CDS");
  stream.send("EDS", { names: ["c1"] });
  await stream.accept("EDS");
  stream.send("LDS");
  await stream.accept("LDS");
  stream.send("RDS", { names: ["r"] });
  await stream.accept("RDS");
}

export async function startDelta(stream: DeltaStream): Promise<void> {
  stream.send("CDS", { node });
  await stream.accept("CDS");
  stream.send("EDS", { subscribe: ["c1"] });
  await stream.accept("EDS");
  stream.send("LDS");
  await stream.accept("LDS");
  stream.send("RDS", { subscribe: ["r"] });
  await stream.accept("RDS");
}
