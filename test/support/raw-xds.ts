import type { TestContext } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { createLog } from "../../src/base/log.ts";
import { createMetrics, type Metrics } from "../../src/base/metrics.ts";
import { createResourceSet, type Resource } from "../../src/envoy/resource-set.ts";
import type { XdsOptions } from "../../src/xds/options.ts";
import { createXdsServer, type XdsServer } from "../../src/xds/server.ts";
import { recordingRecorder, staticFeed } from "./static-feed.ts";

/** Our xDS server with nothing behind it but resources that a test sets. */
export interface RawXds {
  readonly port: number;
  readonly server: XdsServer;
  readonly recorder: ReturnType<typeof recordingRecorder>;
  readonly metrics: Metrics;
  readonly set: (...resources: readonly Resource[]) => void;
  /** The value of a counter or gauge, all labels together. */
  readonly metric: (name: string) => Promise<number>;
  /** Streams opened so far. */
  readonly opened: () => number;
}

export async function startRawXds(
  context: Pick<TestContext, "onTestFinished">,
  resources: readonly Resource[],
  { port = 0, options = {} }: { readonly port?: number; readonly options?: Partial<XdsOptions> } = {},
): Promise<RawXds> {
  const feed = staticFeed(createResourceSet(resources));
  const recorder = recordingRecorder();
  const metrics = createMetrics();
  let opened = 0;
  const server = createXdsServer({
    feed,
    recorder: {
      ...recorder,
      opened: () => {
        opened++;
      },
    },
    metrics,
    log: createLog({ level: "silent", format: "json", write: () => {} }),
    clock: systemClock,
    identifier: "test",
    options: { removalGraceMs: 0, ...options },
  });
  context.onTestFinished(() => server.close());
  return {
    port: await server.listen("127.0.0.1", port),
    server,
    recorder,
    metrics,
    set: (...next) => feed.set(createResourceSet(next)),
    metric: async (name) => {
      const lines = (await metrics.expose()).text.split("\n").filter((line) => new RegExp(`^${name}[ {]`).test(line));
      return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
    },
    opened: () => opened,
  };
}
