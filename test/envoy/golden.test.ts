import { readdirSync } from "node:fs";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { afterAll, describe, expect, type TestContext, test } from "vitest";
import { processLauncher } from "../../src/app/envoy/launch.ts";
import { systemClock } from "../../src/base/clock.ts";
import { createLog } from "../../src/base/log.ts";
import { createMetrics } from "../../src/base/metrics.ts";
import { bootstrapFor } from "../../src/envoy/bootstrap.ts";
import { createResourceSet, type Resource, type ResourceSet } from "../../src/envoy/resource-set.ts";
import { ListenerSchema } from "../../src/gen/envoy/config/listener/v3/listener_pb.ts";
import { createXdsServer } from "../../src/xds/server.ts";
import { heldResources, versionsOf } from "../support/config-dump.ts";
import { envoyBinary, envoyLines, launchTestEnvoy, type TestEnvoy } from "../support/envoy.ts";
import { compileGolden, goldenFolder } from "../support/golden.ts";
import { recordingRecorder, staticFeed } from "../support/static-feed.ts";
import { waitFor } from "../support/wait-for.ts";

/* Every golden case, taken by real Envoys one after the other: held as sent, nothing refused, no word of complaint in the log. */

/** What a gRPC client gets is not for Envoys: test/grpc-clients holds it to real clients. */
const cases = readdirSync(goldenFolder).filter((name) => !name.startsWith("proxyless-"));

/**
 * The cases' addresses are not this machine's: Envoy takes the listeners without opening their sockets. One that is told to make a
 * socket transparent, and has none, crashes (1.36, 1.40).
 */
function withoutSockets({ resources }: ResourceSet): ResourceSet {
  const closed = (resource: Resource): Resource => {
    const listener = fromBinary(ListenerSchema, resource.bytes);
    listener.bindToPort = false;
    delete listener.transparent;
    return { ...resource, bytes: toBinary(ListenerSchema, listener) };
  };
  const listeners = [...resources.LDS.values()].map(closed);
  return createResourceSet([
    ...listeners,
    ...[resources.CDS, resources.EDS, resources.RDS].flatMap((table) => [...table.values()]),
  ]);
}

describe.each(envoyLines)("Envoy %s takes", (line) => {
  const feed = staticFeed(createResourceSet([]));
  const recorder = recordingRecorder();
  const server = createXdsServer({
    feed,
    recorder,
    metrics: createMetrics(),
    log: createLog({ level: "silent", format: "json", write: () => {} }),
    clock: systemClock,
    identifier: "test",
    options: { removalGraceMs: 0 },
  });
  const cleanups: (() => Promise<void>)[] = [];
  afterAll(async () => {
    for (const cleanup of cleanups) await cleanup();
    server.close();
  });

  let started: Promise<TestEnvoy> | undefined;
  const start = async (context: TestContext): Promise<TestEnvoy> => {
    const { path } = await envoyBinary(context, line);
    const xdsPort = await server.listen("127.0.0.1", 0);
    const { node } = await compileGolden("no-rules");
    return launchTestEnvoy({
      cleanup: (task) => cleanups.push(task),
      launcher: processLauncher(path),
      bootstrap: bootstrapFor({
        node,
        xds: { host: "127.0.0.1", port: xdsPort, variant: "delta" },
        admin: { host: "127.0.0.1", port: 0 },
      }),
    });
  };

  test.for(cases)("%s", async (name, context) => {
    started ??= start(context);
    const envoy = await started;
    const admin = await envoy.ready();
    feed.set(createResourceSet([]));
    // Of a listener whose filter chains alone are others Envoy keeps telling the version before: each case begins with none.
    await waitFor(async () => Object.keys((await heldResources(admin)).LDS).length === 0);
    const before = { warnings: envoy.warnings().length, events: recorder.events.length };
    const { resources } = await compileGolden(name);
    const wanted = withoutSockets(resources);
    feed.set(wanted);
    await waitFor(async () => {
      const held = await heldResources(admin);
      const { RDS, ...rest } = versionsOf(wanted);
      expect(held).toMatchObject(rest);
      expect(held.RDS).toMatchObject(RDS);
      expect(Object.keys(held.CDS)).toEqual(Object.keys(rest.CDS));
      expect(Object.keys(held.LDS)).toEqual(Object.keys(rest.LDS));
      return true;
    });
    expect(recorder.events.slice(before.events).filter(({ on }) => on === "refused")).toEqual([]);
    expect(envoy.warnings().slice(before.warnings)).toEqual([]);
  });
});
