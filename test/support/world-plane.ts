import type { TestContext } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { createMetrics } from "../../src/base/metrics.ts";
import { createSignal } from "../../src/base/signal.ts";
import { createCompiler } from "../../src/compile/compile.ts";
import type { World } from "../../src/compile/world.ts";
import { createLedger, type Ledger } from "../../src/delivery/ledger.ts";
import { type CatalogEntry, createCatalog } from "../../src/model/catalog.ts";
import { shareCatalog } from "../../src/registry/share-catalog.ts";
import { createResourceCache } from "../../src/snapshot/resource-cache.ts";
import { createXdsServer } from "../../src/xds/server.ts";
import { silentLog } from "../registry/rest-lab.ts";
import { world } from "./mesh.ts";

/** The stations from a world to the wire. */
export interface WorldPlane {
  /** Of the xDS server, on loopback. */
  readonly port: number;
  readonly ledger: Ledger;
  /** The next world: these services, under the same rules. */
  readonly set: (...services: readonly CatalogEntry[]) => void;
}

export async function startWorldPlane(
  { onTestFinished }: Pick<TestContext, "onTestFinished">,
  ...services: readonly CatalogEntry[]
): Promise<WorldPlane> {
  const [clock, log, metrics] = [systemClock, silentLog, createMetrics()];
  const first = world({ services });
  const current = createSignal<World | undefined>(first);
  const cache = createResourceCache({ world: current, compiler: createCompiler(), clock, log, metrics });
  const ledger = createLedger({ clock, metrics });
  const server = createXdsServer({ ...{ feed: cache, recorder: ledger, metrics, log, clock }, identifier: "test" });
  onTestFinished(async () => {
    await server.close();
    cache.close();
  });
  return {
    ...{ port: await server.listen("127.0.0.1", 0), ledger },
    set: (...entries) =>
      current.set({ ...first, catalog: shareCatalog(current.value?.catalog, createCatalog(entries)) }),
  };
}
