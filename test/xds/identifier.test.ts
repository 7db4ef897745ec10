import { expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { createLog } from "../../src/base/log.ts";
import { createMetrics } from "../../src/base/metrics.ts";
import { createXdsServer } from "../../src/xds/server.ts";
import { recordingRecorder, staticFeed } from "../support/static-feed.ts";
import { wireSet } from "../support/wire-resources.ts";
import { connectXds } from "../support/xds-client.ts";

const node = { id: "sidecar~10.0.0.1~web-1.shop~shop.svc.cluster.local" };

test("OBS-01 each response of each type and variant says who answers, the same all the while", async (context) => {
  const feed = staticFeed(wireSet({ CDS: { a: "1" }, EDS: { a: "1" }, LDS: { l: "1" }, RDS: { r: "1" } }));
  const server = createXdsServer({
    ...{ feed, recorder: recordingRecorder(), metrics: createMetrics(), clock: systemClock },
    log: createLog({ level: "silent", format: "json", write: () => {} }),
    identifier: "fairway/1.2.3 host-1",
  });
  context.onTestFinished(server.close);
  const client = connectXds(await server.listen("127.0.0.1", 0));
  context.onTestFinished(client.close);

  const [sotw, delta] = [client.openSotw(), client.openDelta()];
  for (const [type, names] of [
    ["CDS", []],
    ["EDS", ["a"]],
    ["LDS", []],
    ["RDS", ["r"]],
  ] as const) {
    sotw.send(type, { node, names });
    delta.send(type, { node, subscribe: names });
    await Promise.all([sotw.accept(type), delta.accept(type)]);
  }
  feed.set(wireSet({ CDS: { a: "2" }, EDS: { a: "1" }, LDS: { l: "1" }, RDS: { r: "1" } }));
  // A changed cluster brings its endpoints along.
  for (const type of ["CDS", "EDS"] as const) await Promise.all([sotw.accept(type), delta.accept(type)]);
  const received = [...sotw.received, ...delta.received];
  expect(received).toHaveLength(12);
  expect(new Set(received.map(({ identifier }) => identifier))).toEqual(new Set(["fairway/1.2.3 host-1"]));
});
