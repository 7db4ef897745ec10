import { rm } from "node:fs/promises";
import { hostname } from "node:os";
import { resolve } from "node:path";
import { createApiServer } from "../api/http.ts";
import type { ApiLimits } from "../api/limits.ts";
import { isLoopback } from "../api/loopback.ts";
import type { ApiPorts } from "../api/ports.ts";
import { systemClock } from "../base/clock.ts";
import { MeshError } from "../base/errors.ts";
import { formatHostPort, type HostPort } from "../base/host-port.ts";
import type { Log } from "../base/log.ts";
import { createMetrics } from "../base/metrics.ts";
import { createSignal, type Signal } from "../base/signal.ts";
import { createCompiler } from "../compile/compile.ts";
import type { HeldRule, World } from "../compile/world.ts";
import { followRuleSets } from "../config/combine-rule-sets.ts";
import { openFileStore } from "../config/file-store.ts";
import { createPrepare } from "../config/prepare-in-turn.ts";
import type { RuleSet } from "../config/rule-set.ts";
import { openSqliteStore } from "../config/sqlite-store.ts";
import { createLedger, type Ledger } from "../delivery/ledger.ts";
import type { MeshSettings } from "../model/mesh-settings.ts";
import { createFileRegistry } from "../registry/file.ts";
import { openRestRegistry } from "../registry/rest/rest-registry.ts";
import { createAccess } from "../security/access.ts";
import { type FirstToken, provideFirstToken } from "../security/first-token.ts";
import type { Role } from "../security/roles.ts";
import { createTokens, type Tokens } from "../security/tokens.ts";
import { createResourceCache, type ResourceCache } from "../snapshot/resource-cache.ts";
import { createWorldFeed } from "../snapshot/world-feed.ts";
import type { XdsOptions } from "../xds/options.ts";
import { createXdsServer } from "../xds/server.ts";
import { createApiPorts } from "./api-ports.ts";
import { catalogFolder } from "./data-folder.ts";
import { createExplainPort } from "./explain-port.ts";
import { keepJournal } from "./keep-journal.ts";
import { logFindings } from "./log-findings.ts";
import type { KubernetesOptions } from "./open-kubernetes.ts";
import { createRegistrationsPort } from "./registrations-port.ts";
import { createRegistryGuard, type Guarded, joinRegistries, type RegistryEntry } from "./registries.ts";
import { defaultRegistryOptions, type RegistryOptions } from "./registry-options.ts";
import type { RouteTests, RouteTestsOptions } from "./route-tests.ts";
import { createSideServices } from "./side-services.ts";
import { openStore, type StoreOptions } from "./store.ts";
import { createTokensPort } from "./tokens-port.ts";
import { version } from "./version.ts";

export interface ControlPlaneOptions {
  readonly rules: readonly string[];
  readonly catalog: readonly string[];
  /** A cluster as a registry; default: none. */
  readonly kubernetes?: Pick<KubernetesOptions, "source" | "times">;
  /** Files of tests which changes must not break; default: none. */
  readonly routeTests?: readonly string[];
  readonly mesh: MeshSettings;
  readonly xds: HostPort;
  readonly api: HostPort;
  readonly metrics: HostPort;
  readonly log: Log;
  /** Default: memory. */
  readonly store?: StoreOptions;
  /** What requests without a token may do; default: nothing. */
  readonly anonymous?: Role;
  readonly requireIfMatch?: boolean;
  readonly registries?: Partial<RegistryOptions>;
  /** Of the user who runs it: where the command line finds the first token. Absent: it is not published. */
  readonly configFolder?: string;
  readonly apiLimits?: Partial<ApiLimits>;
  /** Wrong tokens that an address may try: at once, and after that in the long run. */
  readonly failedAttempts?: { readonly burst: number; readonly perSecond: number };
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
  /** The file of a token that may do everything; absent without one. */
  readonly tokenFile?: string;
  /** Ends streams and requests in order, then everything else; never rejects. */
  readonly stop: () => Promise<void>;
}

const drainMs = 5_000;

/** Builds every station in the order of the flow, joins them, and listens. What was started is stopped again when a later part fails. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { log, mesh } = options;
  const clock = systemClock;
  const metrics = createMetrics({ ofProcess: true });
  const stops: (() => Promise<void> | void)[] = [];
  const stop = async (): Promise<void> => {
    for (const task of stops.splice(0).reverse()) {
      // What cannot be ended in order must not keep the rest from it.
      await Promise.resolve()
        .then(task)
        .catch((error: unknown) => log.error({ err: error }, "a part did not stop in order"));
    }
  };

  try {
    const { call, trouble, close } = await openStore(options.store ?? { kind: "memory" }, log);
    stops.push(close);

    const registryOptions = { ...defaultRegistryOptions, ...options.registries };
    const folder = options.store?.kind === "sqlite" ? catalogFolder(options.store.folder) : undefined;
    const guard = createRegistryGuard({ options: registryOptions, clock, log, metrics, ...(folder && { folder }) });
    const guarded = async (entry: RegistryEntry): Promise<Guarded> => {
      const registry = await guard(entry);
      stops.push(registry.close);
      return registry;
    };
    const files = await createFileRegistry({ paths: options.catalog, domain: mesh.domain, clock, log });
    const file = await guarded({ kind: "file", source: files, place: placeOf(options.catalog) });
    const leases = await openRestRegistry({ call, clock, log, metrics });
    const rest = await guarded({ kind: "rest", source: leases, place: "store", isItsWord: true });
    const cluster = options.kubernetes && (await clusterOf({ ...options.kubernetes, mesh, clock, log, metrics }));
    const kubernetes = cluster && (await guarded(cluster));
    const registries = joinRegistries([...(kubernetes ? [kubernetes] : []), file, rest], registryOptions);
    stops.push(registries.close);

    const directory = await openFileStore({ paths: options.rules, log, clock });
    stops.push(() => directory.close());
    const store = await openSqliteStore({ call, clock, log, metrics });
    stops.push(() => store.close());
    const journal = keepJournal({ directory: directory.ruleSet, store, clock, log });
    stops.push(journal.close);
    const { ruleSet, close: unfollow } = followRuleSets([directory.ruleSet, store.ruleSet]);
    stops.push(unfollow, logFindings(ruleSet, log));

    // Nothing holds a rule back yet: quarantine and staged rollout will write here.
    const holds = createSignal<readonly HeldRule[]>([]);
    const feed = createWorldFeed({ catalog: registries.catalog, rules: ruleSet, holds, mesh, clock });
    stops.push(feed.close);

    const resources = createResourceCache({ world: feed.world, compiler: createCompiler(), clock, log, metrics });
    stops.push(resources.close);

    const ledger = createLedger({ clock, metrics });
    const side = createSideServices({ ledger, resources, world: feed.world, metrics, clock, log });
    stops.push(side.close);
    const xds = createXdsServer({
      services: side.services,
      feed: resources,
      recorder: ledger,
      metrics,
      log,
      clock,
      identifier: `fairway/${version.version} ${hostname()}`,
      ...(options.xdsOptions && { options: options.xdsOptions }),
    });
    stops.push(xds.close);

    const tokens = createTokens({ call, clock, log });
    const { anonymous } = options;
    const read = createApiPorts({
      ruleSet,
      directory: directory.ruleSet,
      catalog: registries.catalog,
      world: feed.world,
      registries: registries.sources,
      conflicts: registries.conflicts,
      ledger,
      resources,
      metrics,
      trouble,
      lag: journal.trouble,
    });
    const routeTests = await routeTestsOf(options.routeTests ?? [], {
      present: () => ({ rules: ruleSet.value.rules, catalog: registries.catalog.value }),
      ...{ mesh, clock, log },
    });
    if (routeTests !== undefined) stops.push(routeTests.close);
    const ports: ApiPorts = {
      ...read,
      store,
      prepare: createPrepare(
        () => ({
          ruleSet: ruleSet.value,
          ownerOf: read.managerOf,
          isOvershadowed: (key) => store.own(key) !== undefined && read.managerOf(key) !== undefined,
          catalog: registries.catalog.value,
          mesh,
        }),
        clock,
        () => routeTests !== undefined,
      ),
      ...(routeTests && { brokenTests: routeTests.brokenBy }),
      access: createAccess({
        ...{ tokens, clock, log, metrics },
        ...(anonymous !== undefined && { anonymous }),
        ...(options.failedAttempts && { failures: options.failedAttempts }),
      }),
      tokens: createTokensPort({ tokens, clock }),
      registries: registries.port,
      registrations: createRegistrationsPort(leases.registrations),
      explain: createExplainPort({ ruleSet, ledger, resources, world: feed.world }),
    };
    const api = createApiServer({
      ports,
      log,
      clock,
      version,
      requireIfMatch: options.requireIfMatch ?? false,
      ...(options.apiLimits && { limits: options.apiLimits }),
    });
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
    const first = await firstToken(options, { tokens, api: listens.api });
    const { file: tokenFile, published } = first ?? {};
    // Whoever listens there next is not to be sent it.
    if (published !== undefined) stops.push(() => rm(published, { force: true }));
    if (!isLoopback(listens.api.host)) {
      log.warn(
        { api: formatHostPort(listens.api) },
        "the API speaks plain HTTP, tokens included; put TLS in front of it",
      );
    }
    return {
      ...{ listens, ruleSet, world: feed.world, ledger, resources, ports, stop },
      ...(tokenFile !== undefined && { tokenFile }),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What speaks to a cluster takes time to load, which a start without one does not have. */
async function clusterOf(options: KubernetesOptions): Promise<RegistryEntry> {
  const { openKubernetes, placeOfCluster } = await import("./open-kubernetes.ts");
  const place = await placeOfCluster(options.source);
  return { kind: "kubernetes", source: await openKubernetes(options), place };
}

/** Files are the same ones wherever they are named from. */
const placeOf = (paths: readonly string[]): string => paths.map((path) => resolve(path)).join("\n");

/** The matcher takes time to load, which a start without tests does not have. */
async function routeTestsOf(
  paths: readonly string[],
  options: Omit<RouteTestsOptions, "paths">,
): Promise<RouteTests | undefined> {
  if (paths.length === 0) return undefined;
  const { openRouteTests } = await import("./route-tests.ts");
  return openRouteTests({ paths, ...options });
}

function firstToken(
  { store, configFolder, log }: ControlPlaneOptions,
  { tokens, api }: { readonly tokens: Tokens; readonly api: HostPort },
): Promise<FirstToken | undefined> {
  return provideFirstToken({
    tokens,
    ...(store?.kind === "sqlite" && { dataFolder: store.folder }),
    ...(configFolder !== undefined && { configFolder }),
    api: { ...api, loopback: isLoopback(api.host) },
    log,
  });
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
