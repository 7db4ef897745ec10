import { createSideServices } from "../../../src/app/side-services.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { contentHash } from "../../../src/base/digest.ts";
import { createLog } from "../../../src/base/log.ts";
import { createMetrics, type Metrics } from "../../../src/base/metrics.ts";
import { createSignal, type SettableSignal } from "../../../src/base/signal.ts";
import type { Compiled } from "../../../src/compile/assembly.ts";
import { type Broken, keep } from "../../../src/compile/broken.ts";
import type { Compiler } from "../../../src/compile/compile.ts";
import { compilePlaceholder } from "../../../src/compile/placeholders.ts";
import { repairReferences } from "../../../src/compile/references.ts";
import { createWorld, type World } from "../../../src/compile/world.ts";
import { emptyRuleSet } from "../../../src/config/rule-set.ts";
import { createLedger, type Ledger } from "../../../src/delivery/ledger.ts";
import type { LoadReports } from "../../../src/delivery/load-reports.ts";
import { statusOf } from "../../../src/delivery/resource-state.ts";
import { referencesOf } from "../../../src/envoy/references.ts";
import { createResourceSet, type Repair, type Resource } from "../../../src/envoy/resource-set.ts";
import { emptyCatalog } from "../../../src/model/catalog.ts";
import { defaultMeshSettings } from "../../../src/model/mesh-settings.ts";
import { createResourceCache } from "../../../src/snapshot/resource-cache.ts";
import type { XdsOptions } from "../../../src/xds/options.ts";
import { createXdsServer, type XdsServer } from "../../../src/xds/server.ts";
import type { RawResource, ResourceKey } from "../resources.ts";
import { createState } from "../state.ts";
import { allTypes, allVariants } from "../variants.ts";
import {
  type Change,
  capabilities,
  type Instance,
  type Limits,
  type StartOptions,
  type Stats,
  type Target,
} from "./target.ts";

/** Waits long enough for loopback, and short enough for silence to be watched. Milliseconds. */
const xdsOptions: Partial<XdsOptions> = {
  ackTimeoutMs: 600,
  aloneLagMs: 100,
  removalGraceMs: 100,
  keepaliveIntervalMs: 200,
  // The suite's clients answer pings on the same, busy thread.
  keepaliveTimeoutMs: 3_000,
};

/** What a storm of new streams meets in a server that is small. */
const crowdOptions: Partial<XdsOptions> = { admissionsPerTurn: 1, maxWaitingStreams: 100 };

const host = "127.0.0.1";

/**
 * This repository's own stations, in process: raw resources take the place of what the compiler makes of rules; resource cache,
 * sessions, server and ledger are the product's.
 */
export function createFairwayTarget(): Target {
  const instances = new Set<Instance>();
  return {
    name: "fairway",
    can: new Set(capabilities),
    variants: new Set(allVariants),
    types: new Set([...allTypes, "LEDS"]),
    unchecked: {},
    times: { quietMs: 150, withinMs: 30_000 },
    start: async (options) => {
      const instance = await startInstance(options);
      instances.add(instance);
      return instance;
    },
    close: async () => {
      for (const instance of instances) await instance.close();
    },
  };
}

/** The resource that cannot be computed. */
interface Failing {
  key: ResourceKey | undefined;
}

/** The state of one server, with a compiler of its own. */
interface RawWorld {
  readonly world: SettableSignal<World | undefined>;
  /** A world of its own identity for the state as it is now. */
  readonly next: () => World;
  readonly compiler: Compiler;
}

async function startInstance({ held = false, crowd = false, limits = {} }: StartOptions = {}): Promise<Instance> {
  const state = createState();
  const failing: Failing = { key: undefined };
  const options = { ...xdsOptions, ...(crowd && crowdOptions), ...optionsOf(limits) };
  const raw = createRawWorld(() => state.resources(), failing);
  const worlds = [raw];
  let complete = false;
  const publish = (): void => {
    if (complete) for (const { world, next } of worlds) world.set(next());
  };
  const release = (): void => {
    complete = true;
    publish();
  };
  if (!held) release();
  let plane = await startPlane(raw, options, 0);
  const replicas: Plane[] = [];
  const view = (read: () => Plane): Omit<Instance, "address"> => ({
    change: async (change: Change) => {
      state.apply(change);
      publish();
    },
    touch: async () => publish(),
    release: async () => release(),
    drain: (withinMs) => read().server.drain(withinMs),
    restart: async () => {
      const { port } = plane;
      plane.close();
      plane = await startPlane(raw, options, port);
    },
    replica: async () => {
      // Told the same, the other way round.
      const mirror = createRawWorld(() => state.resources().toReversed(), failing);
      worlds.push(mirror);
      if (complete) mirror.world.set(mirror.next());
      const replica = await startPlane(mirror, options, 0);
      replicas.push(replica);
      return { ...view(() => replica), address: `${host}:${replica.port}` };
    },
    fail: async (key) => {
      failing.key = key;
    },
    stats: () => statsOf(read()),
    receipt: async (nodeId, type, name) => {
      const receipt = read().ledger.receiptsOf(nodeId)?.receipt(type, name);
      if (receipt === undefined) return undefined;
      return { status: statusOf(receipt), ...(receipt.refused && { reason: receipt.refused.reason }) };
    },
    loads: async (nodeId) => read().loadReports.of(nodeId),
    close: async () => {
      for (const one of [plane, ...replicas]) one.close();
    },
  });
  return { ...view(() => plane), address: `${host}:${plane.port}` };
}

function createRawWorld(resources: () => readonly RawResource[], failing: Failing): RawWorld {
  const states = new WeakMap<World, readonly RawResource[]>();
  const compile = (world: World): Compiled => compileRaw(states.get(world) ?? [], failing.key);
  return {
    world: createSignal<World | undefined>(undefined),
    next: () => {
      const world = createWorld(emptyCatalog, emptyRuleSet, [], defaultMeshSettings);
      states.set(world, resources());
      return world;
    },
    compiler: { compile, compileFor: compile },
  };
}

/** Stands for the compiler: the resources as they are, with what the product adds to any set so that nothing dangles. */
function compileRaw(all: readonly RawResource[], failing: ResourceKey | undefined): Compiled {
  const isFailing = ({ type, name }: RawResource): boolean => type === failing?.type && name === failing.name;
  const raws = all.filter((raw) => !isFailing(raw));
  const clusters = new Map(
    raws
      .filter(({ type }) => type === "CDS")
      .flatMap(({ bytes }) => referencesOf("CDS", bytes).map(({ name }) => [name, bytes] as const)),
  );
  const resources = raws.map((raw) => resourceOf(raw, raw.type === "EDS" ? clusters.get(raw.name) : undefined));
  const failed = all.filter(isFailing).map((raw): Broken => {
    const { type, name } = raw;
    const reason = `${type} ${name} cannot be computed`;
    const cluster = resources.find(({ references }) =>
      references.some((one) => one.type === type && one.name === name),
    );
    const user = type === "EDS" ? cluster : resourceOf(raw, undefined);
    const [standIn] = user === undefined ? [] : compilePlaceholder(user, defaultMeshSettings, type, name, reason);
    return { ...{ type, name, standIn }, error: new Error(reason), rescue: keep({ type, name }) };
  });
  const repaired = repairReferences([...resources, ...failed.flatMap(({ standIn }) => standIn ?? [])]);
  // What needs something that is not there, and that nothing can stand for, counts as broken.
  const hopeless = repaired.repairs
    .filter(({ kind }) => kind === "broken")
    .map(({ type, name, reason }): Broken => {
      return { ...{ type, name, standIn: undefined }, error: new Error(reason), rescue: keep({ type, name }) };
    });
  const broken = [...failed, ...hopeless];
  const repairs = failed.map(
    ({ type, name, error }): Repair => ({ type, name, kind: "broken", reason: error.message }),
  );
  return {
    ...createResourceSet(repaired.resources, [...repairs, ...repaired.repairs]),
    ...{ broken, repair: repairReferences },
  };
}

/** The version of endpoints covers the cluster that names them; a time to live is covered too. */
function resourceOf({ type, name, bytes, onDemand, ttlMs }: RawResource, cluster: Uint8Array | undefined): Resource {
  const content = Buffer.concat([bytes, Buffer.from(`\0${ttlMs ?? ""}\0`), cluster ?? new Uint8Array()]);
  return {
    ...{
      type,
      name,
      bytes,
      version: contentHash(content),
      references: referencesOf(type, bytes),
      provenance: () => [],
    },
    ...(onDemand !== undefined && { onDemand }),
    ...(ttlMs !== undefined && { ttlMs }),
  };
}

interface Plane {
  readonly port: number;
  readonly server: XdsServer;
  readonly ledger: Ledger;
  readonly metrics: Metrics;
  readonly loadReports: LoadReports;
  readonly close: () => void;
}

async function startPlane({ world, compiler }: RawWorld, options: Partial<XdsOptions>, port: number): Promise<Plane> {
  const metrics = createMetrics();
  const log = createLog({ level: "silent", format: "json", write: () => {} });
  const cache = createResourceCache({ world, compiler, clock: systemClock, log, metrics });
  const ledger = createLedger({ clock: systemClock, metrics });
  const identifier = "fairway/conformance";
  const side = createSideServices({
    ledger,
    resources: cache,
    world,
    metrics,
    clock: systemClock,
    log,
    lrsIntervalMs: 200,
  });
  const server = createXdsServer({
    feed: cache,
    recorder: ledger,
    metrics,
    log,
    clock: systemClock,
    identifier,
    options,
    services: side.services,
  });
  const bound = await server.listen(host, port);
  const close = (): void => {
    server.close();
    side.close();
    cache.close();
  };
  return { port: bound, server, ledger, metrics, loadReports: side.loadReports, close };
}

const optionNames = {
  connectionAgeMs: "maxConnectionAgeMs",
  connectionBytes: "maxConnectionBytes",
  streamsPerConnection: "maxStreamsPerConnection",
  streamsPerNode: "maxStreamsPerNode",
  firstRequestMs: "firstRequestMs",
} as const satisfies Readonly<Record<keyof Limits, keyof XdsOptions>>;

const optionsOf = (limits: Limits): Partial<XdsOptions> =>
  Object.fromEntries(Object.entries(limits).map(([name, value]) => [optionNames[name as keyof Limits], value]));

async function statsOf({ metrics }: Plane): Promise<Stats> {
  const { text } = await metrics.expose();
  const sum = (name: string): number =>
    [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, "gm"))].reduce(
      (total, [, value]) => total + Number(value),
      0,
    );
  return {
    streams: sum("fairway_xds_streams"),
    watches: sum("fairway_xds_watches"),
    nacks: sum("fairway_xds_nacks_total"),
    nodeChanges: sum("fairway_xds_node_changes_total"),
    responses: sum("fairway_xds_pushes_total"),
    oversized: sum("fairway_xds_oversized_total"),
    bytesInFlight: sum("fairway_xds_bytes_in_flight"),
  };
}
