import { createRequire } from "node:module";
import { hostname } from "node:os";
import { createApiServer } from "../api/http.ts";
import type { ApiPorts } from "../api/ports.ts";
import type { VersionView } from "../api/types.ts";
import { systemClock } from "../base/clock.ts";
import { MeshError } from "../base/errors.ts";
import { formatHostPort, type HostPort } from "../base/host-port.ts";
import type { Log } from "../base/log.ts";
import { createMetrics } from "../base/metrics.ts";
import { createSignal, type Signal } from "../base/signal.ts";
import { createCompiler } from "../compile/compile.ts";
import type { HeldRule, World } from "../compile/world.ts";
import { openFileStore } from "../config/file-store.ts";
import type { RuleSet } from "../config/rule-set.ts";
import { createLedger, type Ledger } from "../delivery/ledger.ts";
import type { MeshSettings } from "../model/mesh-settings.ts";
import { aggregateRegistries } from "../registry/aggregate.ts";
import { createFileRegistry } from "../registry/file.ts";
import type { RegistrySource } from "../registry/source.ts";
import { createRegistryMeter, dedupe, holdLastGood } from "../registry/wrap.ts";
import { createResourceCache, type ResourceCache } from "../snapshot/resource-cache.ts";
import { createWorldFeed } from "../snapshot/world-feed.ts";
import type { XdsOptions } from "../xds/options.ts";
import { createXdsServer } from "../xds/server.ts";
import { createApiPorts } from "./api-ports.ts";

export interface ControlPlaneOptions {
  readonly rules: readonly string[];
  readonly catalog: readonly string[];
  readonly mesh: MeshSettings;
  readonly xds: HostPort;
  readonly api: HostPort;
  readonly metrics: HostPort;
  readonly log: Log;
  readonly xdsOptions?: Partial<XdsOptions>;
}

/** A running control plane: what others may look at, and its end. */
export interface ControlPlane {
  /** Where it listens; the ports are real ones, also where the system was asked to choose. */
  readonly listens: { readonly xds: HostPort; readonly api: HostPort; readonly metrics: HostPort };
  readonly ruleSet: Signal<RuleSet>;
  readonly world: Signal<World | undefined>;
  readonly ledger: Ledger;
  readonly resources: ResourceCache;
  readonly ports: ApiPorts;
  /** Ends streams and requests in order, within `withinMs`. */
  readonly stop: (withinMs?: number) => Promise<void>;
}

const drainMs = 5_000;

/** Builds every station in the order of the flow, joins them, and listens. What was started is stopped again when a later part fails. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { log, mesh } = options;
  const clock = systemClock;
  const metrics = createMetrics();
  const stops: (() => Promise<void> | void)[] = [];
  const stop = async (): Promise<void> => {
    for (const task of stops.splice(0).reverse()) await task();
  };

  try {
    const meter = createRegistryMeter(metrics);
    const file = await createFileRegistry({ paths: options.catalog, domain: mesh.domain, clock, log });
    const registry: RegistrySource = meter(holdLastGood(dedupe(file)));
    stops.push(() => registry.close());

    const store = await openFileStore({ paths: options.rules, log, clock });
    stops.push(() => store.close());

    // Nothing holds a rule back yet: quarantine and staged rollout will write here.
    const holds = createSignal<readonly HeldRule[]>([]);
    const registries = [registry];
    const aggregate = aggregateRegistries(registries);
    stops.push(aggregate.close);
    const feed = createWorldFeed({ catalog: aggregate.catalog, rules: store.ruleSet, holds, mesh, clock });
    stops.push(feed.close);

    const resources = createResourceCache({ world: feed.world, compiler: createCompiler(), log, metrics });
    stops.push(resources.close);

    const ledger = createLedger({ clock, metrics });
    const xds = createXdsServer({
      feed: resources,
      recorder: ledger,
      metrics,
      log,
      clock,
      identifier: `fairway/${version.version} ${hostname()}`,
      ...(options.xdsOptions && { options: options.xdsOptions }),
    });
    stops.push(xds.close);

    const ports = createApiPorts({
      ruleSet: store.ruleSet,
      world: feed.world,
      registries,
      conflicts: aggregate.conflicts,
      ledger,
      resources,
      metrics,
    });
    const api = createApiServer({ ports, log, clock, version });
    const health = createApiServer({ ports, log, clock, version, serve: "health" });
    stops.push(
      () => health.close(),
      () => api.close(),
    );

    const listens = {
      metrics: await listen(health.listen, options.metrics),
      api: await listen(api.listen, options.api),
      xds: await listen(xds.listen, options.xds),
    };
    stops.push(() => xds.drain(drainMs));
    return { listens, ruleSet: store.ruleSet, world: feed.world, ledger, resources, ports, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function listen(on: (host: string, port: number) => Promise<number>, where: HostPort): Promise<HostPort> {
  const { host, port } = where;
  try {
    return { host, port: await on(host, port) };
  } catch (cause) {
    if (cause instanceof MeshError) throw cause;
    const inUse = cause instanceof Error && cause.message.includes("EADDRINUSE");
    throw new MeshError(
      "usage/invalid",
      `cannot listen on ${formatHostPort(where)}${inUse ? ": another program does" : ""}`,
      {
        hint: inUse ? "Stop that program, or choose another port (0 lets the system choose)." : String(cause),
        cause,
      },
    );
  }
}

const manifest = createRequire(import.meta.url)("../../package.json") as {
  readonly name: string;
  readonly version: string;
};

export const version: VersionView = { name: manifest.name, version: manifest.version, node: process.versions.node };
